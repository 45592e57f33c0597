"""The rules of R4's types that are stated as FHIRPath. https://hl7.org/fhir/R4/conformance-rules.html#constraints"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from openward.fhir.definitions.package_data import load
from openward.fhir.definitions.structures import has_structure, structure


@dataclass(frozen=True, slots=True)
class Invariant:
    """`expression` must be true of each `element` of the type, or of the type itself; without `is_error` it is advice."""

    key: str
    is_error: bool
    sentence: str
    expression: str
    element: str | None = None


@cache
def _table() -> Mapping[str, Any]:
    return load("invariants")


@cache
def own_invariants(type: str) -> tuple[Invariant, ...]:
    """Those the type states itself."""
    return tuple(Invariant(row[0], bool(row[1]), *row[2:]) for row in _table().get(type, ()))


def invariants(type: str) -> tuple[Invariant, ...]:
    """Those of a resource, complex type or backbone element, and of what it derives from."""
    found: list[Invariant] = []
    name: str | None = type
    while name is not None and has_structure(name):
        found += own_invariants(name)
        name = structure(name).base
    return tuple(found)


def constrained_types() -> tuple[str, ...]:
    return tuple(_table())
