"""What XML needs to know of a type's elements: their order, and how each is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from openward.fhir.definitions import is_primitive, structure

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"

Kind = Literal["attribute", "primitive", "complex", "resource", "xhtml"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a JSON key stands in XML. `index` is its rank among its siblings; `key` is the element's name, for a choice with its type."""

    index: int
    key: str
    kind: Kind
    type: str
    is_many: bool


@cache
def places(type: str) -> Mapping[str, Place]:
    """JSON key → its place; `_birthDate` stands where `birthDate` does. KeyError when R4 has no such type."""
    definition = structure(type)
    found: dict[str, Place] = {}
    for index, element in enumerate(definition.elements.values()):
        for key, stated in element.keys.items():
            found[key] = place = Place(index, key, _kind(definition.kind == "resource", type, key, stated), stated, element.is_many)
            if place.kind == "primitive":
                found["_" + key] = place
    return found


def _kind(is_resource: bool, type: str, key: str, stated: str) -> Kind:
    """https://hl7.org/fhir/R4/xml.html: `id` of an element and `url` of an extension are attributes."""
    if (key == "id" and not is_resource) or (key == "url" and type == "Extension"):
        return "attribute"
    if stated in ("Resource", "xhtml"):
        return "resource" if stated == "Resource" else "xhtml"
    return "primitive" if is_primitive(stated) else "complex"
