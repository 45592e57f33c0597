"""What R4 only warns of: best practice that a sound resource may leave undone. https://hl7.org/fhir/R4/conformance-rules.html#constraints"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from openward.fhir.definitions.structures import has_structure, structure
from openward.fhir.errors import Issue
from openward.fhir.fhirpath.compiler import closure
from openward.fhir.fhirpath.context import BUDGET, Context
from openward.fhir.fhirpath.model import Node, type_of
from openward.fhir.fhirpath.parser import parse
from openward.fhir.validation.invariants import Rule, advice

EVERYTHING = closure(parse("$this | descendants()"))


def advise(resource: dict[str, Any]) -> list[Issue]:
    """The warnings for a resource that `validate` finds sound, each with its place; they refuse nothing. Raises FhirPathTooCostly."""
    found: list[Issue] = []
    for element in elements(resource):
        for sentence, is_broken in _rules(element.type):
            if is_broken(element.value):
                found.append(Issue("invariant", f"{element.place}: {sentence}", element.place, severity="warning"))
    return found


@dataclass(frozen=True, slots=True)
class Element:
    """An object in a resource, of the data type `type`."""

    value: dict[str, Any]
    type: str
    node: Node

    @property
    def place(self) -> str:
        return _place(self.node)


def elements(resource: dict[str, Any]) -> Iterator[Element]:
    """The resource and every object in it, however deep. Raises FhirPathTooCostly."""
    origin = [(resource, type_of(resource), None, None, None, None)]
    for node in EVERYTHING(origin, Context(origin, origin, origin, {}, BUDGET)):
        if node[0].__class__ is dict:
            yield Element(node[0], node[1].name, node)


@cache
def _rules(type: str) -> tuple[Rule, ...]:
    return advice(type) if type else ()


def _place(node: Node) -> str:
    """`Patient.contact[0].name`; a value in a choice under its stem."""
    parent, key = node[3], node[4]
    if parent is None:
        return node[1].name
    known = structure(parent[1].name).by_key.get(key) if key and has_structure(parent[1].name) else None
    index = "" if node[5] is None else f"[{node[5]}]"
    return f"{_place(parent)}.{known[0].name if known else key}{index}"
