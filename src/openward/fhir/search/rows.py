"""Rows of fhir.body as versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openward.fhir.definitions import type_name
from openward.fhir.json import dumps
from openward.fhir.sealing.bodies import in_clear, in_part
from openward.fhir.sealing.port import Locked
from openward.fhir.versions import Version

COLUMNS = "b.rtype, b.id, b.rkey, b.ver, b.ts, b.op, b.patient, b.body"


def version_of(row: Sequence[Any]) -> Version:
    """Raises Locked."""
    return version_in_part(row).whole


def version_in_part(row: Sequence[Any]) -> Version:
    """The same, with whatever of it opens."""
    rtype, id, key, number, at, op, patient, text = row[:8]
    locked: Locked | None = None
    try:
        text = in_clear(text)
    except Locked as trouble:
        text, locked = dumps(in_part(text)).decode(), trouble
    return Version(type_name(rtype), id or str(key), key, number, at, op, patient, text, locked)
