from __future__ import annotations

import pytest

from openward.fhir.errors import BadRequest
from tests.fhir.search.shelf import Shelf

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"


def _concept(code: str) -> dict[str, object]:
    return {"coding": [{"system": LOINC, "code": code}]}


def _mmhg(value: int) -> dict[str, object]:
    return {"value": value, "system": UCUM, "code": "mm[Hg]"}


def _pressure(id: str, systolic: int, diastolic: int) -> dict[str, object]:
    parts = [{"code": _concept(code), "valueQuantity": _mmhg(value)} for code, value in (("8480-6", systolic), ("8462-4", diastolic))]
    return {"resourceType": "Observation", "id": id, "status": "final", "code": _concept("85354-9"), "component": parts}


RESOURCES = [
    _pressure("high", 160, 95),
    _pressure("crossed", 90, 160),
    {"resourceType": "Observation", "id": "alone", "status": "final", "code": _concept("8480-6"), "valueQuantity": _mmhg(150)},
    {"resourceType": "Observation", "id": "blood", "status": "final", "code": _concept("883-9"), "valueCodeableConcept": _concept("LA19710-5")},
    {"resourceType": "Observation", "id": "words", "status": "final", "code": _concept("1"), "valueString": "Clear Yellow"},
    {"resourceType": "Observation", "id": "odd", "status": "final", "code": {"coding": [{"system": "urn:a|b", "code": "c,d"}]}, "valueString": "up, or $5"},
    {"resourceType": "Observation", "id": "when", "status": "final", "code": _concept("2"), "valueDateTime": "2020-05-05"},
    {"resourceType": "DocumentReference", "id": "new", "status": "current", "content": [{"attachment": {}}],
     "relatesTo": [{"code": "replaces", "target": {"reference": "DocumentReference/old"}}, {"code": "appends", "target": {"reference": "DocumentReference/other"}}]},
    {"resourceType": "Group", "id": "adults", "type": "person", "actual": False,
     "characteristic": [{"code": _concept("sex"), "valueCodeableConcept": _concept("female"), "exclude": False}, {"code": _concept("smoker"), "valueBoolean": True, "exclude": False}]},
    {"resourceType": "MolecularSequence", "id": "seq", "coordinateSystem": 0, "referenceSeq": {"chromosome": _concept("1"), "windowStart": 100, "windowEnd": 200}},
]  # fmt: skip

CASES = {
    f"Observation?component-code-value-quantity={LOINC}|8480-6$gt150": {"high"},
    f"Observation?component-code-value-quantity={LOINC}|8480-6$lt100|{UCUM}|mm[Hg]": {"crossed"},
    "Observation?component-code-value-quantity=8462-4$160": {"crossed"},
    f"Observation?component-code-value-quantity={LOINC}|8480-6$gt1||kPa": set(),
    f"Observation?combo-code-value-quantity={LOINC}|8480-6$ge150": {"high", "alone"},
    f"Observation?code-value-quantity={LOINC}|8480-6$150": {"alone"},
    f"Observation?code-value-concept={LOINC}|883-9${LOINC}|LA19710-5": {"blood"},
    "Observation?code-value-string=1$clear": {"words"},
    r"Observation?code-value-string=urn:a\|b|c\,d$up\, or \$5": {"odd"},
    "Observation?code-value-date=2$2020": {"when"},
    "Observation?component-code-value-quantity:missing=true": {"alone", "blood", "words", "odd", "when"},
    "Observation?code-value-quantity:missing=false": {"alone"},
    "DocumentReference?relationship=replaces$DocumentReference/old": {"new"},
    "DocumentReference?relationship=appends$DocumentReference/old": set(),
    "DocumentReference?relationship=replaces$old": {"new"},
    "Group?characteristic-value=sex$female": {"adults"},
    "Group?characteristic-value=sex$true": set(),
    "Group?characteristic-value=smoker$true": {"adults"},
    "MolecularSequence?chromosome-window-coordinate=1$lt120$gt150": {"seq"},
    "MolecularSequence?chromosome-window-coordinate=1$gt120$gt150": set(),
}


@pytest.mark.parametrize(("query", "expected"), CASES.items(), ids=CASES.keys())
def test_a_composite_matches_values_of_one_group(full_shelf: Shelf, query: str, expected: set[str]) -> None:
    assert set(full_shelf.ids(query)) == expected


def test_a_composite_needs_all_its_parts(full_shelf: Shelf) -> None:
    with pytest.raises(BadRequest, match=r"takes .*\$.*"):
        full_shelf.search("Observation?code-value-quantity=5")
