"""Binary as what it holds: taken from a body of any other type, and given to whoever asks for anything but FHIR.

https://hl7.org/fhir/R4/binary.html#rest. In both directions piece by piece: besides its base64 no second copy is held.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from openward.fhir.errors import Malformed
from openward.fhir.http.media import UnsupportedMediaType
from openward.fhir.http.request import Request
from openward.fhir.http.response import Response, validators
from openward.fhir.versions import Version

PIECE = 3 * 2**16  # bytes at once; three bytes are four letters of base64
MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]{1,127}/[\w!#$&^.+-]{1,127}(?:\s*;[\x20-\x7e]{0,200})?", re.ASCII)
SECURITY_CONTEXT = "X-Security-Context"
# What a client stored must not act as a page of this server.
HARMLESS = {"Content-Security-Policy": "sandbox; default-src 'none'"}


class _Held(msgspec.Struct):
    """What of a Binary its raw form needs."""

    contentType: str = "application/octet-stream"  # FHIR's own name
    data: str = ""
    securityContext: dict[str, Any] = {}


def taken(request: Request) -> dict[str, Any]:
    """A raw body as the Binary it is to be. Raises UnsupportedMediaType, TooCostly."""
    media_type = request.content_type.strip()
    if not MEDIA_TYPE.fullmatch(media_type):
        raise UnsupportedMediaType("A Binary needs to say of which type it is.")
    resource: dict[str, Any] = {"resourceType": "Binary", "contentType": media_type}
    context = request.header(SECURITY_CONTEXT)
    if context:
        resource["securityContext"] = {"reference": request.relative(context.strip())}
    data = "".join(_encoded(request.pieces(PIECE)))
    if not data:
        raise Malformed("The body is empty.")
    request.usual_preference = "minimal"  # nobody who sends a file wants it back
    return {**resource, "data": data}


def native(version: Version) -> Response:
    """The content itself, of the type it says it is."""
    held = msgspec.json.decode(version.text or "{}", type=_Held)
    data = "".join(held.data.split())  # of which no copy is made where nothing is between the letters
    headers = {**validators(version), **HARMLESS}
    headers["Content-Type"] = held.contentType if MEDIA_TYPE.fullmatch(held.contentType) else "application/octet-stream"
    headers["Content-Length"] = str(len(data) * 3 // 4 - data[-2:].count("="))
    context = held.securityContext.get("reference")
    if isinstance(context, str) and context.isprintable() and context.isascii():
        headers[SECURITY_CONTEXT] = context
    return Response(200, headers=headers, chunks=_decoded(data), shown=version)


def _encoded(pieces: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for piece in pieces:
        whole = rest + piece
        end = len(whole) - len(whole) % 3
        rest = whole[end:]
        yield base64.b64encode(whole[:end]).decode("ascii")
    yield base64.b64encode(rest).decode("ascii")


def _decoded(data: str) -> Iterator[bytes]:
    letters = PIECE // 3 * 4
    for start in range(0, len(data), letters):
        yield base64.b64decode(data[start : start + letters])
