"""A bucket of Amazon S3, or of what speaks as it does (MinIO, Ceph, R2), as a place for backups.

    OPENWARD_BACKUP_STORE=openward.backup.s3.Bucket
    OPENWARD_BUCKET=https://clinic-backups.s3.us-east-1.amazonaws.com/openward

Requests are signed with AWS Signature Version 4. https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import http.client
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from openward.backup.errors import CannotRead, CannotWrite, PieceMissing

SECONDS = 60
PAUSES = (1.0, 4.0, 0.0)


class Refused(Exception):
    """What the store answered, or why it could not be asked; never with a key in it."""


@dataclass(frozen=True)
class Credentials:
    id: str
    secret: str = field(repr=False)
    region: str = "us-east-1"

    def signed(
        self, method: str, host: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: str, at: dt.datetime
    ) -> dict[str, str]:
        """The headers to send. `path` is quoted already; `body` is the SHA-256 of the body in hexadecimal."""
        stamp = f"{at:%Y%m%dT%H%M%SZ}"
        sent = {**{name.lower(): value for name, value in headers.items()}, "host": host, "x-amz-content-sha256": body, "x-amz-date": stamp}
        names = ";".join(sorted(sent))
        lines = "".join(f"{name}:{sent[name]}\n" for name in sorted(sent))
        request = "\n".join((method, path, canonical(query), lines, names, body))
        scope = f"{stamp[:8]}/{self.region}/s3/aws4_request"
        words = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
        signature = hmac.digest(self._key(stamp[:8]), words.encode(), hashlib.sha256).hex()
        return {**sent, "authorization": f"AWS4-HMAC-SHA256 Credential={self.id}/{scope},SignedHeaders={names},Signature={signature}"}

    def _key(self, day: str) -> bytes:
        key = f"AWS4{self.secret}".encode()
        for part in (day, self.region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), hashlib.sha256)
        return key


def canonical(query: Mapping[str, str]) -> str:
    return urlencode(sorted(query.items()), quote_via=quote, safe="-_.~")


class Bucket:
    """Made from the settings; raises CannotRead when they are not there."""

    def __init__(self) -> None:
        parts = urlsplit(os.environ.get("OPENWARD_BUCKET", ""))
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise CannotRead(name="OPENWARD_BUCKET", reason="it is not the https address of a bucket")
        self._parts, self._root = parts, parts.path.rstrip("/")
        self._credentials = _credentials()

    def __str__(self) -> str:
        return f"{self._parts.netloc}{self._root}"

    def put(self, name: str, content: bytes) -> None:
        try:
            self._asked("PUT", name, content)
        except (Refused, KeyError) as refused:
            raise CannotWrite(name=name, reason=refused) from None

    def get(self, name: str) -> bytes:
        try:
            return self._asked("GET", name)
        except KeyError:
            raise PieceMissing(name=name) from None
        except Refused as refused:
            raise CannotRead(name=name, reason=refused) from None

    def names(self, prefix: str) -> Iterator[str]:
        own, query = f"{self._inside()}", {"list-type": "2"}
        while True:
            try:
                page = self._asked("GET", None, query={**query, "prefix": own + prefix}).decode()
            except (Refused, KeyError) as refused:
                raise CannotRead(name=prefix, reason=refused) from None
            yield from (unescape(key).removeprefix(own) for key in re.findall("<Key>([^<]*)</Key>", page))
            more = re.search("<NextContinuationToken>([^<]*)</NextContinuationToken>", page)
            if more is None:
                return
            query["continuation-token"] = unescape(more[1])

    def remove(self, prefix: str) -> None:
        for name in list(self.names(prefix)):
            try:
                self._asked("DELETE", name)
            except (Refused, KeyError) as refused:
                raise CannotWrite(name=name, reason=refused) from None

    def _inside(self) -> str:
        """What every key begins with: the address' path, without the bucket where that is its first part."""
        path = self._root.lstrip("/")
        inside = path.partition("/")[2] if self._is_path_style() else path
        return f"{inside}/" if inside else ""

    def _is_path_style(self) -> bool:
        """Whether the bucket is named in the path, as by stores on a host of their own, and not in the host."""
        return not re.search(r"\.s3[.-]", self._parts.hostname or "")

    def _asked(self, method: str, name: str | None, content: bytes = b"", query: Mapping[str, str] | None = None) -> bytes:
        """Asked again when the store is busy or does not answer. Raises KeyError for 404, Refused."""
        for pause in PAUSES:
            try:
                status, body = self._once(method, name, content, query or {})
            except (OSError, http.client.HTTPException) as error:
                status, body = 0, type(error).__name__.encode()
            if 200 <= status < 300:
                return body
            if status == 404:
                raise KeyError(name)
            if 0 < status < 500 or pause == 0:
                raise Refused(_reason(status, body))
            time.sleep(pause)
        raise Refused("it does not answer")

    def _once(self, method: str, name: str | None, content: bytes, query: Mapping[str, str]) -> tuple[int, bytes]:
        bucket = f"/{self._root.lstrip('/').partition('/')[0]}" if self._is_path_style() else "/"
        path = quote(bucket if name is None else f"{self._root}/{name}", safe="/-_.~")
        digest = hashlib.sha256(content).hexdigest()
        headers = self._credentials.signed(method, self._parts.netloc, path, query, {}, digest, dt.datetime.now(dt.UTC))
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=SECONDS)
        try:
            connection.request(method, f"{path}?{canonical(query)}" if query else path, content or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def _credentials() -> Credentials:
    path = Path(os.environ.get("OPENWARD_BUCKET_SECRET_FILE", ""))
    try:
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        raise CannotRead(name="OPENWARD_BUCKET_SECRET_FILE", reason="there is no such file, or it is not text") from None
    return Credentials(os.environ.get("OPENWARD_BUCKET_KEY_ID", ""), secret, os.environ.get("OPENWARD_BUCKET_REGION") or "us-east-1")


def _reason(status: int, body: bytes) -> str:
    code = re.search(rb"<Code>([A-Za-z0-9.]{1,60})</Code>", body)
    return f"the store answered {status}{' ' + code[1].decode() if code else ''}" if status else f"the store does not answer ({body.decode()})"
