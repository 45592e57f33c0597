"""The day's list, and one appointment in the side panel."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from openward.fhir.resources import Appointment
from openward.registration.queries import number_of
from openward.scheduling import facts
from openward.scheduling.presenters.words import FLOW_WORDS, STATUS_WORDS, about, called, time_words
from openward.scheduling.queries import Arrival
from openward.scheduling.transitions import APPOINTMENT, OPEN_VISIT
from openward.web.display import ago, day

LATE_AFTER: Final = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ArrivalRow:
    """One line of the day's list."""

    arrival: Arrival
    zone: str
    now: dt.datetime

    @property
    def id(self) -> str:
        return str((self.arrival.appointment or self.arrival.visit).id)  # type: ignore[union-attr]

    @property
    def appointment(self) -> str:
        return str(self.arrival.appointment.id) if self.arrival.appointment else ""

    @property
    def visit(self) -> str:
        return str(self.arrival.visit.id) if self.arrival.visit else ""

    @property
    def time(self) -> str:
        return time_words(self.arrival.start, self.zone)

    @property
    def name(self) -> str:
        return called(self.arrival.patient)

    @property
    def patient(self) -> str:
        return str(self.arrival.patient.id) if self.arrival.patient else ""

    @property
    def about(self) -> str:
        return about(self.arrival.patient)

    @property
    def number(self) -> str:
        return number_of(self.arrival.patient) if self.arrival.patient else ""

    @property
    def service(self) -> str:
        source = self.arrival.appointment or self.arrival.visit
        return facts.service_name(source) if source else ""

    @property
    def clinician(self) -> str:
        booked = facts.participant(self.arrival.appointment, "Practitioner") if self.arrival.appointment else None
        seen = facts.clinician_of(self.arrival.visit) if self.arrival.visit else None
        return ((booked or seen).display or "") if (booked or seen) else _("Anyone")  # type: ignore[union-attr]

    @property
    def state(self) -> tuple[str, str]:
        """Words and tone: where the patient is, else what became of the appointment."""
        visit, booked = self.arrival.visit, self.arrival.appointment
        if visit is not None and visit.status in OPEN_VISIT:
            words = str(FLOW_WORDS.get(facts.flow_of(visit) or "", _("Here")))
            since = facts.flow_since(visit)
            return (f"{words} · {ago(since, self.now)}" if since else words), "accent"
        if booked is None:
            return _("Done"), "ok"
        if booked.status == "booked" and self.is_late:
            return _("Late by {minutes}").format(minutes=ago(self.arrival.start, self.now)), "warning"
        known = STATUS_WORDS.get(booked.status or "")
        return (str(known[0]), known[1]) if known else (booked.status or "", "neutral")

    @property
    def is_walk_in(self) -> bool:
        return self.arrival.appointment is None

    @property
    def is_open(self) -> bool:
        """Expected, or here."""
        return self.is_expected or (self.arrival.visit is not None and self.arrival.visit.status in OPEN_VISIT)

    @property
    def is_cancelled(self) -> bool:
        return self.arrival.appointment is not None and self.arrival.appointment.status in ("cancelled", "entered-in-error")

    @property
    def is_expected(self) -> bool:
        return self.arrival.appointment is not None and self.arrival.appointment.status in ("booked", "pending")

    @property
    def may_check_in(self) -> bool:
        """Expected today, where the facility is."""
        zone = ZoneInfo(self.zone)
        return self.is_expected and self.arrival.start.astimezone(zone).date() == self.now.astimezone(zone).date()

    @property
    def is_late(self) -> bool:
        return self.is_expected and self.now - self.arrival.start > LATE_AFTER


@dataclass(frozen=True, slots=True)
class AppointmentView:
    """One appointment in the side panel: its facts, and what may be done with it now."""

    arrival: Arrival
    zone: str
    place: str
    now: dt.datetime

    @property
    def row(self) -> ArrivalRow:
        return ArrivalRow(self.arrival, self.zone, self.now)

    @property
    def booked(self) -> Appointment:
        assert self.arrival.appointment is not None  # noqa: S101 - the panel is of an appointment
        return self.arrival.appointment

    @property
    def when(self) -> str:
        span = facts.during(self.booked)
        if span is None:
            return _("No time yet")
        return f"{day(span.start, self.zone)} {time_words(span.start, self.zone)}–{time_words(span.end, self.zone)}"

    @property
    def room(self) -> str:
        places = [place.display or "" for place in facts.references(self.booked, "Location")]
        return ", ".join(place for place in places[1:] if place)

    @property
    def reason(self) -> str:
        why = self.booked.cancelationReason
        return (why.text or "") if why else ""

    def may(self, status: str) -> bool:
        return APPOINTMENT.may(self.booked.status or "", status)

    @property
    def may_check_in(self) -> bool:
        return (self.row.may_check_in or self.booked.status == "noshow") and self.arrival.visit is None

    @property
    def may_move(self) -> bool:
        return self.booked.status in ("booked", "pending")

    @property
    def may_cancel(self) -> bool:
        return self.booked.status in ("booked", "pending", "proposed", "waitlist")

    @property
    def may_mark_no_show(self) -> bool:
        return self.booked.status == "booked" and self.row.arrival.start < self.now

    @property
    def may_restore(self) -> bool:
        return self.booked.status in ("cancelled", "noshow")
