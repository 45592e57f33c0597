"""Visits: what they were about, who is here today, who waits for their vital signs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from openward.chart.codes import CATEGORY, FLOW_SINCE, FLOW_STATE, ICD10, OPEN_VISIT, VITAL_SIGNS
from openward.chart.presenters.lists import VisitRow
from openward.chart.presenters.wording import code_in, concept, in_order, who
from openward.chart.queries.patients import name_of, patients_by_id
from openward.fhir.resources import Appointment, Composition, Condition, Encounter, MedicationRequest, Observation, Patient, ServiceRequest
from openward.fhir.store import Store


@dataclass(frozen=True, slots=True)
class VisitDiagnosis:
    """One diagnosis of a visit, in its place. `key` is its code, or `Condition/<id>` where it has none of ICD-10-CM."""

    rank: int
    code: str
    name: str
    key: str


def diagnoses_of(store: Store, visit: Encounter) -> list[VisitDiagnosis]:
    """In rank order. A diagnosis whose Condition is gone is left out."""
    ranked = sorted(visit.diagnosis, key=lambda one: one.rank or 99)
    wanted = [(Condition, one.condition.target_id) for one in ranked if one.condition is not None and one.condition.target_id]
    found = {str(one.id): one for one in store.read_many(wanted) if isinstance(one, Condition)}
    conditions = [found[id] for _type, id in wanted if id in found]
    coded = [(code_in(one.code, ICD10), one) for one in conditions]
    return [VisitDiagnosis(rank, code, concept(one.code), code or f"Condition/{one.id}") for rank, (code, one) in enumerate(coded, 1)]


@dataclass(frozen=True, slots=True)
class Coming:
    """One patient of today's list: their appointment, their visit, or both."""

    patient: Patient | None
    appointment: Appointment | None
    visit: Encounter | None

    @property
    def patient_id(self) -> str:
        return str(self.patient.id) if self.patient is not None else ""

    @property
    def name(self) -> str:
        return name_of(self.patient) if self.patient is not None else ""

    @property
    def at(self) -> str:
        if self.appointment is not None and self.appointment.start:
            return str(self.appointment.start)
        return str(self.visit.period.start or "") if self.visit is not None and self.visit.period is not None else ""

    @property
    def what(self) -> str:
        if self.appointment is not None:
            return next((text for text in map(concept, self.appointment.serviceType) if text), "")
        return VisitRow(self.visit).what if self.visit is not None else ""

    @property
    def state(self) -> str:
        """`booked`, `waiting`, `roomed`, `with-clinician`, `leaving`, `finished`, `noshow`."""
        if self.visit is not None:
            return str(self.visit.extension_value(FLOW_STATE) or "waiting") if self.visit.status in OPEN_VISIT else str(self.visit.status)
        return str(self.appointment.status) if self.appointment is not None else ""

    @property
    def since(self) -> Any:
        return self.visit.extension_value(FLOW_SINCE) if self.visit is not None and self.visit.status in OPEN_VISIT else None

    @property
    def is_in_room(self) -> bool:
        return self.state in ("roomed", "with-clinician")

    @property
    def room(self) -> str:
        return next((who(one.location) for one in self.visit.location if one.location is not None), "") if self.visit is not None else ""


def my_patients_today(store: Store, practitioner: str, today: dt.date | None = None) -> list[Coming]:
    """The practitioner's appointments and visits of the local day, in order of time."""
    low, high = _day(today or timezone.localdate())
    span = {"date": [f"ge{low.isoformat()}", f"lt{high.isoformat()}"], "_count": 100, "practitioner": practitioner}
    appointments = store.search(Appointment, span).resources
    visits = store.search(Encounter, {**span, "_sort": "date"}).resources
    by_appointment = {str(one.target_id): visit for visit in visits for one in visit.appointment if one.target_id}
    joined: list[tuple[Appointment | None, Encounter | None]] = [
        (one, by_appointment.get(str(one.id))) for one in appointments if one.status not in ("cancelled", "entered-in-error")
    ]
    shown = {str(visit.id) for _one, visit in joined if visit is not None}
    joined += [(None, visit) for visit in visits if str(visit.id) not in shown and visit.status not in ("cancelled", "entered-in-error")]
    patients = patients_by_id(store, (_patient_of(one, visit) for one, visit in joined))
    coming = [Coming(patients.get(_patient_of(one, visit) or ""), one, visit) for one, visit in joined]
    return sorted(coming, key=lambda one: in_order(one.at))


def _day(today: dt.date) -> tuple[dt.datetime, dt.datetime]:
    zone = timezone.get_current_timezone()
    start = dt.datetime.combine(today, dt.time(), zone)
    return start.astimezone(dt.UTC), dt.datetime.combine(today + dt.timedelta(days=1), dt.time(), zone).astimezone(dt.UTC)


def _patient_of(appointment: Appointment | None, visit: Encounter | None) -> str | None:
    if visit is not None and visit.subject is not None:
        return visit.subject.target_id
    actors = [one.actor for one in appointment.participant if one.actor is not None] if appointment is not None else []
    return next((one.target_id for one in actors if one.type == "Patient"), None)


def without_vitals(store: Store) -> list[Coming]:
    """Patients in the clinic whose vital signs have not been taken in this visit, the longest waiting first."""
    low, _high = _day(timezone.localdate())
    visits = store.search(Encounter, {"status": ",".join(OPEN_VISIT), "date": f"ge{low.isoformat()}", "_sort": "date", "_count": 100}).resources
    waiting = [visit for visit in visits if visit.extension_value(FLOW_STATE) in (None, "waiting", "roomed")]
    measured = _measured_in(store, waiting)
    missing = [visit for visit in waiting if str(visit.id) not in measured]
    patients = patients_by_id(store, (_patient_of(None, visit) for visit in missing))
    return [Coming(patients.get(_patient_of(None, visit) or ""), None, visit) for visit in missing]


def _measured_in(store: Store, visits: Sequence[Encounter]) -> set[str]:
    if not visits:
        return set()
    ids = ",".join(f"Encounter/{visit.id}" for visit in visits)
    found = store.search(Observation, {"encounter": ids, "category": f"{CATEGORY}|{VITAL_SIGNS}", "_count": 500}).resources
    return {str(one.encounter.target_id) for one in found if one.encounter is not None}


@dataclass(frozen=True)
class VisitRecord:
    """Everything that belongs to one visit, for its summary."""

    visit: Encounter
    patient: Patient
    vital_signs: Sequence[Observation]
    prescriptions: Sequence[MedicationRequest]
    orders: Sequence[ServiceRequest]
    notes: Sequence[Composition]
    diagnoses: Sequence[VisitDiagnosis]


def read_visit(store: Store, visit_id: str) -> VisitRecord:
    """Raises NotFound."""
    visit = store.read(Encounter, visit_id)
    patient = store.read(Patient, str(visit.subject.target_id) if visit.subject is not None else "")
    of = {"encounter": f"Encounter/{visit_id}", "_count": 100}
    return VisitRecord(
        visit=visit,
        patient=patient,
        vital_signs=store.search(Observation, {**of, "category": f"{CATEGORY}|{VITAL_SIGNS}"}).resources,
        prescriptions=_standing(store.search(MedicationRequest, of).resources),
        orders=_standing(store.search(ServiceRequest, of).resources),
        notes=store.search(Composition, of).resources,
        diagnoses=diagnoses_of(store, visit),
    )


def _standing(resources: Iterable[Any]) -> list[Any]:
    return [one for one in resources if one.status not in ("entered-in-error", "cancelled", "revoked")]
