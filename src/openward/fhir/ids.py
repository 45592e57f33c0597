"""Resource ids: what a client may call a resource, and the key the tables hold it by.

https://hl7.org/fhir/R4/datatypes.html#id
"""

from __future__ import annotations

import re
import secrets
import time
from functools import lru_cache
from uuid import NAMESPACE_URL, UUID, uuid5

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
CANONICAL_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

_RECORD = uuid5(NAMESPACE_URL, "urn:openward:record")


def is_id(text: object) -> bool:
    return isinstance(text, str) and ID.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def key(type: str, id: str) -> UUID:
    """The key of `type/id`. A UUID in its canonical text is its own key; any other id maps by UUIDv5 within its type, for ever."""
    if _is_canonical(id):
        return UUID(id)
    return uuid5(_namespace(type), id)


def stored_id(id: str) -> str | None:
    """What the `id` column holds: nothing when the key already says it."""
    return None if _is_canonical(id) else id


def _is_canonical(id: str) -> bool:
    return len(id) == 36 and CANONICAL_UUID.fullmatch(id) is not None


def new_id() -> str:
    """A UUIDv7: ids made later sort later, so that new rows land together. https://www.rfc-editor.org/rfc/rfc9562#section-5.7"""
    nanoseconds = time.time_ns()
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    fraction = rest * 4096 // 1_000_000
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(UUID(int=value))


@lru_cache(maxsize=256)
def _namespace(type: str) -> UUID:
    return uuid5(_RECORD, type)
