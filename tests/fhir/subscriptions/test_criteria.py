"""What a subscription takes for a match is what search takes for one: the same queries over the same resources, asked both ways."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from openward.fhir.search.index import extract
from openward.fhir.store import Store
from openward.fhir.subscriptions.criteria import compiled

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"


def observation(id: str, code: str, value: str, unit: str, at: str, **rest: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": "Patient/ada"},
        "effectiveDateTime": at,
        "valueQuantity": {"value": Decimal(value), "unit": unit, "system": UCUM, "code": unit},
        **rest,
    }


LAB = {"category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}]}
RESOURCES: list[dict[str, Any]] = [
    {
        "resourceType": "Patient",
        "id": "ada",
        "active": True,
        "gender": "female",
        "birthDate": "1980-02-03",
        "name": [{"family": "Okafor", "given": ["Ada", "María"]}],
        "identifier": [{"system": "urn:a", "value": "7"}],
        "telecom": [{"system": "phone", "value": "+1 (555) 010-0999"}, {"system": "email", "value": "Ada@Clinic.example"}],
        "address": [{"city": "Ærø", "postalCode": "12345"}],
        "meta": {"tag": [{"system": "urn:t", "code": "x"}]},
    },
    {
        "resourceType": "Patient",
        "id": "ben",
        "active": False,
        "birthDate": "1980",
        "identifier": [{"value": "7"}, {"value": "a|b,c"}],
        "name": [{"text": "Ben O'Brien"}],
    },
    {"resourceType": "Patient", "id": "cy", "deceasedDateTime": "2020-01-01"},
    {"resourceType": "Practitioner", "id": "doc"},
    observation("glucose", "2339-0", "5.4", "mmol/L", "2026-11-03T09:30:00Z", **LAB),
    observation("weight", "29463-7", "100", "kg", "2026-11-03", performer=[{"reference": "Practitioner/doc"}]),
    observation("old", "29463-7", "99.6", "kg", "2019", status="amended"),
    {
        "resourceType": "Observation",
        "id": "bare",
        "status": "preliminary",
        "code": {"text": "mood"},
        "effectivePeriod": {"start": "2026-11-01", "end": "2026-11-05"},
        "subject": {"reference": "Patient/ben"},
    },
    {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"}, "subject": {"reference": "Patient/ada"}},
    {"resourceType": "Encounter", "id": "f", "status": "planned", "class": {"code": "IMP"}},
    {
        "resourceType": "RiskAssessment",
        "id": "r",
        "status": "final",
        "subject": {"reference": "Patient/ada"},
        "prediction": [{"probabilityDecimal": Decimal("0.25")}],
    },
    {"resourceType": "ValueSet", "id": "vs", "url": "http://example.org/vs", "version": "1", "status": "active"},
]
QUERIES = {
    "Patient": [
        "gender=female", "gender=male,female", "gender:not=female", "gender:missing=true", "active=true", "active=false", "identifier=7",
        "identifier=urn:a|7", "identifier=|7", "identifier=urn:a|", r"identifier=a\|b\,c", r"identifier=|a\|b\,c", r"identifier=a|b\,c", "family=oka", "family=for", "family:contains=FOR", "family:exact=Okafor",
        "family:exact=okafor", "given=maria", "name=ben", "name=o'b", "phone=5550100999", "email=ada@clinic.example", "telecom=phone|15550100999",
        "address-city=aero", "birthdate=1980", "birthdate=1980-02-03", "birthdate=gt1980-02-02", "birthdate=lt1980-02-03", "birthdate=ge1980-02-03",
        "birthdate=le1979", "birthdate=sa1979", "birthdate=eb1981", "birthdate=ne1980", "birthdate:missing=true", "deceased=true", "_id=ada,cy",
        "_tag=urn:t|x", "_tag=x", "_tag=y", "gender=female&active=true", "gender=female&active=false",
    ],
    "Observation": [
        "status=final", "status:not=final,amended", "code=2339-0", "code=http://loinc.org|2339-0", "code=|2339-0", "code=http://loinc.org|", "category=laboratory",
        "category:missing=true", "subject=Patient/ada", "patient=ada", "patient=Patient/ben", "subject:Patient=ada", "performer=Practitioner/doc",
        "performer:missing=false", "subject=Patient/ghost", "date=2026-11-03", "date=2026-11", "date=ge2026-11-03", "date=lt2026-11-03T10:00:00Z",
        "date=sa2026-11-02", "date=eb2026-11-06", "date=2019", "value-quantity=100", "value-quantity=1e2", "value-quantity=100||kg",
        "value-quantity=100|http://unitsofmeasure.org|kg", "value-quantity=100||lb", "value-quantity=gt99.6", "value-quantity=ge99.6||kg",
        "value-quantity=lt5.5", "value-quantity=le5.4", "value-quantity=ne100", "value-quantity:missing=true", "value-quantity=ap95",
        "code=29463-7&value-quantity=gt99.8", "patient=ada&date=ge2026&category=laboratory",
    ],
    "Encounter": ["status=finished,planned", "class=AMB", "class=AMB,IMP", "class:not=AMB", "patient=ada", "subject:missing=true", "patient:missing=false"],
    "RiskAssessment": ["probability=0.25", "probability=gt0.2", "probability=lt0.2", "probability=0.3"],
    "ValueSet": ["url=http://example.org/vs", "url=http://example.org/other", "status=active", "version=1"],
}  # fmt: skip


@pytest.mark.parametrize("type", QUERIES)
def test_a_subscription_matches_what_a_search_finds(type: str, store: Store) -> None:
    for resource in RESOURCES:
        store.update(resource)
    mine = [(resource["id"], extract(resource, tenant=1)) for resource in RESOURCES if resource["resourceType"] == type]
    for query in QUERIES[type]:
        pairs = [tuple(part.split("=", 1)) for part in query.split("&")]
        searched = sorted(str(found.id) for found in store.search(type, [*pairs, ("_count", "100")]))  # type: ignore[list-item]
        watched = sorted(id for id, row in mine if compiled(type, query).hold(row, id))
        assert watched == searched, query
