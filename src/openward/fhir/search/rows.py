"""Rows of fhir.body as versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openward.fhir.definitions import type_name
from openward.fhir.sealing.bodies import opened_in_part
from openward.fhir.versions import Version

COLUMNS = "b.rtype, b.id, b.rkey, b.ver, b.ts, b.op, b.patient, b.body"


def version_of(row: Sequence[Any]) -> Version:
    """Raises Locked."""
    return version_in_part(row).whole


def version_in_part(row: Sequence[Any]) -> Version:
    """The same, with whatever of it opens."""
    rtype, id, key, number, at, op, patient, text = row[:8]
    text, locked = opened_in_part(text) if text is not None else (None, None)
    return Version(type_name(rtype), id or str(key), key, number, at, op, patient, text, locked)
