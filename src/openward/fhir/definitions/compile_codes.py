"""Value sets of required bindings → `{value set: {system: [codes]}}`. Sets without a closed expansion (media types, UCUM, LOINC answers) are left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

OPEN = {"http://hl7.org/fhir/StructureDefinition/valueset-toocostly", "http://hl7.org/fhir/StructureDefinition/valueset-unclosed"}


def compile(structures: dict[str, Any], value_sets: list[dict[str, Any]]) -> dict[str, Any]:
    wanted = {row[7] for _, _, rows in structures["structures"].values() for row in rows if len(row) == 8}
    return {v["url"]: _by_system(v["expansion"]) for v in sorted(value_sets, key=lambda v: str(v["url"])) if v["url"] in wanted and _is_closed(v)}


def _is_closed(value_set: dict[str, Any]) -> bool:
    expansion = value_set.get("expansion", {})
    return bool(expansion.get("contains")) and not any(x["url"] in OPEN for x in expansion.get("extension", []))


def _by_system(expansion: dict[str, Any]) -> dict[str, list[str]]:
    systems: dict[str, list[str]] = {}
    for entry in _entries(expansion):
        if not entry.get("abstract"):
            systems.setdefault(entry["system"], []).append(entry["code"])
    return systems


def _entries(parent: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in parent.get("contains", ()):
        yield entry
        yield from _entries(entry)
