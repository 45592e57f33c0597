"""A FHIR request as it came over HTTP: where to, with what, and what the client wants back.

https://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from functools import cache, cached_property, lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from openward.fhir.bundles.entries import version_named
from openward.fhir.errors import BadRequest, TooCostly
from openward.fhir.http.media import USUAL, Format, NotAcceptable, UnsupportedMediaType, asked_by_accept, asked_by_format, sent_format, wants_native
from openward.fhir.json import loads
from openward.fhir.patch import MEDIA_TYPES, Patch, patch_by_fhirpath, patch_of
from openward.fhir.references import make_relative
from openward.fhir.search.query import SHORT
from openward.fhir.xml import from_xml

MAX_BODY = 64 * 1024 * 1024
# A value of two letters takes a hundred bytes of memory once it is read: a large body is counted before it is.
LARGE = 2**20
MAX_VALUES = 5_000_000
MAX_PARAMETERS = 1000
CROWDING = (b",", b"{", b"[", b"<")
READING = frozenset({"GET", "HEAD"})
ANYTHING = frozenset({None, "", "*/*"})
FORM = "application/x-www-form-urlencoded"
BEHIND = "Something stands behind the end of the gzip body, which is taken as one member."
OWN_PARAMETERS = frozenset({"_format", "_pretty"})


class Request:
    """One request; `segments` are what follows the base in the path, decoded. `format` is the one the answer goes out in."""

    format: Format = "json"
    usual_preference = "representation"

    def __init__(self, environ: Mapping[str, Any], base: str, limit: int = MAX_BODY) -> None:
        self.environ = environ
        self.base = base
        self.limit = limit
        self.method: str = environ["REQUEST_METHOD"]
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        text = path if path.isascii() else path.encode("latin-1").decode("utf-8", "replace")
        self.segments: tuple[str, ...] = tuple([part for part in text.removeprefix(base).split("/") if part])
        self._query: list[tuple[str, str]] | None = None if environ.get("QUERY_STRING") else []
        self._form: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        """The absolute address of the base, such as `https://clinic.example/fhir`."""
        host = self.environ.get("HTTP_HOST") or f"{self.environ['SERVER_NAME']}:{self.environ['SERVER_PORT']}"
        return f"{self.environ['wsgi.url_scheme']}://{host}{self.base}"

    @property
    def query(self) -> list[tuple[str, str]]:
        if self._query is None:
            self._query = []  # for the answer that says what is wrong with it
            self._query = _pairs(self.environ["QUERY_STRING"])
        return self._query

    @cached_property
    def parameters(self) -> list[tuple[str, str]]:
        """The query, and for a form its fields, without what only concerns the answer's form. A `_format` among the fields settles `format`."""
        if self.media_type == FORM:
            self._form = _pairs(self.read().decode("utf-8", "replace"))
            for name, value in self._form:
                if name == "_format" and value:
                    self.format = asked_by_format(value)
        return [(name, value) for name, value in [*self.query, *self._form] if name not in OWN_PARAMETERS]

    @property
    def form(self) -> list[tuple[str, str]]:
        """What the parameters say of the answer's form. https://hl7.org/fhir/R4/http.html#parameters"""
        return [pair for pair in (*self.query, *self._form) if pair[0] in OWN_PARAMETERS]

    @property
    def condition(self) -> str:
        """The query string as a search condition; BadRequest when there is none."""
        text = "&".join(part for part in self.environ.get("QUERY_STRING", "").split("&") if unquote(part.partition("=")[0]) not in OWN_PARAMETERS)
        if not text:
            raise BadRequest(f"{self.method} of a whole type needs a condition.")
        return text

    @property
    def media_type(self) -> str:
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def has_resource(self) -> bool:
        """Whether a body that is not a form was sent, be it in chunks, of which nobody has told the length."""
        if self.media_type == FORM:
            return False
        return self.environ.get("CONTENT_LENGTH", "0") not in ("", "0") or "chunked" in (self.header("Transfer-Encoding") or "").lower()

    @property
    def headers(self) -> dict[str, str]:
        """Every header of the request, names in lower case, with `-`."""
        return {name[5:].replace("_", "-").lower(): value for name, value in self.environ.items() if name.startswith("HTTP_")}

    def header(self, name: str) -> str | None:
        return self.environ.get(_variable(name))

    @property
    def if_match(self) -> int | None:
        return version_named(self.header("If-Match"))

    @property
    def if_none_match(self) -> int | None:
        """The version a write says must not be there."""
        return version_named(self.header("If-None-Match"), "If-None-Match")

    @cached_property
    def preferences(self) -> dict[str, str]:
        """What the Prefer headers say: `return`, `handling`, `respond-async` (its value empty) and so on; of two alike the first holds.

        https://www.rfc-editor.org/rfc/rfc7240
        """
        said: dict[str, str] = {}
        for part in (self.header("Prefer") or "").replace(",", ";").split(";"):
            name, _, value = part.partition("=")
            said.setdefault(name.strip().lower(), value.strip().strip('"'))
        return said

    @property
    def preference(self) -> str:
        """minimal, representation or OperationOutcome; what is usual unless the client says otherwise."""
        said = self.preferences.get("return", "")
        return said if said in ("minimal", "representation", "OperationOutcome") else self.usual_preference

    @property
    def is_strict(self) -> bool:
        return "HTTP_PREFER" in self.environ and self.preferences.get("handling") == "strict"

    @property
    def is_async(self) -> bool:
        """Whether the client would rather be told where to ask for the answer than wait for it."""
        return "respond-async" in self.preferences

    @property
    def is_pretty(self) -> bool:
        return any(name == "_pretty" and value != "false" for name, value in [*self.query, *self._form])

    def holds(self, etag: str, modified: Any) -> bool:
        """Whether the client already has this version (If-None-Match, compared weakly; else If-Modified-Since)."""
        tags = self.header("If-None-Match")
        if tags is not None:
            return tags.strip() == "*" or etag.removeprefix("W/") in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        since = self.header("If-Modified-Since")
        return since is not None and _is_by(modified, since)

    def check_accept(self) -> None:
        """Settle `format`: what `_format` says, else Accept, else what the body came in. Raises NotAcceptable."""
        wanted = [value for name, value in self.query if name == "_format" and value]
        if wanted:
            self.format = asked_by_format(wanted[-1])
            return
        accept = self.header("Accept")
        if accept and accept not in USUAL:
            found = asked_by_accept(accept)
            if found is None and self.segments[:1] != ("Binary",):
                raise NotAcceptable()
            self.format = found or "json"
        elif self.method not in READING and accept in ANYTHING:
            self.format = sent_format(self.content_type) or "json"

    @property
    def wants_native(self) -> bool:
        """Whether a Binary is to go out as what it holds."""
        accept = self.header("Accept")
        return bool(accept) and accept not in USUAL and wants_native(accept or "") and not any(name == "_format" for name, _ in self.query)

    @property
    def content_type(self) -> str:
        return str(self.environ.get("CONTENT_TYPE") or "")

    def body(self) -> dict[str, Any]:
        """The resource sent, as parsed JSON; references by this server's own address become relative ones.

        Raises UnsupportedMediaType, TooCostly, Malformed.
        """
        sent = sent_format(self.content_type)
        if sent is None:
            raise UnsupportedMediaType()
        data = self.read()
        resource = loads(data) if sent == "json" else from_xml(data)
        own = f"{self.url}/"
        if own.encode() in data or b"\\/" in data:
            make_relative(resource, own)
        return resource

    def patch(self) -> Patch:
        """The patch sent. Raises UnsupportedMediaType, TooCostly, Malformed."""
        if sent_format(self.content_type):
            return patch_by_fhirpath(self.body())
        if self.media_type not in MEDIA_TYPES:
            raise UnsupportedMediaType(f"A patch is sent as {', '.join(MEDIA_TYPES)}, application/fhir+json or application/fhir+xml.")
        return patch_of(self.media_type, self.read())

    def relative(self, reference: str) -> str:
        """A reference by this server's own address, as one relative to it."""
        return reference.removeprefix(f"{self.url}/")

    def pieces(self, size: int) -> Iterator[bytes]:
        """The body, unpacked, at most about `size` bytes at once. Raises TooCostly as soon as it is longer than it may be."""
        encoding = (self.header("Content-Encoding") or "identity").lower()
        if encoding not in ("identity", "gzip"):
            raise UnsupportedMediaType()
        unpacking = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
        length = 0
        for piece in self._sent(size):
            for plain in _unpacked_pieces(unpacking, piece, size) if unpacking else (piece,):
                length += len(plain)
                if length > self.limit:
                    raise TooCostly(f"The body is larger than the {self.limit:,} bytes this server takes.")
                yield plain
        if unpacking and not unpacking.eof:
            raise BadRequest("The gzip body is cut short.")

    def _sent(self, size: int) -> Iterator[bytes]:
        declared = self.environ.get("CONTENT_LENGTH") or ""
        left = int(declared) if declared.isdigit() else self.limit + 1
        if left > self.limit + 1:
            raise TooCostly(f"The body is larger than the {self.limit:,} bytes this server takes.")
        while left > 0 and (piece := self.environ["wsgi.input"].read(min(size, left))):
            left -= len(piece)
            yield piece

    def read(self) -> bytes:
        """The body, unpacked; refused by its declared length before a byte is read, and by its real one while reading."""
        declared = self.environ.get("CONTENT_LENGTH") or ""
        if declared.isdigit() and int(declared) > self.limit:
            raise TooCostly(f"The body is larger than the {self.limit:,} bytes this server takes.")
        data = self.environ["wsgi.input"].read(int(declared) if declared.isdigit() else self.limit + 1)
        encoding = (self.header("Content-Encoding") or "identity").lower()
        if encoding == "gzip":
            data = unpacked(data, self.limit)
        elif encoding != "identity":
            raise UnsupportedMediaType()
        if len(data) > self.limit:
            raise TooCostly(f"The body is larger than the {self.limit:,} bytes this server takes.")
        if len(data) > LARGE and sum(map(data.count, CROWDING)) > MAX_VALUES:
            raise TooCostly(f"The body holds more than {MAX_VALUES:,} values.")
        return bytes(data)


