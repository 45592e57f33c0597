"""Finding a patient by what the officer types, and the names behind keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from openward.fhir.resources import Patient
from openward.fhir.store import Store
from openward.registration import queries as registration
from openward.web.display import age, day, person_name


@dataclass(frozen=True)
class Found:
    """A patient as the officer tells them apart: name, birth date, number."""

    patient: Patient

    @property
    def id(self) -> str:
        return self.patient.id or ""

    @property
    def name(self) -> str:
        return name_of(self.patient)

    @property
    def detail(self) -> str:
        born = self.patient.birthDate
        return " · ".join(part for part in (f"{day(born)} ({age(born)})" if born else "", registration.number_of(self.patient)) if part)


def find_patients(store: Store, text: str) -> list[Found]:
    return [Found(found.patient) for found in registration.find(store, text)]


def name_of(patient: Patient) -> str:
    return person_name(patient.name[0] if patient.name else None)


def merged_into(patient: Patient) -> list[str]:
    """The ids of the records that were merged into this one."""
    return [str(link.other.target_id) for link in patient.link if link.type == "replaces" and link.other and link.other.target_id]


def names_of(store: Store, keys: Iterable[UUID]) -> dict[UUID, str]:
    """Names of the patients with these keys; a patient under an id of its own is left without."""
    found = store.read_many((Patient, str(key)) for key in keys)
    return {UUID(patient.id): name_of(patient) for patient in found if isinstance(patient, Patient) and patient.id}
