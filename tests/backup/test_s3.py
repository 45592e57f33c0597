"""A bucket as a place: signed as AWS' own examples are, and used against a store that checks every signature."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from openward.backup import s3
from openward.backup.errors import CannotRead, CannotWrite, PieceMissing
from openward.backup.places import open_place
from openward.backup.s3 import Bucket, Credentials

EXAMPLE = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
NOTHING = hashlib.sha256(b"").hexdigest()
DAY = dt.datetime(2013, 5, 24, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("path", "query", "headers", "signature"),
    [
        ("/test.txt", {}, {"Range": "bytes=0-9"}, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        ("/", {"lifecycle": ""}, {}, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/", {"max-keys": "2", "prefix": "J"}, {}, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ],
)
def test_a_request_is_signed_as_in_the_published_examples(path: str, query: dict[str, str], headers: dict[str, str], signature: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html"""
    signed = EXAMPLE.signed("GET", "examplebucket.s3.amazonaws.com", path, query, headers, NOTHING, DAY)
    assert signed["authorization"].endswith(f"Signature={signature}")


@dataclass
class Store:
    """A store of one bucket in memory, which refuses what is not signed with its key."""

    port: int = 0
    pieces: dict[str, bytes] = field(default_factory=dict)
    failing: int = 0
    status: int = 503
    refused: list[str] = field(default_factory=list)


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = self.answer(body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_PUT = do_DELETE = handle_any

        def answer(self, body: bytes) -> tuple[int, bytes]:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            at = dt.datetime.strptime(self.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
            expected = EXAMPLE.signed(self.command, self.headers["Host"], parts.path, query, {}, hashlib.sha256(body).hexdigest(), at)
            if expected["authorization"] != self.headers["Authorization"]:
                return 403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>"
            if made.failing:
                made.failing -= 1
                return made.status, b"<Error><Code>SlowDown</Code></Error>"
            return self.done(unquote(parts.path).removeprefix("/bucket/"), query, body)

        def done(self, key: str, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
            if "list-type" in query:
                return 200, listed(made, query)
            if self.command == "PUT":
                made.pieces[key] = body
                return 200, b""
            if self.command == "DELETE":
                made.pieces.pop(key, None)
                return 204, b""
            return (200, made.pieces[key]) if key in made.pieces else (404, b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def listed(store: Store, query: dict[str, str]) -> bytes:
    """Two names a page."""
    names = sorted(name for name in store.pieces if name.startswith(query["prefix"]) and name > query.get("continuation-token", ""))
    keys = "".join(f"<Contents><Key>{name}</Key></Contents>" for name in names[:2])
    more = f"<NextContinuationToken>{names[1]}</NextContinuationToken>" if len(names) > 2 else ""
    return f"<ListBucketResult>{keys}{more}</ListBucketResult>".encode()


@pytest.fixture
def bucket(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bucket:
    (tmp_path / "secret").write_text(EXAMPLE.secret + "\n")
    monkeypatch.setenv("OPENWARD_BUCKET", f"http://127.0.0.1:{store.port}/bucket/clinic")
    monkeypatch.setenv("OPENWARD_BUCKET_KEY_ID", EXAMPLE.id)
    monkeypatch.setenv("OPENWARD_BUCKET_SECRET_FILE", str(tmp_path / "secret"))
    monkeypatch.setattr(s3, "PAUSES", (0.01, 0.01, 0.0))
    made = open_place(store="openward.backup.s3.Bucket", folder=tmp_path)
    assert isinstance(made, Bucket)
    return made


class TestABucket:
    def test_keeps_pieces_under_its_own_prefix(self, store: Store, bucket: Bucket) -> None:
        bucket.put("site/series/base/000001", b"\0sealed")
        assert bucket.get("site/series/base/000001") == b"\0sealed"
        assert list(store.pieces) == ["clinic/site/series/base/000001"]

    def test_lists_all_pages_and_removes_what_begins_so(self, store: Store, bucket: Bucket) -> None:
        names = [f"site/a/{number}" for number in range(5)]
        for name in (*names, "site/b/1"):
            bucket.put(name, b"x")
        store.pieces["other/site/a/1"] = b"of someone else"
        assert sorted(bucket.names("site/a/")) == names
        bucket.remove("site/a/")
        assert sorted(store.pieces) == ["clinic/site/b/1", "other/site/a/1"]

    def test_says_what_is_missing_by_its_name(self, bucket: Bucket) -> None:
        with pytest.raises(PieceMissing, match="site/nothing"):
            bucket.get("site/nothing")

    def test_asks_again_while_the_store_is_busy(self, store: Store, bucket: Bucket) -> None:
        store.failing = 2
        bucket.put("a", b"x")
        assert bucket.get("a") == b"x"

    def test_gives_up_with_the_stores_own_word(self, store: Store, bucket: Bucket) -> None:
        store.failing = 3
        with pytest.raises(CannotWrite, match="the store answered 503 SlowDown"):
            bucket.put("a", b"x")

    def test_with_a_wrong_secret_is_refused_at_once_and_says_no_key(self, store: Store, bucket: Bucket, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("wrong-secret")
        with pytest.raises(CannotRead, match="403 SignatureDoesNotMatch") as refused:
            Bucket().get("a")
        assert "wrong-secret" not in str(refused.value)

    def test_that_does_not_answer_is_said(self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENWARD_BUCKET", "http://127.0.0.1:1/bucket")
        with pytest.raises(CannotWrite, match="does not answer"):
            Bucket().put("a", b"x")

    @pytest.mark.parametrize("name", ["OPENWARD_BUCKET", "OPENWARD_BUCKET_SECRET_FILE"])
    def test_without_its_settings_is_refused_by_the_settings_name(self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.delenv(name)
        with pytest.raises(CannotRead, match=re.escape(name)):
            Bucket()
