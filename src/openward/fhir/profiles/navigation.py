"""Discriminator paths: the few steps of FHIRPath that slicing allows. https://hl7.org/fhir/R4/profiling.html#discriminator

`$this`, `code.coding`, `resolve().code`, `extension('url').value`, `value.ofType(Quantity)`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from openward.fhir.definitions import has_structure, structure
from openward.fhir.profiles.run import Run
from openward.fhir.profiles.values import Collect, Value, collector, type_of

STEP = re.compile(
    r"\s*(?:(?P<this>\$this)|(?P<resolve>resolve\(\))|extension\(\s*['\"](?P<url>[^'\"]+)['\"]\s*\)|(?:ofType|as)\(\s*(?P<type>[\w.]+)\s*\)"
    r"|(?P<name>[A-Za-z_]\w*)(?:\[x\])?)\s*(?:\.|$)"
)

Kind = Literal["name", "resolve", "extension", "type"]


class Unreadable(ValueError):
    """The path of a discriminator has a step that slicing does not allow."""


@dataclass(frozen=True, slots=True)
class Step:
    kind: Kind
    text: str = ""


def steps(path: str) -> tuple[Step, ...]:
    """Raises Unreadable."""
    found: list[Step] = []
    position = 0
    while position < len(path):
        match = STEP.match(path, position)
        if match is None:
            raise Unreadable(path)
        position = match.end()
        for kind, group in (("name", "name"), ("extension", "url"), ("type", "type"), ("resolve", "resolve")):
            if match[group] is not None:
                found.append(Step(kind, match[group]))  # type: ignore[arg-type]
    return tuple(found)


def follow(values: list[Value], path: tuple[Step, ...], run: Run) -> list[Value]:
    """The values at the end of the path."""
    for step in path:
        values = [found for value in values for found in _taken(value, step, run)]
    return values


def _taken(value: Value, step: Step, run: Run) -> list[Value]:
    if step.kind == "name":
        return _children(value, step.text)
    if step.kind == "type":
        return [value] if value.type == step.text else []
    if step.kind == "extension":
        return [one for one in _children(value, "extension") if one.value.get("url") == step.text]
    return _resolved(value, run)


def _children(value: Value, name: str) -> list[Value]:
    collect = _collector(value.type, name)
    return collect(value.data) if collect is not None else []


_COLLECTORS: dict[tuple[str, str], Collect | None] = {}


def _collector(type: str, name: str) -> Collect | None:
    known = _COLLECTORS.get((type, name), ...)
    if known is ...:
        of = type if has_structure(type) else "Element"
        element = structure(of).elements.get(name)
        known = _COLLECTORS[type, name] = collector(element) if element is not None else None
    return known


def _resolved(value: Value, run: Run) -> list[Value]:
    literal: Any = value.value.get("reference") if isinstance(value.value, dict) else value.value
    resource = run.resolve(literal) if isinstance(literal, str) else None
    return [] if resource is None else [Value(None, resource, None, type_of(resource, "Resource"))]
