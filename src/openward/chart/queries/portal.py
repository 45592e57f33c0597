"""What the portal shows a patient of their chart: released results in plain words, medications, immunizations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from openward.chart.codes import CATEGORY, LABORATORY, RELEASED, TAG, TAKEN_BACK
from openward.chart.presenters.lists import ImmunizationRow
from openward.chart.presenters.medications import MedicationLine
from openward.chart.presenters.results import Person, ResultRow, is_released, plain_result
from openward.chart.presenters.wording import concept, date_of, in_order, who
from openward.chart.queries.summary import active_prescriptions
from openward.fhir.resources import DiagnosticReport, Immunization, Observation, Patient
from openward.fhir.store import Store


@dataclass(frozen=True, slots=True)
class PlainValue:
    """One value with its sentence."""

    row: ResultRow
    sentence: str


@dataclass(frozen=True, slots=True)
class ReleasedResult:
    """A result the practice has released: what it is, the clinician's words, its values in plain words."""

    resource: Any
    values: list[PlainValue]

    @property
    def id(self) -> str:
        return str(self.resource.id)

    @property
    def name(self) -> str:
        return concept(self.resource.code)

    @property
    def at(self) -> str:
        return date_of(self.resource)

    @property
    def comment(self) -> str:
        """What the clinician wrote to the patient."""
        return str(getattr(self.resource, "conclusion", "") or "")

    @property
    def reviewer(self) -> str:
        return next((who(one) for one in getattr(self.resource, "resultsInterpreter", []) if who(one)), "")


def released_results(store: Store, patient_id: str, *, count: int = 50) -> list[ReleasedResult]:
    """Newest first. What was released without a report stands as its own result; what the laboratory took back afterwards stands no more."""
    patient = store.read(Patient, patient_id)
    person = Person(patient.gender, patient.birthDate)
    asked = {"patient": patient_id, "_tag": f"{TAG}|{RELEASED}", "_sort": "-date"}
    page = store.search(DiagnosticReport, {**asked, "_count": count, "_include": "DiagnosticReport:result"})
    values = {str(one.id): one for one in page.included if isinstance(one, Observation) and is_released(one) and one.status not in TAKEN_BACK}
    reports = [ReleasedResult(report, _values(report, values, person)) for report in page.resources if report.status not in TAKEN_BACK]
    told = {id for report in page.resources for id in _result_ids(report)}
    alone = store.search(Observation, {**asked, "category": f"{CATEGORY}|{LABORATORY}", "_count": 200}).resources
    reports += [ReleasedResult(one, [_plain(one, person)]) for one in alone if str(one.id) not in told and one.status not in TAKEN_BACK]
    return sorted(reports, key=lambda one: in_order(one.at), reverse=True)


def _result_ids(report: DiagnosticReport) -> list[str]:
    return [reference.target_id for reference in report.result if reference.target_id]


def _values(report: DiagnosticReport, known: dict[str, Observation], person: Person) -> list[PlainValue]:
    return [_plain(known[id], person) for id in _result_ids(report) if id in known]


def _plain(observation: Observation, person: Person) -> PlainValue:
    row = ResultRow(observation, person)
    return PlainValue(row, plain_result(row))


def medications(store: Store, patient_id: str) -> list[MedicationLine]:
    """What is prescribed now, by name."""
    return sorted((MedicationLine(one) for one in active_prescriptions(store, patient_id)), key=lambda line: line.name.generic)


def immunizations(store: Store, patient_id: str) -> list[ImmunizationRow]:
    """What was given, newest first."""
    found = store.search(Immunization, {"patient": patient_id, "_sort": "-date", "_count": 200}).resources
    return [ImmunizationRow(one) for one in found if one.status == "completed"]
