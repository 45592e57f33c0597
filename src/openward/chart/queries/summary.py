"""Everything on the chart's one page, one statement a type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import cached_property

from openward.chart.codes import CATEGORY, LABORATORY, MEDICATION_LIST, VITAL_SIGNS
from openward.chart.presenters.lists import AllergySlot, DocumentRow, ImmunizationRow, ProblemRow, VisitRow, review_of
from openward.chart.presenters.medications import MedicationLine, line_of
from openward.chart.presenters.results import Person, ResultGroup, grouped
from openward.chart.presenters.timeline import Event, events
from openward.chart.presenters.vitals import VitalsCard
from openward.chart.presenters.wording import date_of
from openward.chart.queries.banner import banner_of, of_type, patient_with
from openward.chart.queries.patients import age_of, open_among
from openward.fhir.resources import (
    AllergyIntolerance,
    Composition,
    Condition,
    Encounter,
    Immunization,
    List,
    MedicationRequest,
    MedicationStatement,
    Observation,
    Patient,
    Resource,
    ServiceRequest,
)
from openward.fhir.store import Store
from openward.web.banner import Banner, Review

FEW = ("AllergyIntolerance:patient", "List:subject", "Condition:patient", "Immunization:patient", "MedicationStatement:patient")
SHOWN = 8
"""Lines of a card before "all of them" is a page of its own."""
RESULTS = 10


@dataclass(frozen=True)
class Chart:
    """One patient's chart. Each type is read when a card first asks for it, so that one card costs two or three statements and the page nine."""

    store: Store
    patient_id: str

    @cached_property
    def _few(self) -> tuple[Patient, list[Resource]]:
        """The patient with the types that stay small: two statements for all of them."""
        return patient_with(self.store, self.patient_id, FEW)

    @cached_property
    def patient(self) -> Patient:
        return self._few[0]

    @cached_property
    def allergies(self) -> Sequence[AllergyIntolerance]:
        return of_type(self._few[1], AllergyIntolerance)

    @cached_property
    def lists(self) -> Sequence[List]:
        return of_type(self._few[1], List)

    @cached_property
    def conditions(self) -> Sequence[Condition]:
        return sorted(of_type(self._few[1], Condition), key=date_of, reverse=True)

    @cached_property
    def shots(self) -> Sequence[Immunization]:
        return sorted(of_type(self._few[1], Immunization), key=date_of, reverse=True)

    @cached_property
    def prescriptions(self) -> Sequence[MedicationRequest]:
        return active_prescriptions(self.store, self.patient_id)

    @cached_property
    def vital_signs(self) -> Sequence[Observation]:
        return vital_signs_of(self.store, self.patient_id, 56)

    @cached_property
    def labs(self) -> Sequence[Observation]:
        return lab_values_of(self.store, self.patient_id, 72)

    @cached_property
    def visits(self) -> Sequence[Encounter]:
        return self.store.search(Encounter, {"patient": self.patient_id, "_sort": "-date", "_count": SHOWN}).resources

    @cached_property
    def notes(self) -> Sequence[Composition]:
        return self.store.search(Composition, {"patient": self.patient_id, "_sort": "-date", "_count": SHOWN}).resources

    @cached_property
    def orders(self) -> Sequence[ServiceRequest]:
        return self.store.search(ServiceRequest, {"patient": self.patient_id, "status": "active,on-hold", "_count": 20}).resources

    @cached_property
    def banner(self) -> Banner:
        return banner_of(self.store, self.patient, self.allergies, self.lists)

    @cached_property
    def visit(self) -> Encounter | None:
        return open_among(self.visits)

    @cached_property
    def person(self) -> Person:
        return Person(self.patient.gender, self.patient.birthDate)

    @cached_property
    def problems(self) -> list[ProblemRow]:
        """Active ones, the latest first; a diagnosis repeated at several visits stands once."""
        return list({(row.code or row.name): row for row in reversed(self._problems[True])}.values())[::-1]

    @cached_property
    def past_problems(self) -> int:
        return len(self._problems[False])

    @cached_property
    def _problems(self) -> Mapping[bool, list[ProblemRow]]:
        """By whether they are active."""
        found: dict[bool, list[ProblemRow]] = {True: [], False: []}
        for row in map(ProblemRow, problem_list(self.conditions)):
            found[row.is_active].append(row)
        return found

    @cached_property
    def medications(self) -> list[MedicationLine]:
        """What is prescribed now and what the patient takes besides, by name."""
        rows = [row for row in map(line_of, [*self.prescriptions, *of_type(self._few[1], MedicationStatement)]) if row.is_active]
        return sorted(rows, key=lambda row: row.name.generic)

    @cached_property
    def medications_review(self) -> Review | None:
        return review_of(self.lists, MEDICATION_LIST)

    @cached_property
    def allergy_slot(self) -> AllergySlot:
        return AllergySlot.of(self.allergies, self.lists)

    @cached_property
    def vitals(self) -> VitalsCard:
        return VitalsCard(self.vital_signs, self.patient.birthDate, age_of(self.patient))

    @cached_property
    def results(self) -> list[ResultGroup]:
        """The tests of the latest days, at least as many as the card shows."""
        return grouped(self.labs, self.person, RESULTS)

    @cached_property
    def open_orders(self) -> list[ServiceRequest]:
        return [order for order in self.orders if order.status in ("active", "on-hold")]

    @cached_property
    def visit_rows(self) -> list[VisitRow]:
        return [VisitRow(one) for one in self.visits]

    @cached_property
    def note_rows(self) -> list[DocumentRow]:
        return [DocumentRow(one) for one in self.notes if one.status != "entered-in-error"]

    @cached_property
    def immunizations(self) -> list[ImmunizationRow]:
        return [ImmunizationRow(one) for one in self.shots if one.status != "entered-in-error"]

    @cached_property
    def timeline(self) -> list[Event]:
        return events([*self.visits, *self.conditions, *self.prescriptions, *self.allergies, *self.shots, *self.notes, *self.orders], SHOWN)


