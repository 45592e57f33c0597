"""What goes back over HTTP."""

from __future__ import annotations

import datetime as dt
import gzip
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import msgspec

from openward.fhir.errors import FhirError, InvalidToken, Issue, Malformed, MethodNotAllowed, Unauthenticated
from openward.fhir.failures import TooSlow, Unavailable
from openward.fhir.http.media import JSON_MEDIA_TYPE, XML_MEDIA_TYPE, NotAcceptable
from openward.fhir.http.request import Request
from openward.fhir.json import dumps
from openward.fhir.operations.registry import Answer
from openward.fhir.versions import Version, Written, parsed
from openward.fhir.xml import to_xml

NO_GZIP = re.compile(r"gzip\s*;\s*q=0(?:\.0*)?\s*(?:,|$)")
BUNDLE = b'{"resourceType":"Bundle"'
WORTH_PACKING = 1400  # bytes; a smaller answer fits in one packet anyway
ASK_FOR_ONE = 'Bearer realm="fhir"'  # https://www.rfc-editor.org/rfc/rfc6750#section-3
ASK_ANEW = f'{ASK_FOR_ONE}, error="invalid_token"'
ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Vary": "Accept, Accept-Encoding, Authorization"}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


@dataclass(slots=True)
class Response:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    chunks: Iterable[bytes] | None = None  # instead of `body`, for what is too long to hold
    shown: Version | None = None  # what `body` is, when it is one version

    @classmethod
    def answer(cls, answer: Answer) -> Response:
        """What an operation says, when it is more than a resource."""
        response = cls(answer.status, dumps(answer.resource) if answer.resource is not None else answer.body, dict(answer.headers), answer.chunks)
        if answer.media_type:
            response.headers["Content-Type"] = answer.media_type
        return response

    @classmethod
    def json(cls, content: Mapping[str, Any], status: int = 200) -> Response:
        return cls(status, dumps(content))

    @classmethod
    def version(cls, version: Version, status: int = 200) -> Response:
        """A resource as the bytes that are stored."""
        return cls(status, (version.text or "").encode(), validators(version), shown=version)

    @classmethod
    def not_modified(cls, version: Version) -> Response:
        return cls(304, headers=validators(version), shown=version)

    @classmethod
    def error(cls, error: FhirError) -> Response:
        response = cls.json(error.outcome(), error.status)
        if isinstance(error, Unauthenticated):
            response.headers["WWW-Authenticate"] = ASK_ANEW if isinstance(error, InvalidToken) else ASK_FOR_ONE
        if isinstance(error, MethodNotAllowed):
            response.headers["Allow"] = str(error.values.get("allow", ""))
        if isinstance(error, Unavailable | TooSlow):
            response.headers["Retry-After"] = "5"
        return response

    def send(self, request: Request, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if request.format == "xml" and self.body and "Content-Type" not in self.headers:
            self._turn_into_xml(request.is_pretty)
        body = msgspec.json.format(self.body, indent=2) if self.body and request.is_pretty and self._is_json else self.body
        headers = {**ALWAYS, **self.headers}
        if self.chunks is not None:
            headers.setdefault("Content-Type", JSON_MEDIA_TYPE)
            start_response(STATUS_LINES[self.status], list(headers.items()))
            return [] if request.method == "HEAD" else self.chunks
        if body:
            headers.setdefault("Content-Type", JSON_MEDIA_TYPE)
        if is_worth_packing(body, request.header("Accept-Encoding")):
            body = packed(body)
            headers["Content-Encoding"] = "gzip"
        if self.status not in (204, 304):
            headers["Content-Length"] = str(len(body))
        start_response(STATUS_LINES[self.status], list(headers.items()))
        return [] if request.method == "HEAD" else [body]

    @property
    def _is_json(self) -> bool:
        return "json" in self.headers.get("Content-Type", JSON_MEDIA_TYPE)

    def _turn_into_xml(self, pretty: bool) -> None:
        """A resource this server has written as JSON, in XML."""
        try:
            self.body = to_xml(_read(self.body), pretty=pretty)
        except Malformed as error:
            self.status, self.body = NotAcceptable.status, to_xml(NotAcceptable(str(error)).outcome())
        self.headers["Content-Type"] = XML_MEDIA_TYPE


def _read(body: bytes) -> Mapping[str, Any]:
    """The resource, parsed; of a Bundle the entries are parsed each when its turn has come, so that they never stand there all at once."""
    if not body.startswith(BUNDLE):
        return parsed(body)
    raw = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    entries = _Entries(msgspec.json.decode(raw.pop("entry", b"[]"), type=list[msgspec.Raw]))
    return parsed(msgspec.json.encode(raw)) | ({"entry": entries} if entries else {})


class _Entries(list[Any]):
    def __iter__(self) -> Iterator[Any]:
        return (parsed(bytes(entry)) for entry in super().__iter__())


def takes_gzip(accepted: str | None) -> bool:
    return accepted is not None and "gzip" in accepted and not NO_GZIP.search(accepted)


def is_worth_packing(body: bytes, accepted: str | None) -> bool:
    return len(body) > WORTH_PACKING and takes_gzip(accepted)


def packed(body: bytes) -> bytes:
    return gzip.compress(body, 1)


def validators(version: Version) -> dict[str, str]:
    """ETag and Last-Modified."""
    return {"ETag": version.etag, "Last-Modified": http_date(version.at.replace(microsecond=0))}


@lru_cache(maxsize=4096)
def http_date(moment: dt.datetime) -> str:
    """`moment` as HTTP writes a time. https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7"""
    at = moment.astimezone(dt.UTC)
    return f"{DAYS[at.weekday()]}, {at.day:02} {MONTHS[at.month - 1]} {at.year} {at.hour:02}:{at.minute:02}:{at.second:02} GMT"


def written(written: Written, request: Request) -> Response:
    """The answer to a write, with as much body as the client prefers. https://hl7.org/fhir/R4/http.html#ops"""
    version = written.version
    if written.outcome == "deleted":
        return deleted(request, version)
    if request.preference == "representation":
        response = Response.version(version, written.status)
    elif request.preference == "minimal":
        response = Response(written.status, headers=validators(version))
    else:
        response = Response.json(_saying(f"{version.location}: {written.outcome}."), written.status)
        response.headers |= validators(version)
    response.headers["Location"] = f"{request.url}/{version.location}"
    return response


def deleted(request: Request, version: Version | None) -> Response:
    headers = {"ETag": version.etag} if version else {}
    if request.preference == "OperationOutcome":
        said = f"{version.reference} is deleted." if version else "There is nothing to delete."
        return Response(200, dumps(_saying(said)), headers)
    return Response(204, headers=headers)


def _saying(text: str) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [Issue("informational", text, severity="information").to_fhir()]}
