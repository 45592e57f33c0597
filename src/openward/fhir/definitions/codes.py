"""The codes of required bindings. https://hl7.org/fhir/R4/terminologies.html#required"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from openward.fhir.definitions.package_data import load


@cache
def _tables() -> Mapping[str, Any]:
    return load("codes")


@cache
def codes_by_system(value_set: str) -> Mapping[str, frozenset[str]] | None:
    """System → codes of a value set; None when it is open (media types, UCUM units) or not bound anywhere as required."""
    table = _tables().get(value_set)
    return MappingProxyType({system: frozenset(codes) for system, codes in table.items()}) if table else None


@cache
def codes(value_set: str) -> frozenset[str] | None:
    """The codes alone, as elements of type `code` carry them; None as above."""
    systems = codes_by_system(value_set)
    return frozenset().union(*systems.values()) if systems else None
