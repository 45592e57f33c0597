"""What FHIR R4 4.0.1 says about its types, search parameters, compartments and required codes, as lazily loaded facts."""

from __future__ import annotations

from openward.fhir.definitions.codes import codes, codes_by_system
from openward.fhir.definitions.extraction import extract, extractor
from openward.fhir.definitions.paths import Path, Step
from openward.fhir.definitions.resource_types import RESOURCE_TYPES
from openward.fhir.definitions.searches import Component, SearchParameter, compartment, patient_paths, search_parameters
from openward.fhir.definitions.structures import Element, Primitive, Structure, element, has_structure, is_primitive, primitive, structure

__all__ = [
    "RESOURCE_TYPES", "Component", "Element", "Path", "Primitive", "SearchParameter", "Step", "Structure", "codes", "codes_by_system",
    "compartment", "element", "extract", "extractor", "has_structure", "is_primitive", "is_resource_type", "patient_paths", "primitive",
    "search_parameters", "structure", "type_name", "type_number",
]  # fmt: skip

_NUMBERS = {name: number for number, name in enumerate(RESOURCE_TYPES)}


def is_resource_type(name: object) -> bool:
    return name in _NUMBERS


def type_number(name: str) -> int:
    """The number the store keys a resource type by; KeyError when R4 has no such type."""
    return _NUMBERS[name]


def type_name(number: int) -> str:
    return RESOURCE_TYPES[number]
