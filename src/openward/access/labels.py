"""Sensitivity labels: what they are called, by which token search finds them, and which codes fall under them by rule. The list is data.

https://hl7.org/fhir/R4/security-labels.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from openward.fhir.search.token import token_hash

ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
RELABEL = "relabel"
"""Beside the labels' own codes, what a Clearance may give: the right to change labels."""

# Where the codes of a type stand that a rule looks at.
CODED: Mapping[str, tuple[str, ...]] = {
    "Condition": ("code",),
    "Observation": ("code", "valueCodeableConcept"),
    "Procedure": ("code", "reasonCode"),
    "DiagnosticReport": ("code", "conclusionCode"),
    "ServiceRequest": ("code", "reasonCode"),
    "MedicationRequest": ("medicationCodeableConcept", "reasonCode"),
    "MedicationStatement": ("medicationCodeableConcept", "reasonCode"),
    "MedicationDispense": ("medicationCodeableConcept",),
    "MedicationAdministration": ("medicationCodeableConcept", "reasonCode"),
}


@dataclass(frozen=True, slots=True)
class Label:
    """One sensitivity label. `code` names it everywhere in Openward; `token` is its hash in `fhir.current.tok`."""

    system: str
    code: str
    title: str
    sentence: str

    @property
    def token(self) -> int:
        return token_hash("_security", self.system, self.code)

    @property
    def coding(self) -> dict[str, str]:
        return {"system": self.system, "code": self.code, "display": self.title}


_data = json.loads(files("openward.access").joinpath("content/labels.json").read_text(encoding="utf-8"))
LABELS: Mapping[str, Label] = {one["code"]: Label(one.get("system", ACT_CODE), one["code"], one["title"], one["sentence"]) for one in _data["labels"]}
_BY_CODING: Mapping[tuple[str, str], str] = {(label.system, label.code): label.code for label in LABELS.values()}
_EXACT: dict[tuple[str, str], set[str]] = {}
_STARTS: dict[str, list[tuple[str, str]]] = {}
for _rule in _data["rules"]:
    for _code in _rule.get("codes", ()):
        _EXACT.setdefault((_rule["system"], _code), set()).add(_rule["label"])
    for _start in _rule.get("starts", ()):
        _STARTS.setdefault(_rule["system"], []).append((_start, _rule["label"]))


def labels_of(resource: Mapping[str, Any]) -> frozenset[str]:
    """The codes of the sensitivity labels the resource has; labels of other systems are not the policy's."""
    security = (resource.get("meta") or {}).get("security")
    if not security:
        return frozenset()
    return frozenset(known for one in security if (known := _BY_CODING.get((one.get("system", ""), one.get("code", "")))))


def implied(resource: Mapping[str, Any]) -> frozenset[str]:
    """The labels that fall on the resource by rule, for what it is coded as."""
    places = CODED.get(resource.get("resourceType", ""))
    if places is None:
        return frozenset()
    return frozenset(label for place in places for coding in _codings(resource.get(place)) for label in _ruled(*coding))


def _codings(value: Any) -> Iterator[tuple[str, str]]:
    for concept in value if isinstance(value, list) else (value,):
        for coding in (concept or {}).get("coding", ()):
            yield coding.get("system", ""), coding.get("code", "")


@cache
def _known_systems() -> frozenset[str]:
    return frozenset(_STARTS) | {system for system, _ in _EXACT}


def _ruled(system: str, code: str) -> frozenset[str]:
    if system not in _known_systems():
        return frozenset()
    found = set(_EXACT.get((system, code), ()))
    found.update(label for start, label in _STARTS.get(system, ()) if code.startswith(start))
    return frozenset(found)
