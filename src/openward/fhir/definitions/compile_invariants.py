"""Constraints of StructureDefinitions → rows `[key, is error, sentence, FHIRPath, element]` by type. https://hl7.org/fhir/R4/conformance-rules.html#constraints

A constraint stands with the type that states it; what derives from the type inherits it. `element` names the child a constraint is about,
where the child's type is not its own (`Organization.address`: the rule is of Organization's addresses, not of Address).
"""

from __future__ import annotations

from typing import Any


def compile(definitions: list[dict[str, Any]], structures: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, list[list[Any]]] = {}
    for definition in definitions:
        for element in definition["snapshot"]["element"]:
            for constraint in element.get("constraint", []):
                if "expression" in constraint and constraint.get("source", definition["url"]) == definition["url"]:
                    _add(made, element["path"], constraint, structures["structures"])
    return {type: sorted(rows) for type, rows in sorted(made.items())}


def _add(made: dict[str, list[list[Any]]], path: str, constraint: dict[str, Any], structures: dict[str, Any]) -> None:
    row = [constraint["key"], int(constraint["severity"] == "error"), constraint["human"], constraint["expression"]]
    if path in structures:
        made.setdefault(path, []).append(row)
    elif "." in path:
        parent, own = path.rsplit(".", 1)
        made.setdefault(parent, []).append([*row, own.removesuffix("[x]")])
