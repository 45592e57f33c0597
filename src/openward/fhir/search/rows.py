"""Rows of fhir.body as versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openward.fhir.definitions import type_name
from openward.fhir.sealing.bodies import in_clear
from openward.fhir.versions import Version

COLUMNS = "b.rtype, b.id, b.rkey, b.ver, b.ts, b.op, b.patient, b.body"


def version_of(row: Sequence[Any]) -> Version:
    """Raises Locked."""
    rtype, id, key, number, at, op, patient, text = row[:8]
    return Version(type_name(rtype), id or str(key), key, number, at, op, patient, in_clear(text))
