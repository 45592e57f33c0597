"""A series: its header in the clear, everything else sealed under its own key, which the outer key wraps.

    <installation>/<series>/series.json      header: which installation, which outer key, the wrapped key
                            base/000001      the base backup, a tar in chunks
                            base.json        written last: with it the base is complete
                            wal/0000…        whole segments of the write-ahead log
                            files/<name>     contents of the data folder's files
                            marks/000001     up to when the series can be restored, and which files there were

Each piece is packed (zlib), sealed with AES-256-GCM and bound to its series and name: one that was changed, cut or exchanged is refused by its name.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import secrets
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from openward.backup.errors import PieceBroken, PieceMissing
from openward.backup.places import Place
from openward.keys.errors import SealBroken
from openward.keys.outer import KEY_BYTES, NONCE_BYTES, OuterKeys

FORMAT = 1
HEADER = "series.json"
BASE = "base.json"
SEGMENT_BYTES = 16 * 2**20  # the embedded cluster is made with PostgreSQL's default
SEGMENTS_PER_LOG = 2**32 // SEGMENT_BYTES
PACKING = 1  # zlib's fastest: the disk is seldom the bottleneck, the processor is


@dataclass(frozen=True)
class Base:
    """The base backup. Any moment from `ended` on can be restored, as far as the marks reach."""

    chunks: int
    size: int
    ended: str
    first_segment: str
    identifier: str
    openward: str
    postgres: str
    host: str
    folder: str


@dataclass(frozen=True)
class StoredFile:
    """A file of the data folder: path inside it, permission bits, nanoseconds, and the pieces of its content."""

    path: str
    mode: int
    size: int
    changed: int
    pieces: list[str]


@dataclass(frozen=True)
class Mark:
    """Everything that was committed before `time` (UTC, ISO) is in the segments up to `last_segment`."""

    number: int
    time: str
    last_segment: str
    before: str
    """SHA-256 of the mark before, as stored: none can be taken out of the middle."""
    counts: dict[str, int] = field(default_factory=dict)
    files: list[StoredFile] = field(default_factory=list)

    @property
    def moment(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.time)


class Series:
    """One series in its place, with its key."""

    def __init__(self, place: Place, installation: str, id: str, key: bytes) -> None:
        self.place, self.installation, self.id = place, installation, id
        self._key = key

    def put(self, name: str, content: bytes) -> bytes:
        """Seal and keep a piece; what was stored. Raises CannotWrite."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        stored = nonce + AESGCM(self._key).encrypt(nonce, zlib.compress(content, PACKING), self._bound(name))
        self.place.put(self._path(name), stored)
        return stored

    def get(self, name: str) -> bytes:
        """Raises PieceMissing, PieceBroken."""
        return self._opened(name, self.place.get(self._path(name)))

    def names(self, kind: str) -> set[str]:
        """The names of pieces under `kind`, such as `marks/`."""
        start = len(self._path(""))
        return {name[start:] for name in self.place.names(self._path(kind))}

    def remove(self) -> None:
        self.place.remove(self._path(""))

    def content_name(self, content: bytes) -> str:
        """The same content has the same name in a series, and tells nothing to who has not its key."""
        return "files/" + hmac.digest(self._key, content, hashlib.sha256).hex()

    def base(self) -> Base | None:
        """None while the base backup is not complete. Raises PieceBroken."""
        try:
            return Base(**_read(self.get(BASE)))
        except PieceMissing:
            return None

    def put_base(self, base: Base) -> None:
        self.put(BASE, _written(base))

    def put_mark(self, mark: Mark) -> None:
        self.put(_mark_name(mark.number), _written(mark))

    def mark(self, number: int) -> Mark:
        """Raises PieceMissing, PieceBroken."""
        return _mark(_read(self.get(_mark_name(number))))

    def marks(self) -> list[Mark]:
        """All marks in order. Raises PieceMissing, PieceBroken when one is gone or is not the one its follower knew."""
        found: list[Mark] = []
        digest = ""
        for number in range(1, len(self.names("marks/")) + 1):
            name = _mark_name(number)
            stored = self.place.get(self._path(name))
            mark = _mark(_read(self._opened(name, stored)))
            if mark.before != digest:
                raise PieceBroken(name=self._path(name))
            digest = hashlib.sha256(stored).hexdigest()
            found.append(mark)
        return found

    def digest_of_mark(self, number: int) -> str:
        return hashlib.sha256(self.place.get(self._path(_mark_name(number)))).hexdigest() if number else ""

    def _opened(self, name: str, stored: bytes) -> bytes:
        try:
            return zlib.decompress(AESGCM(self._key).decrypt(stored[:NONCE_BYTES], stored[NONCE_BYTES:], self._bound(name)))
        except (InvalidTag, ValueError, zlib.error):
            raise PieceBroken(name=self._path(name)) from None

    def _path(self, name: str) -> str:
        return f"{self.installation}/{self.id}/{name}"

    def _bound(self, name: str) -> bytes:
        return f"openward backup\0{FORMAT}\0{self._path(name)}".encode()