def _is_by(modified: dt.datetime, date: str) -> bool:
    """Whether it is no later than a date of HTTP's, which is in GMT also where it does not say so. What is no date conditions nothing.

    https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
    """
    try:
        moment = parsedate_to_datetime(date)
        return modified.replace(microsecond=0) <= (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC))
    except (ValueError, TypeError, OverflowError):
        return False


@cache
def _variable(header: str) -> str:
    """The name under which WSGI hands a header over. Only for names that stand in this program."""
    return "HTTP_" + header.upper().replace("-", "_")


def unpacked(data: bytes, limit: int) -> bytes:
    """gzip, unpacked to at most `limit` bytes, so that a small body cannot become a huge one."""
    unpacking = zlib.decompressobj(wbits=31)
    try:
        plain = unpacking.decompress(data, limit + 1)
    except zlib.error as error:
        raise BadRequest("The body is not valid gzip.") from error
    if len(plain) > limit:
        raise TooCostly(f"The body unpacks to more than the {limit:,} bytes this server takes.")
    if not unpacking.eof:
        raise BadRequest("The gzip body is cut short.")
    if unpacking.unused_data:
        raise BadRequest(BEHIND)
    return plain


def _unpacked_pieces(unpacking: Any, packed: bytes, size: int) -> Iterator[bytes]:
    while packed:
        if unpacking.eof:
            raise BadRequest(BEHIND)
        try:
            yield unpacking.decompress(packed, size)
        except zlib.error as error:
            raise BadRequest("The body is not valid gzip.") from error
        packed = unpacking.unconsumed_tail or unpacking.unused_data


def _pairs(text: str) -> list[tuple[str, str]]:
    if text.count("&") >= MAX_PARAMETERS:
        raise BadRequest(f"The query has more than {MAX_PARAMETERS:,} parameters.")
    if "%00" in text or "\0" in text:
        raise BadRequest("A parameter contains the character NUL.")
    return [pair for part in text.split("&") for pair in (_remembered if len(part) <= SHORT else _pair)(part)]


def _pair(part: str) -> list[tuple[str, str]]:
    """Name and value of one parameter; none of nothing."""
    return parse_qsl(part, keep_blank_values=True)


_remembered = lru_cache(maxsize=4096)(_pair)  # most requests have but one parameter that is new
