"""Where a page ended, signed, so that what comes back is what was sent and belongs to the same search."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from openward.fhir.errors import BadRequest

SIGNATURE = 16  # bytes

SELECT_KEY = "select value from fhir.secret where name = 'cursor'"
MAKE_KEY = "insert into fhir.secret (name, value) values ('cursor', %s) on conflict do nothing"

_keys: WeakKeyDictionary[Connection[Any], bytes] = WeakKeyDictionary()


class BadCursor(BadRequest):
    """This page address is not one this server gave out for this search."""


def key_of(connection: Connection[Any]) -> bytes:
    """The database's own key; read once a connection. A database without one gets it now."""
    if connection not in _keys:
        cursor = Cursor(connection, row_factory=tuple_row)
        row = cursor.execute(SELECT_KEY).fetchone()
        if row is None:
            cursor.execute(MAKE_KEY, (secrets.token_bytes(32),))
            row = cursor.execute(SELECT_KEY).fetchone()
            return bytes(row[0]) if row else b""
        _keys[connection] = bytes(row[0])
    return _keys[connection]


def sign(key: bytes, search: Sequence[Any], position: Sequence[str]) -> str:
    """`position`: the sort keys, as text, of the last row sent. `search`: what the cursor is good for."""
    payload = json.dumps(list(position), separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(_signature(key, search, payload) + payload).decode().rstrip("=")


def read(key: bytes, search: Sequence[Any], cursor: str, length: int) -> list[str]:
    """The position in `cursor`. Raises BadCursor for what `sign` did not make, and for a cursor of another search."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raise BadCursor from None
    signature, payload = raw[:SIGNATURE], raw[SIGNATURE:]
    if not hmac.compare_digest(signature, _signature(key, search, payload)):
        raise BadCursor
    position: list[str] = json.loads(payload)
    if len(position) != length:
        raise BadCursor
    return position


def _signature(key: bytes, search: Sequence[Any], payload: bytes) -> bytes:
    scope = json.dumps(search, separators=(",", ":")).encode()
    return blake2b(len(scope).to_bytes(4, "big") + scope + payload, key=key, digest_size=SIGNATURE).digest()
