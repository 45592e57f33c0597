"""A small clinic: Dr. Okafor, the nurse, the front desk, and Ada, who is here for a visit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from openward.access.actor import Actor
from openward.accounts.models import User
from openward.fhir.resources import Encounter, Patient, Resource
from openward.fhir.store import Store
from openward.record import open_store, unit_of_work
from tests.cast import PATIENT_ID, PRACTITIONER_ID, client, patient, staff, system

VISIT_ID = "0199c1f0-0000-7000-8000-00000000e001"
OTHER_CLINICIAN_ID = "0199c1f0-0000-7000-8000-00000000d0c2"


@dataclass(frozen=True)
class Clinic:
    """Who is there. `put` stores a resource as the house would, past the roles."""

    patient: str = PATIENT_ID
    visit: str = VISIT_ID
    practitioner: str = PRACTITIONER_ID

    @property
    def store(self) -> Store:
        return open_store(system())

    def put(self, **resource: Any) -> Resource:
        with unit_of_work(by=system()) as work:
            return work.store.update(resource) if "id" in resource else work.store.create(resource)

    def read(self, type: Any, id: str) -> Any:
        return self.store.read(type, id)

    def all(self, type: Any, **params: Any) -> list[Any]:
        return list(self.store.search(type, params).resources)


@pytest.fixture
def clinic(db: None) -> Clinic:
    made = Clinic()
    for id, family in ((PRACTITIONER_ID, "Okafor"), (OTHER_CLINICIAN_ID, "Lindqvist")):
        made.put(resourceType="Practitioner", id=id, name=[{"family": family, "given": ["Chidi"], "prefix": ["Dr"]}])
    made.put(
        resourceType="Patient",
        id=PATIENT_ID,
        identifier=[{"system": "urn:openward:mrn", "value": "OW-000123"}],
        name=[{"family": "Nakamura", "given": ["Ada"]}],
        gender="female",
        birthDate="1970-03-04",
        telecom=[{"system": "email", "value": "ada@example.org"}],
    )
    made.put(
        resourceType="Encounter",
        id=VISIT_ID,
        status="in-progress",
        **{"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}},
        subject={"reference": f"Patient/{PATIENT_ID}"},
        participant=[{"individual": {"reference": f"Practitioner/{PRACTITIONER_ID}", "display": "Dr Chidi Okafor"}}],
        period={"start": "2026-11-20T09:00:00Z"},
    )
    return made


@pytest.fixture
def clinician(clinic: Clinic) -> Actor:
    return staff("clinician", name="Dr Chidi Okafor")


@pytest.fixture
def colleague(clinic: Clinic) -> Actor:
    return Actor(id="user:colleague", name="Dr Lindqvist", kind="staff", tenant=1, role="clinician", reference=f"Practitioner/{OTHER_CLINICIAN_ID}")


@pytest.fixture
def nurse(clinic: Clinic) -> Actor:
    return staff("nurse", name="Nurse Amari")


@pytest.fixture
def laboratory(clinic: Clinic) -> Actor:
    return client("system/DiagnosticReport.cru system/Observation.cru", name="laboratory")


@pytest.fixture
def patient_actor(clinic: Clinic) -> Actor:
    return patient()


def visit_of(clinic: Clinic) -> Encounter:
    found: Encounter = clinic.read(Encounter, clinic.visit)
    return found


def patient_of(clinic: Clinic) -> Patient:
    found: Patient = clinic.read(Patient, clinic.patient)
    return found


@pytest.fixture
def sign_in(clinic: Clinic) -> Callable[[str], Client]:
    """A browser in which the person of a role is signed in."""

    def make(role: str) -> Client:
        reference = {"clinician": f"Practitioner/{clinic.practitioner}", "patient": f"Patient/{clinic.patient}"}.get(role, "")
        user = User.objects.filter(sign_in=f"{role}@example").first() or User.objects.create_user(
            sign_in=f"{role}@example", password=None, role=role, name=f"The {role}", reference=reference
        )
        browser = Client()
        browser.force_login(user)
        return browser

    return make


@pytest.fixture
def full_chart(clinic: Clinic) -> Clinic:
    """A chart with something on every card."""
    about = {"subject": {"reference": f"Patient/{clinic.patient}"}}
    clinic.put(
        resourceType="Condition",
        id="problem-1",
        clinicalStatus={"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
        category=[{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-category", "code": "problem-list-item"}]}],
        code={"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I10"}], "text": "Essential hypertension"},
        onsetDateTime="2019-05-01",
        **about,
    )
    clinic.put(
        resourceType="MedicationRequest",
        id="med-1",
        status="active",
        intent="order",
        medicationCodeableConcept={"text": "Warfarin Sodium 5 MG Oral Tablet"},
        authoredOn="2026-01-02",
        dosageInstruction=[{"doseAndRate": [{"doseQuantity": {"value": 5, "unit": "MG"}}], "timing": {"code": {"text": "once daily"}}}],
        **about,
    )
    clinic.put(
        resourceType="Observation",
        id="lab-1",
        status="final",
        category=[{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}],
        code={"coding": [{"system": "http://loinc.org", "code": "4548-4"}], "text": "Hemoglobin A1c"},
        effectiveDateTime="2026-10-01T08:00:00Z",
        valueQuantity={"value": Decimal("8.1"), "unit": "%", "code": "%", "system": "http://unitsofmeasure.org"},
        **about,
    )
    clinic.put(
        resourceType="Immunization",
        status="completed",
        vaccineCode={"text": "Influenza, seasonal"},
        occurrenceDateTime="2025-10-10",
        patient={"reference": f"Patient/{clinic.patient}"},
    )
    return clinic
