"""SearchParameters → rows per resource type, each with only its own part of the expression. https://hl7.org/fhir/R4/searchparameter.html"""

from __future__ import annotations

import re
from typing import Any

# The specification's example parameters would shadow real ones (`example` redefines `_id`).
EXAMPLES = re.compile(r"example(-|$)")
# Expressions that do not say what the parameter's own description does.
MISSTATED = {
    "DateTime": "dateTime",
    "http://hl7.org/fhir/StructureDefinition/patient-extensions-Patient-mothersMaidenName": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName",
}
# DocumentReference.relationship names its two components the wrong way round.
SWAPPED = {
    ("DocumentReference-relatesto", "code"): "DocumentReference-relation",
    ("DocumentReference-relation", "target"): "DocumentReference-relatesto",
}


def compile(parameters: list[dict[str, Any]], compartments: list[dict[str, Any]], types: list[str]) -> dict[str, Any]:
    real = [p for p in parameters if not EXAMPLES.match(p["id"])]
    codes = {p["url"]: (p["code"], p["type"]) for p in real}
    rows: dict[str, list[Any]] = {name: [] for name in types}
    for parameter in sorted(real, key=lambda p: str(p["code"])):
        for base in _bases(parameter, types):
            rows[base].append(_row(parameter, base, codes))
    return {"parameters": rows, "compartments": {c["code"]: _compartment(c) for c in compartments if not EXAMPLES.match(c["id"])}}


def _bases(parameter: dict[str, Any], types: list[str]) -> list[str]:
    bases = parameter.get("base", [])
    if "Resource" in bases:
        return types
    if "DomainResource" in bases:
        return [t for t in types if t not in ("Binary", "Bundle", "Parameters")]
    return [base for base in bases if base in types]


def _row(parameter: dict[str, Any], base: str, codes: dict[str, tuple[str, str]]) -> list[Any]:
    expression = split(correct(parameter.get("expression", "")), base)
    components = [_component(c, codes) for c in parameter.get("component", [])]
    url = parameter["url"].rsplit("/", 1)[1]
    row = [parameter["code"], parameter["type"], expression, url, parameter.get("target", []), components]
    while not row[-1] and len(row) > 4:
        row.pop()
    return row


def _component(component: dict[str, Any], codes: dict[str, tuple[str, str]]) -> list[str]:
    prefix, name = component["definition"].rsplit("/", 1)
    name = SWAPPED.get((name, component["expression"]), name)
    return [*codes[f"{prefix}/{name}"], correct(component["expression"])]


def correct(expression: str) -> str:
    for wrong, right in MISSTATED.items():
        expression = expression.replace(wrong, right)
    return expression


def split(expression: str, base: str) -> str:
    """The alternatives of a union that start at `base` or at what it inherits from, or name no type at all."""
    roots = (base, "Resource", "DomainResource")
    parts = [part.strip() for part in expression.split("|")]
    starts = [re.split(r"[.\s)]", part.lstrip("("), maxsplit=1)[0] for part in parts]
    return " | ".join(part for part, start in zip(parts, starts, strict=True) if start in roots or start[:1].islower())


def _compartment(definition: dict[str, Any]) -> dict[str, list[str]]:
    return {r["code"]: r["param"] for r in definition["resource"] if r.get("param")}