def new_series(place: Place, installation: str, keys: OuterKeys, now: dt.datetime) -> Series:
    """Raises CannotWrite."""
    id = f"{now.astimezone(dt.UTC):%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(2)}"  # two of one second keep their order
    key = secrets.token_bytes(KEY_BYTES)
    header = {"format": FORMAT, "installation": installation, "series": id, "outer": keys.first.id}
    wrapped = base64.b64encode(keys.first.wrap(key, _context(header))).decode()
    place.put(f"{installation}/{id}/{HEADER}", json.dumps({**header, "wrapped": wrapped}, indent=1).encode())
    return Series(place, installation, id, key)


def open_series(place: Place, installation: str, id: str, keys: OuterKeys) -> Series:
    """Raises OuterKeyMissing, PieceMissing, PieceBroken."""
    name = f"{installation}/{id}/{HEADER}"
    try:
        header = json.loads(place.get(name))
        wrapped = base64.b64decode(header.pop("wrapped"), validate=True)
        outer = header["outer"]
        if (header["installation"], header["series"], header["format"]) != (installation, id, FORMAT):
            raise PieceBroken(name=name)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PieceBroken(name=name) from None
    try:
        return Series(place, installation, id, keys.named(outer).unwrap(wrapped, _context(header)))
    except SealBroken:
        raise PieceBroken(name=name) from None


def ids(place: Place) -> dict[str, list[str]]:
    """Series by installation, oldest first, finished or not."""
    found: dict[str, list[str]] = {}
    for name in place.names(""):
        parts = name.split("/")
        if len(parts) == 3 and parts[2] == HEADER:
            found.setdefault(parts[0], []).append(parts[1])
    return {installation: sorted(series) for installation, series in found.items()}


def installation_digest(identifier: str) -> str:
    """The name of an installation in a place: made of its database's system identifier, which `initdb` draws and every copy keeps."""
    return hashlib.sha256(f"openward installation\0{identifier}".encode()).hexdigest()[:16]


def segments(first: str, last: str) -> Iterator[str]:
    """The names of the log segments from `first` to `last`, of one timeline."""
    for number in range(_position(first), _position(last) + 1):
        yield f"{first[:8]}{number // SEGMENTS_PER_LOG:08X}{number % SEGMENTS_PER_LOG:08X}"


def after(segment: str) -> str:
    """The segment after this one."""
    number = _position(segment) + 1
    return f"{segment[:8]}{number // SEGMENTS_PER_LOG:08X}{number % SEGMENTS_PER_LOG:08X}"


def _position(segment: str) -> int:
    return int(segment[8:16], 16) * SEGMENTS_PER_LOG + int(segment[16:24], 16)


def _context(header: dict[str, Any]) -> bytes:
    return b"openward backup series\0" + json.dumps(header, sort_keys=True).encode()


def _mark_name(number: int) -> str:
    return f"marks/{number:06d}"


def _written(fact: Base | Mark) -> bytes:
    return json.dumps(asdict(fact)).encode()


def _read(content: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(content)
    return found


def _mark(facts: dict[str, Any]) -> Mark:
    return Mark(**{**facts, "files": [StoredFile(**one) for one in facts["files"]]})
