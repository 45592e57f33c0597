"""Search parameters and compartments of each resource type. https://hl7.org/fhir/R4/searchparameter-registry.html"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, Literal

from openward.fhir.definitions.package_data import load
from openward.fhir.definitions.paths import Path, Step, parse
from openward.fhir.definitions.structures import structure

SearchType = Literal["number", "date", "string", "token", "reference", "composite", "quantity", "uri", "special"]

MODIFIERS: Mapping[str, tuple[str, ...]] = {
    "number": ("missing",),
    "date": ("missing",),
    "string": ("missing", "exact", "contains", "text"),
    "token": ("missing", "text", "not", "above", "below", "in", "not-in", "of-type"),
    "reference": ("missing", "type", "identifier", "above", "below"),
    "composite": ("missing",),
    "quantity": ("missing",),
    "uri": ("missing", "above", "below"),
    "special": (),
}
"""https://hl7.org/fhir/R4/search.html#modifiers; `type` stands for the name of any resource type."""

PREFIXES: Mapping[str, tuple[str, ...]] = dict.fromkeys(("number", "date", "quantity"), ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"))

# What an extension's value[x] may be for each kind of parameter that reaches into extensions.
EXTENSION_VALUES: Mapping[str, tuple[str, ...]] = {
    "token": ("CodeableConcept", "Coding", "Identifier", "code", "boolean", "string", "id", "uri"),
    "string": ("string", "markdown", "HumanName", "Address", "CodeableConcept"),
    "reference": ("Reference", "canonical", "uri"),
    "date": ("date", "dateTime", "instant", "Period"),
    "quantity": ("Quantity", "Money", "Age", "Duration"),
    "number": ("decimal", "integer", "positiveInt", "unsignedInt"),
    "uri": ("uri", "url", "canonical", "oid", "uuid"),
}


@dataclass(frozen=True)
class Component:
    """One part of a composite; its paths start at the composite's group, or at the resource when `Path.from_resource`."""

    code: str
    type: SearchType
    expression: str
    group: str

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        return parse(self.expression, self.group)


@dataclass(frozen=True)
class SearchParameter:
    """A search parameter as it applies to one resource type.

    `expression` holds only this type's alternatives; "" means the parameter has none (`_text`, `_content`, `_filter`, `_query`).
    For a composite, `paths` lead to its groups.
    """

    base: str
    code: str
    type: SearchType
    expression: str
    url: str
    targets: tuple[str, ...]
    components: tuple[Component, ...]

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        return tuple(value for path in parse(self.expression, self.base) for value in extension_values(path, self.type))

    @property
    def modifiers(self) -> tuple[str, ...]:
        return MODIFIERS[self.type]

    @property
    def prefixes(self) -> tuple[str, ...]:
        return PREFIXES.get(self.type, ())

    @property
    def is_indexed(self) -> bool:
        return bool(self.expression)


def extension_values(path: Path, type: str) -> tuple[Path, ...]:
    """The path, or where it ends in an extension the paths to what a parameter of this type can find there."""
    if path.datatype != "Extension":
        return (path,)
    keys = structure("Extension").elements["value"].keys
    wanted = EXTENSION_VALUES[type]
    return tuple(replace(path, steps=(*path.steps, Step(key)), datatype=datatype) for key, datatype in keys.items() if datatype in wanted)


@cache
def _tables() -> Mapping[str, Any]:
    return load("searches")


@cache
def search_parameters(type: str) -> Mapping[str, SearchParameter]:
    """The parameters of a resource type by code, the ones of every type (`_id`, `_lastUpdated`, …) among them."""
    return MappingProxyType({row[0]: _parameter(type, row) for row in _tables()["parameters"][type]})


def _parameter(base: str, row: list[Any]) -> SearchParameter:
    code, type, expression, name, targets, components = row + [(), ()][len(row) - 4 :]
    group = _group(expression, base) if components else base
    parsed = tuple(Component(name, kind, part, group) for name, kind, part in components)
    return SearchParameter(base, code, type, expression, f"http://hl7.org/fhir/SearchParameter/{name}", tuple(targets), parsed)


def _group(expression: str, base: str) -> str:
    """The type a composite's components start at: the resource, or one of its backbone elements or data types."""
    paths = parse(expression, base)
    return paths[0].datatype if paths else base


@cache
def compartment(name: str) -> Mapping[str, tuple[str, ...]]:
    """Resource type → codes of the search parameters that put it in compartment `name` (Patient, Encounter, Practitioner …)."""
    return MappingProxyType({type: tuple(codes) for type, codes in _tables()["compartments"][name].items()})


@cache
def patient_paths(type: str) -> tuple[Path, ...]:
    """Where a resource names the patients whose compartment it is in; only references to a Patient count.

    A Patient is in its own compartment besides. https://hl7.org/fhir/R4/compartmentdefinition-patient.html
    """
    parameters = search_parameters(type)
    paths = [path for code in compartment("Patient").get(type, ()) if code in parameters for path in parameters[code].paths]
    return tuple(dict.fromkeys(replace(path, target="Patient") for path in paths))
