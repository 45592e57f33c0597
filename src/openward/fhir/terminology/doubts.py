"""Codes of a resource that their code system does not have, and names it does not give them. No binding asks for it, so it is advice.

https://hl7.org/fhir/R4/validation.html, https://hl7.org/fhir/R4/datatypes.html#Coding
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from openward.fhir.errors import Issue
from openward.fhir.terminology.protocol import Terminology
from openward.fhir.validation.advice import elements

AMOUNTS = frozenset({"Quantity", "Age", "Count", "Distance", "Duration"})
R4 = "4.0.1"
MOST = 500
"""Different codes of one resource that are looked up; what is beyond is not looked at."""

Coded = tuple[str, str, str | None, str | None]


def doubts(resource: dict[str, Any], terminology: Terminology) -> list[Issue]:
    """Warnings for a resource that is sound, each with its place. Raises FhirPathTooCostly."""
    known: dict[Coded, list[Issue]] = {}
    found: list[Issue] = []
    for place, coded in _codes(resource):
        if coded not in known:
            if len(known) >= MOST:
                break
            known[coded] = _doubt(coded, terminology)
        found += [replace(one, diagnostics=f"{place}: {one.diagnostics}", expression=place) for one in known[coded]]
    return found


def _codes(resource: dict[str, Any]) -> Iterator[tuple[str, Coded]]:
    for element in elements(resource):
        value, is_coding = element.value, element.type == "Coding"
        if (is_coding or element.type in AMOUNTS) and "system" in value and "code" in value:
            version, display = (value.get("version"), value.get("display")) if is_coding else (None, None)
            yield element.place, (value["system"], value["code"], version, display)


def _doubt(coded: Coded, terminology: Terminology) -> list[Issue]:
    system, code, version, display = coded
    answer = terminology.validate_code(system, code, version=version, display=display)
    if answer.issues and version is None and terminology.validate_code(system, code, version=R4, display=display).result:
        return []  # where HL7 has changed a code system since, what R4 itself published is right too
    return [replace(one, severity="warning") for one in answer.issues]