def problem_list(conditions: Sequence[Condition]) -> list[Condition]:
    """Problems, not what was only coded for the bill of one visit; what has no category counts as a problem."""
    standing = [one for one in conditions if "entered-in-error" not in _codes(one.data.get("verificationStatus"))]
    listed = [one for one in standing if any("problem-list-item" in _codes(category) for category in one.data.get("category", ()))]
    unlisted = [one for one in standing if not one.data.get("category")]
    return [*listed, *unlisted] if listed else standing


def _codes(concept: Mapping[str, Any] | None) -> list[str | None]:
    """The codes of a concept as it stands in the resource's JSON: a chart asks every condition several times over."""
    return [coding.get("code") for coding in concept.get("coding", ())] if concept else []


def read_chart(store: Store, patient_id: str) -> Chart:
    """The chart of a patient. Raises NotFound at once for who may not see the patient."""
    chart = Chart(store, patient_id)
    _ = chart.patient
    return chart


def active_prescriptions(store: Store, patient_id: str) -> list[MedicationRequest]:
    """What the patient takes by prescription now."""
    return store.search(MedicationRequest, {"patient": patient_id, "status": "active,on-hold", "_count": 100}).resources


def reported_medications(store: Store, patient_id: str) -> list[MedicationStatement]:
    """What the patient says they take, prescribed elsewhere or bought without prescription."""
    return store.search(MedicationStatement, {"patient": patient_id, "status": "active,intended,on-hold,unknown", "_count": 100}).resources


def vital_signs_of(store: Store, patient_id: str, count: int) -> list[Observation]:
    return store.search(Observation, {"patient": patient_id, "category": f"{CATEGORY}|{VITAL_SIGNS}", "_sort": "-date", "_count": count}).resources


def lab_values_of(store: Store, patient_id: str, count: int) -> list[Observation]:
    return store.search(Observation, {"patient": patient_id, "category": f"{CATEGORY}|{LABORATORY}", "_sort": "-date", "_count": count}).resources
