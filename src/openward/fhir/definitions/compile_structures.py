"""StructureDefinition snapshots → rows `[name, min, max (0 = *), types, flags, targets, canonicals, binding]`. https://hl7.org/fhir/R4/elementdefinition.html"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openward.fhir.definitions.structures import CHOICE, MODIFIER, SUMMARY

BASE = "http://hl7.org/fhir/StructureDefinition/"
EXTENSION_REGEX = BASE + "regex"
EXTENSION_MOST = BASE + "elementdefinition-maxValueSet"
EXTENSION_TYPE = BASE + "structuredefinition-fhir-type"
# 4.0.1 declares Resource.id a string; the specification's text and every server treat it as an id.
TYPES_MISSTATED = {"id": "id"}


def base_definitions(definitions: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that define a type: not profiles, not logical models."""
    return [d for d in definitions if d.get("derivation") != "constraint" and d["kind"] != "logical"]


def compile(definitions: list[dict[str, Any]]) -> dict[str, Any]:
    structures: dict[str, Any] = {}
    for definition in definitions:
        if definition["kind"] != "primitive-type":
            structures |= _structures(definition)
    primitives = {d["name"]: _primitive(d) for d in definitions if d["kind"] == "primitive-type"}
    return {"structures": dict(sorted(structures.items())), "primitives": dict(sorted(primitives.items()))}


def _base_name(definition: dict[str, Any]) -> str | None:
    return definition["baseDefinition"].rsplit("/", 1)[1] if "baseDefinition" in definition else None


def _primitive(definition: dict[str, Any]) -> list[Any]:
    value = next(e for e in definition["snapshot"]["element"] if e["path"].endswith(".value"))
    extensions = value["type"][0].get("extension", [])
    pattern = next((x["valueString"] for x in extensions if x["url"] == EXTENSION_REGEX), None)
    return [_base_name(definition), pattern]


def _structures(definition: dict[str, Any]) -> dict[str, Any]:
    """The type itself and each of its backbone elements."""
    root, *elements = definition["snapshot"]["element"]
    name = root["path"]
    kind = "resource" if definition["kind"] == "resource" else "complex"
    parents = {e["path"].rsplit(".", 1)[0] for e in elements}
    made: dict[str, Any] = {name: [kind, _base_name(definition), []]}
    for element in elements:
        parent, own = element["path"].rsplit(".", 1)
        if element["path"] in parents:
            made[element["path"]] = ["backbone", element["type"][0]["code"], []]
        made[parent][2].append(_row(element, own, element["path"] in parents, kind))
    return made


def _row(element: dict[str, Any], own: str, is_backbone: bool, kind: str) -> list[Any]:
    types = [element["path"]] if is_backbone else _types(element, kind == "resource" and element["path"].count(".") == 1)
    flags = CHOICE * own.endswith("[x]") + MODIFIER * bool(element.get("isModifier")) + SUMMARY * bool(element.get("isSummary"))
    most = 0 if element["max"] == "*" else int(element["max"])
    row = [
        own.removesuffix("[x]"),
        element["min"],
        most,
        types,
        flags,
        _targets(element, "Reference"),
        _targets(element, "canonical"),
        _bound(element.get("binding", {})) or None,
    ]
    while not row[-1] and len(row) > 5:
        row.pop()
    return row


def _bound(binding: dict[str, Any]) -> str:
    """The value set whose codes nothing may leave: of a required binding, or the most that a preferred or extensible one allows."""
    most = next((x["valueCanonical"] for x in binding.get("extension", []) if x["url"] == EXTENSION_MOST), "")
    return str(binding.get("valueSet", "") if binding.get("strength") == "required" else most).split("|")[0]


def _types(element: dict[str, Any], is_resource_element: bool) -> list[str]:
    if "contentReference" in element:
        return [element["contentReference"].rsplit("#", 1)[1]]
    return [_type(element, type, is_resource_element) for type in element["type"]]


def _type(element: dict[str, Any], type: dict[str, Any], is_resource_element: bool) -> str:
    name = element["path"].rsplit(".", 1)[1]
    if is_resource_element and name in TYPES_MISSTATED:
        return TYPES_MISSTATED[name]
    for extension in type.get("extension", []):
        if extension["url"] == EXTENSION_TYPE:
            return str(extension["valueUrl"])
    return str(type["code"])


def _targets(element: dict[str, Any], code: str) -> list[str]:
    profiles = [p for t in element.get("type", []) if t["code"] == code for p in t.get("targetProfile", [])]
    names = [p.rsplit("/", 1)[1] for p in profiles]
    return [] if "Resource" in names else names
