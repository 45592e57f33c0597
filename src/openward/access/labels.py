"""Sensitivity labels: what they are called, by which token search finds them, and which codes fall under them by rule. The list is data.

https://hl7.org/fhir/R4/security-labels.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from openward.fhir.search.token import token_hash

ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
RELABEL = "relabel"
"""Beside the labels' own codes, what a Clearance may give: the right to change labels."""

REMEMBERED = 10_000  # codes of a practice, and the labels that fall on each

# Where the codes of a type stand that a rule looks at. Not appointments and visits: who works with the waiting room, the board and what is fed in from
# laboratories must find them, whatever their reason; one that is to be hidden is labelled by hand.
CODED: Mapping[str, tuple[str, ...]] = {
    "Condition": ("code",),
    "Observation": ("code", "valueCodeableConcept", "component.code", "component.valueCodeableConcept"),
    "Procedure": ("code", "reasonCode"),
    "DiagnosticReport": ("code", "conclusionCode"),
    "ServiceRequest": ("code", "reasonCode"),
    "MedicationRequest": ("medicationCodeableConcept", "contained.code", "reasonCode"),
    "MedicationStatement": ("medicationCodeableConcept", "contained.code", "reasonCode"),
    "MedicationDispense": ("medicationCodeableConcept", "contained.code"),
    "MedicationAdministration": ("medicationCodeableConcept", "contained.code", "reasonCode"),
    "CarePlan": ("category", "activity.detail.code", "activity.detail.reasonCode"),
    "CareTeam": ("category", "reasonCode"),
    "Goal": ("description",),
    "Flag": ("code",),
    "ImagingStudy": ("procedureCode", "reasonCode"),
    "DocumentReference": ("type", "category", "context.event"),
    "Composition": ("type", "event.code", "section.code"),
    "ChargeItem": ("code", "reason"),
    "Claim": ("diagnosis.diagnosisCodeableConcept", "procedure.procedureCodeableConcept", "item.productOrService"),
    "ExplanationOfBenefit": ("diagnosis.diagnosisCodeableConcept", "procedure.procedureCodeableConcept", "item.productOrService"),
    "ClaimResponse": ("addItem.productOrService",),
}

# What is about something else: it has the labels of what these name, as they are when it is written.
INHERITED: Mapping[str, tuple[str, ...]] = {
    "Claim": ("diagnosis.diagnosisReference",),
    "ExplanationOfBenefit": ("claim", "diagnosis.diagnosisReference"),
    "ClaimResponse": ("request",),
}
PARENTS = frozenset({"Condition", "Claim"})


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


@dataclass(frozen=True, slots=True)
class Rules:
    """Which codes fall under which label: whole codes by system and code, beginnings of codes by system."""

    exact: Mapping[tuple[str, str], frozenset[str]]
    starts: Mapping[str, tuple[tuple[str, str], ...]]

    @classmethod
    def of(cls, found: Iterable[tuple[str, str, str, bool]]) -> Rules:
        """From (label, system, code, whether it is the beginning of codes)."""
        exact: dict[tuple[str, str], set[str]] = {}
        starts: dict[str, list[tuple[str, str]]] = {}
        for label, system, code, is_start in found:
            if is_start:
                starts.setdefault(system, []).append((code, label))
            else:
                exact.setdefault((system, code), set()).add(label)
        return cls({place: frozenset(labels) for place, labels in exact.items()}, {system: tuple(each) for system, each in starts.items()})

    def __bool__(self) -> bool:
        return bool(self.exact or self.starts)

    def labels(self, system: str, code: str) -> frozenset[str]:
        whole = self.exact.get((system, code), frozenset())
        starts = self.starts.get(system)
        return whole | {label for start, label in starts if code.startswith(start)} if starts else whole


_data = json.loads(files("openward.access").joinpath("content/labels.json").read_text(encoding="utf-8"))
LABELS: Mapping[str, Label] = {one["code"]: Label(one.get("system", ACT_CODE), one["code"], one["title"], one["sentence"]) for one in _data["labels"]}
_BY_CODING: Mapping[tuple[str, str], str] = {(label.system, label.code): label.code for label in LABELS.values()}


def _shipped() -> Iterator[tuple[str, str, str, bool]]:
    for rule in _data["rules"]:
        yield from ((rule["label"], rule["system"], code, False) for code in rule.get("codes", ()))
        yield from ((rule["label"], rule["system"], start, True) for start in rule.get("starts", ()))


SHIPPED: tuple[tuple[str, str, str, bool], ...] = tuple(_shipped())
"""The rules Openward comes with: label, system, code, whether it is the beginning of codes."""
RULES = Rules.of(SHIPPED)
shipped_labels = lru_cache(REMEMBERED)(RULES.labels)
NO_MORE = Rules({}, {})


def labels_of(resource: Mapping[str, Any]) -> frozenset[str]:
    """The codes of the sensitivity labels the resource has; labels of other systems are not the policy's."""
    security = (resource.get("meta") or {}).get("security")
    if not security:
        return frozenset()
    return frozenset(known for one in security if (known := _BY_CODING.get((one.get("system", ""), one.get("code", "")))))


def implied(resource: Mapping[str, Any], more: Rules = NO_MORE) -> frozenset[str]:
    """The labels that fall on the resource by rule, for what it is coded as. `more`: the house's own rules."""
    places = CODED.get(resource.get("resourceType", ""))
    if places is None:
        return frozenset()
    found: set[str] = set()
    has_more = bool(more)
    for place in places:
        for concept in _at(resource, place):
            for coding in concept.get("coding", ()):
                system, code = coding.get("system", ""), coding.get("code", "")
                found |= shipped_labels(system, code)
                if has_more:
                    found |= more.labels(system, code)
    return frozenset(found)


def parents_of(resource: Mapping[str, Any]) -> frozenset[str]:
    """The references (`Condition/x`) whose labels the resource inherits."""
    places = INHERITED.get(resource.get("resourceType", ""))
    if places is None:
        return frozenset()
    named = (str(one.get("reference") or "") for place in places for one in _at(resource, place))
    return frozenset(name for name in named if name.partition("/")[0] in PARENTS and "/" in name)


def _at(value: Any, place: str) -> Iterator[Any]:
    """The objects at a path of element names, lists opened."""
    name, _, rest = place.partition(".")
    found = value.get(name)
    for one in found if isinstance(found, list) else (found,):
        if isinstance(one, dict):
            if rest:
                yield from _at(one, rest)
            else:
                yield one
