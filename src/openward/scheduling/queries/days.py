"""What happens on a day: appointments with their patients and visits, the visits on the flow board, how long people waited."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from openward.fhir.resources import Appointment, Encounter, Patient, Resource
from openward.fhir.store import Store
from openward.scheduling import facts
from openward.scheduling.freetime import DAY, Interval
from openward.scheduling.queries.places import Facility
from openward.scheduling.transitions import OPEN_VISIT

A_PAGE = 500
R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody expected or here. A walk-in has no appointment; somebody not here yet has no visit; `patient` is None when not to be seen."""

    appointment: Appointment | None
    visit: Encounter | None
    patient: Patient | None

    @property
    def is_booked(self) -> bool:
        """Whether it counts as a booking of the day: who did not come was booked, who walked in or cancelled is not."""
        return self.appointment is not None and self.appointment.status not in ("cancelled", "entered-in-error")

    @property
    def start(self) -> dt.datetime:
        """When they were booked for, else when they came."""
        booked = facts.during(self.appointment) if self.appointment else None
        came = self.visit.period.start if self.visit and self.visit.period else None
        return booked.start if booked else facts.moment(came) or dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class OnBoard:
    """A visit that is open, with its patient."""

    visit: Encounter
    patient: Patient | None


def everything(store: Store, type: type[R], params: Mapping[str, Any]) -> tuple[list[R], dict[tuple[str, str], Any]]:
    """Every page of a search, and what it includes by (type, id): a day's list must not stop at a page's end."""
    page = store.search(type, {**params, "_count": A_PAGE})
    found, included = list(page.resources), {(one.resourceType, str(one.id)): one for one in page.included}
    while page.next:
        page = store.search(type, {**params, "_count": A_PAGE, "_cursor": page.next})
        found += page.resources
        included |= {(one.resourceType, str(one.id)): one for one in page.included}
    return found, included


def arrivals(store: Store, facility: Facility, day: dt.date) -> list[Arrival]:
    """Everybody booked at a facility on its calendar day, and everybody who came without, in order of time. Cancelled ones are last."""
    booked, people = _booked(store, facility, facility.day(day))
    visits, more = _visits(store, facility, facility.day(day))
    people = {**people, **more}
    by_appointment = {str(which.target_id): visit for visit in visits for which in visit.appointment if visit.status != "cancelled"}
    rows = [Arrival(one, by_appointment.get(str(one.id)), _patient(people, facts.participant(one, "Patient"))) for one in booked]
    rows += [Arrival(None, visit, _patient(people, visit.subject)) for visit in visits if not visit.appointment and visit.status != "cancelled"]
    return sorted(rows, key=lambda row: (row.appointment is not None and row.appointment.status in ("cancelled", "entered-in-error"), row.start))


def appointments_between(store: Store, facility: Facility, span: Interval, practitioner: str | None = None) -> list[Arrival]:
    """What a calendar shows: everything that holds or held time at a facility."""
    booked, people = _booked(store, facility, span, practitioner)
    shown = [one for one in booked if one.status not in ("cancelled", "entered-in-error")]
    return [Arrival(one, None, _patient(people, facts.participant(one, "Patient"))) for one in shown]


def arrival(store: Store, appointment: str) -> Arrival:
    """One appointment with its visit and patient. Raises NotFound."""
    booked = store.read(Appointment, appointment)
    visits = store.search(Encounter, {"appointment": f"Appointment/{appointment}", "_count": 10}).resources
    visit = next((one for one in visits if one.status != "cancelled"), None)
    who = facts.participant(booked, "Patient")
    return Arrival(booked, visit, store.find(Patient, str(who.target_id)) if who else None)


def on_the_board(store: Store, facility: Facility, now: dt.datetime) -> list[OnBoard]:
    """Every open visit of a facility that came in today or yesterday, the longest in its state first."""
    params = {
        "status": ",".join(sorted(OPEN_VISIT)),
        "location": f"Location/{facility.id}",
        "date": f"ge{facts.written(facility.day(facility.today(now) - DAY).start)}",
        "_include": "Encounter:patient",
    }
    visits, people = everything(store, Encounter, params)
    board = [OnBoard(visit, _patient(people, visit.subject)) for visit in visits if facts.flow_of(visit)]
    return sorted(board, key=lambda one: facts.flow_since(one.visit) or now)


def coming_up(store: Store, patients: Iterable[str], now: dt.datetime) -> dict[str, Appointment]:
    """The next appointment of each of several patients, by patient id."""
    ids = list(patients)
    if not ids:
        return {}
    params = {
        "patient": ",".join(f"Patient/{id}" for id in ids),
        "date": f"ge{facts.written(now)}",
        "status": "booked,pending",
        "_sort": "date",
        "_count": 200,
    }
    found: dict[str, Appointment] = {}
    for appointment in store.search(Appointment, params).resources:
        who = facts.participant(appointment, "Patient")
        if who and who.target_id:
            found.setdefault(str(who.target_id), appointment)
    return found


def of_patient(store: Store, patient: str) -> list[Appointment]:
    """A patient's appointments, the latest first; the last hundred."""
    found = store.search(Appointment, {"patient": f"Patient/{patient}", "_sort": "-date", "_count": 100}).resources
    return list(found)


def visits_of_day(store: Store, facility: Facility, day: dt.date) -> list[Encounter]:
    return _visits(store, facility, facility.day(day))[0]


def _booked(
    store: Store, facility: Facility, span: Interval, practitioner: str | None = None
) -> tuple[list[Appointment], dict[tuple[str, str], Any]]:
    params: dict[str, Any] = {"location": f"Location/{facility.id}", "date": _within(span), "_include": "Appointment:patient", "_sort": "date"}
    if practitioner:
        params["practitioner"] = f"Practitioner/{practitioner}"
    return everything(store, Appointment, params)


def _visits(store: Store, facility: Facility, span: Interval) -> tuple[list[Encounter], dict[tuple[str, str], Any]]:
    params = {"location": f"Location/{facility.id}", "date": _within(span), "_include": "Encounter:patient"}
    visits, people = everything(store, Encounter, params)
    started = [visit for visit in visits if visit.period and (start := facts.moment(visit.period.start)) and span.start <= start < span.end]
    return started, people


def _within(span: Interval) -> list[str]:
    return [f"ge{facts.written(span.start)}", f"lt{facts.written(span.end)}"]


def _patient(people: Mapping[tuple[str, str], Any], who: Any) -> Patient | None:
    return people.get(("Patient", str(who.target_id))) if who else None
