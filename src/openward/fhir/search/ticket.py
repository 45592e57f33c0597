"""Where a page starts, and of which search: one opaque text that is the whole of a `next` link.

It is sealed with the database's own key, so that nobody can read what was searched for in it, or make or change one. The seal is a synthetic IV
over BLAKE2b (https://www.rfc-editor.org/rfc/rfc7693): the keyed hash of the content is both the proof and the nonce of the key stream, which is
SHAKE256 (https://doi.org/10.6028/NIST.FIPS.202).
"""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b, shake_256
from typing import Any

import msgspec

from openward.fhir.errors import FhirError
from openward.fhir.search.cursor import BadCursor

SEAL = 24  # bytes
WORTH_PACKING = 1000  # bytes; to pack less takes longer than all else here
GOOD_FOR = dt.timedelta(days=1)
LONGEST = 64_000  # characters of a ticket, and bytes it may unpack to times four


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
    """The ticket as text for a URL. `address`: the tenant and what was searched; it opens nowhere else. `at`: when the search was begun."""
    moment = int((at or dt.datetime.now(dt.UTC)).timestamp())
    plain = msgspec.json.encode([moment, ticket.params, ticket.position])
    packed = zlib.compress(plain) if len(plain) > WORTH_PACKING else plain
    proof = _proof(key, address, packed)
    return base64.urlsafe_b64encode(proof + _mixed(key, proof, packed)).decode().rstrip("=")


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
    if len(text) > LONGEST * 4 or len(raw) <= SEAL:
        raise BadCursor
    proof, mixed = raw[:SEAL], raw[SEAL:]
    packed = _mixed(key, proof, mixed)
    if not hmac.compare_digest(proof, _proof(key, address, packed)):
        raise BadCursor
    return packed


def _proof(key: bytes, address: Sequence[Any], packed: bytes) -> bytes:
    scope = msgspec.json.encode(address)
    return blake2b(len(scope).to_bytes(4, "big") + scope + packed, key=key, person=b"page-proof", digest_size=SEAL).digest()


def _mixed(key: bytes, proof: bytes, data: bytes) -> bytes:
    """The data XOR a key stream that only this key and this proof give; doing it twice gives the data back."""
    stream = shake_256(key + proof).digest(len(data))
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")
