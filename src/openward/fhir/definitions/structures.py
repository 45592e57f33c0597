"""Types and elements of FHIR R4 4.0.1, as https://hl7.org/fhir/R4/structuredefinition.html states them.

A backbone element is a type of its own, named by its path: `Patient.contact`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, Literal

from openward.fhir.definitions.package_data import load

Kind = Literal["resource", "complex", "backbone", "primitive"]

CHOICE, MODIFIER, SUMMARY = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type.

    `name` is the JSON key, or its stem for a choice (`value` for `value[x]`); `max` is None when there is no upper bound.
    `targets` are the resource types a Reference may point at, empty when any may be. `binding` names the value set whose
    codes nothing may leave (see `codes`): of a required binding, or the most that another allows (maxValueSet).
    """

    name: str
    min: int
    max: int | None
    types: tuple[str, ...]
    targets: tuple[str, ...] = ()
    canonicals: tuple[str, ...] = ()
    binding: str | None = None
    is_choice: bool = False
    is_modifier: bool = False
    is_summary: bool = False

    @property
    def is_many(self) -> bool:
        return self.max is None or self.max > 1

    @property
    def keys(self) -> Mapping[str, str]:
        """JSON key → data type: one entry, or one per type of a choice (`valueQuantity` → `Quantity`)."""
        if not self.is_choice:
            return {self.name: self.types[0]}
        return {self.name + type[0].upper() + type[1:]: type for type in self.types}


@dataclass(frozen=True)
class Structure:
    """A resource type, data type or backbone element with its elements in the specification's order."""

    name: str
    kind: Kind
    base: str | None
    elements: Mapping[str, Element]

    @cached_property
    def by_key(self) -> Mapping[str, tuple[Element, str]]:
        """JSON key → its element and data type, choices under each of their concrete keys."""
        return {key: (element, type) for element in self.elements.values() for key, type in element.keys.items()}


@dataclass(frozen=True, slots=True)
class Primitive:
    """A primitive type: the pattern its text must match, and its parent (`id` → `string`)."""

    name: str
    base: str | None
    pattern: str | None


@cache
def _tables() -> Mapping[str, Any]:
    return load("structures")


@cache
def structure(name: str) -> Structure:
    """The structure of a resource, complex type or backbone element; KeyError when R4 has none of that name."""
    kind, base, rows = _tables()["structures"][name]
    return Structure(name, kind, base, MappingProxyType({row[0]: _element(row) for row in rows}))


def _element(row: list[Any]) -> Element:
    name, least, most, types, flags, *rest = row
    targets, canonicals, binding = rest + [(), (), None][len(rest) :]
    return Element(
        name, least, most or None, tuple(types), tuple(targets), tuple(canonicals), binding,
        bool(flags & CHOICE), bool(flags & MODIFIER), bool(flags & SUMMARY),
    )  # fmt: skip


def element(type: str) -> Mapping[str, Element]:
    """The elements of a type by name, choices under their stem."""
    return structure(type).elements


def has_structure(name: str) -> bool:
    return name in _tables()["structures"]


def structure_names() -> tuple[str, ...]:
    return tuple(_tables()["structures"])


def is_primitive(name: str) -> bool:
    return name in _tables()["primitives"]


@cache
def primitive(name: str) -> Primitive:
    base, pattern = _tables()["primitives"][name]
    return Primitive(name, base, pattern)


def primitive_names() -> tuple[str, ...]:
    return tuple(_tables()["primitives"])
