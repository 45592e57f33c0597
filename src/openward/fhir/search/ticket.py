"""Where a page starts, and of which search: one opaque text that is the whole of a `next` link.

It is sealed with the database's own key by AES-SIV (https://www.rfc-editor.org/rfc/rfc5297), so that nobody can read what was searched for in it, or
make or change one.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from openward.fhir.errors import FhirError, TooCostly
from openward.fhir.search.cursor import BadCursor

TAG = 16  # bytes that AES-SIV puts before what it seals
WORTH_PACKING = 1000  # bytes; to pack less takes longer than all else here
GOOD_FOR = dt.timedelta(days=1)
LONGEST = 64_000  # characters of a ticket, and bytes it may unpack to times four: an address of more is read by no web server


class Expired(FhirError):
    """This page address has expired: search anew."""

    status = 410
    code = "not-found"


@dataclass(frozen=True, slots=True)
class Ticket:
    """`params`: the search as it was understood. `position`: the sort keys, as text, of the last row sent; empty before the first page."""

    params: Sequence[tuple[str, str]]
    position: Sequence[str]


def seal(key: bytes, address: Sequence[Any], ticket: Ticket, at: dt.datetime | None = None) -> str:
    """The ticket as text for a URL. `address`: the tenant and what was searched; it opens nowhere else. `at`: when the search was begun.

    Raises TooCostly where it would be too long for one.
    """
    moment = int((at or dt.datetime.now(dt.UTC)).timestamp())
    plain = msgspec.json.encode([moment, ticket.params, ticket.position])
    packed = zlib.compress(plain) if len(plain) > WORTH_PACKING else plain
    sealed = _cipher(key).encrypt(packed, [msgspec.json.encode(address)])
    text = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
    if len(text) > LONGEST or len(plain) > LONGEST * 4:
        raise TooCostly("This search is too long for an address of its next page: ask for fewer values at once, or for a larger _count.")
    return text


def unseal(key: bytes, address: Sequence[Any], text: str, now: dt.datetime | None = None) -> Ticket:
    """Raises BadCursor for what `seal` did not make for this address, Expired for what it made too long ago."""
    packed = _opened(key, address, text)
    plain = packed if packed.startswith(b"[") else zlib.decompressobj().decompress(packed, LONGEST * 4)
    moment, params, position = json.loads(plain)
    if (now or dt.datetime.now(dt.UTC)) - dt.datetime.fromtimestamp(moment, dt.UTC) > GOOD_FOR:
        raise Expired
    return Ticket([(name, value) for name, value in params], position)


def _opened(key: bytes, address: Sequence[Any], text: str) -> bytes:
    try:
        raw = base64.b64decode((text + "=" * (-len(text) % 4)).encode("ascii"), altchars=b"-_", validate=True)
    except (ValueError, UnicodeEncodeError):
        raise BadCursor from None
    if len(text) > LONGEST * 4 or len(raw) <= TAG:
        raise BadCursor
    try:
        return _cipher(key).decrypt(raw, [msgspec.json.encode(address)])
    except InvalidTag:
        raise BadCursor from None


@lru_cache(maxsize=8)
def _cipher(key: bytes) -> AESSIV:
    """AES-256-SIV takes 64 bytes, which are this purpose's alone."""
    return AESSIV(HKDF(SHA512(), 64, salt=None, info=b"openward page address").derive(key))
