"""Rows of fhir.body as versions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from openward.fhir.definitions import type_name
from openward.fhir.packed import EPOCH
from openward.fhir.sealing.bodies import opened_in_part
from openward.fhir.versions import Version

COLUMNS = "b.rtype, b.id, b.rkey, b.ver, b.ts, b.op, b.patient, b.body"
RTYPE, ID, KEY, NUMBER, AT, OP, PATIENT, BODY = range(8)

number = int.from_bytes  # of the bytes that PostgreSQL sends, the first of which counts most


def version_of(row: Sequence[Any]) -> Version:
    """Raises Locked."""
    return version_in_part(row).whole


def version_in_part(row: Sequence[Any]) -> Version:
    """The same, with whatever of it opens."""
    rtype, id, key, number, at, op, patient, text = row[:8]
    text, locked = opened_in_part(text) if text is not None else (None, None)
    return Version(type_name(rtype), id or str(key), key, number, at, op, patient, text, locked)


def version_sent(sent: Callable[[int, int], Any], row: int) -> Version:
    """The same of a row in PostgreSQL's binary form; `sent` gives the bytes of a row's column.

    https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-FORMAT-CODES
    """
    id, patient, body = sent(row, ID), sent(row, PATIENT), sent(row, BODY)
    key, name = _key(sent(row, KEY))
    text, locked = opened_in_part(body.decode()) if body is not None else (None, None)
    return Version(
        type_name(number(sent(row, RTYPE))),
        id.decode() if id is not None else name,
        key,
        number(sent(row, NUMBER)),
        EPOCH + dt.timedelta(microseconds=number(sent(row, AT), signed=True)),
        sent(row, OP).decode(),
        _key(patient)[0] if patient is not None else None,
        text,
        locked,
    )


@lru_cache(maxsize=4096)
def _key(sent: bytes) -> tuple[UUID, str]:
    """The key, and its text: a patient's is met with everything that is theirs."""
    key = UUID(bytes=sent)
    return key, str(key)
