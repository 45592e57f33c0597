"""Who tries the doors of the record, and what stands behind them."""

from __future__ import annotations

from typing import Any

from openward.access.actor import Actor
from openward.access.labels import LABELS
from openward.fhir.resources import HumanName, Patient, Practitioner
from openward.fhir.store import Store
from openward.record import open_store
from tests import cast

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
PATIENTS = (cast.PATIENT_ID, cast.OTHER_PATIENT_ID)
OPIOIDS, DEPRESSION, HYPERTENSION = "F11.20", "F32.A", "I10"


def house() -> Store:
    """The record with two patients and a clinician, as the house itself sees it."""
    store = open_store(cast.system())
    for id in PATIENTS:
        store.update(Patient(id=id, name=[HumanName(family="Example", given=[id[-2:]])], birthDate="1980-01-02"))
    store.update(Practitioner(id=cast.PRACTITIONER_ID, name=[HumanName(family="Sample")]))
    return store


def condition(id: str, code: str, patient: str = cast.PATIENT_ID, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": id,
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-category", "code": "problem-list-item"}]}],
        "code": {"coding": [{"system": ICD, "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
        **more,
    }


def encounter(id: str, patient: str = cast.PATIENT_ID, practitioner: str = cast.PRACTITIONER_ID, location: str = "") -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "Encounter",
        "id": id,
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": f"Patient/{patient}"},
        "participant": [{"individual": {"reference": f"Practitioner/{practitioner}"}}],
        "period": {"start": "2026-11-02T09:00:00Z", "end": "2026-11-02T09:30:00Z"},
    }
    if location:
        made["location"] = [{"location": {"reference": location}}]
    return made


def labelled(*labels: str) -> dict[str, Any]:
    return {"meta": {"security": [LABELS[label].coding for label in labels]}}


def seen(actor: Actor, type: str = "Condition") -> set[str]:
    """The ids of what a search shows."""
    return {str(one.id) for one in open_store(actor).search(type, {"_count": 1000}).resources}
