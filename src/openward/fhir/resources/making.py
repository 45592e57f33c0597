"""Makes a view class from its structure when it is first asked for."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from functools import cache
from typing import Any

from openward.fhir.definitions import Element, Structure, structure
from openward.fhir.definitions.structures import structure_names
from openward.fhir.resources.extras import EXTRAS, FIELDS
from openward.fhir.resources.fields import Choice, Field, Many, One
from openward.fhir.resources.view import View

TAKEN = {"data"}
TAKEN_BY_RESOURCES = {"reference"}


def attribute_name(element: str, owner: Structure) -> str:
    """The attribute an element is reached by: its own name unless Python or the view keeps that word."""
    is_taken = element in TAKEN or (owner.kind == "resource" and element in TAKEN_BY_RESOURCES)
    return element + "_" if is_taken or keyword.iskeyword(element) else element


def class_name(type: str) -> str:
    """`Patient.contact` → `PatientContact`."""
    return "".join(part[0].upper() + part[1:] for part in type.split("."))


@cache
def class_names() -> Mapping[str, str]:
    """Class name → type."""
    return {class_name(type): type for type in structure_names()}


def view_class(name: str) -> Any:
    """The class of that name; KeyError when R4 has no such type."""
    return view_of(class_names()[name])


@cache
def view_of(name: str) -> Any:
    """The class of a resource type, data type or backbone element."""
    definition = structure(name)
    parent = view_of(definition.base) if definition.base else View
    body: dict[str, Any] = {"__slots__": (), "__module__": "openward.fhir.resources", "TYPE": name}
    if definition.kind == "resource":
        body["resourceType"] = name
    return type(class_name(name), (*EXTRAS.get(name, ()), parent), body | fields(definition) | FIELDS.get(name, {}))


def own_elements(definition: Structure) -> list[Element]:
    """Those the type does not inherit as they are."""
    inherited = structure(definition.base).elements if definition.base else {}
    return [element for element in definition.elements.values() if inherited.get(element.name) != element]


def fields(definition: Structure) -> dict[str, Field]:
    made: dict[str, Field] = {}
    for element in own_elements(definition):
        made |= _fields_of(element, attribute_name(element.name, definition))
    return made


def _fields_of(element: Element, name: str) -> dict[str, Field]:
    if element.is_choice:
        keys = tuple(element.keys)
        concrete = {key: One(key, type, siblings=keys) for key, type in element.keys.items()}
        return {name: Choice(name, tuple(concrete.values())), **concrete}
    return {name: (Many if element.is_many else One)(element.name, element.types[0])}
