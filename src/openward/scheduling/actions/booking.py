"""Booking, moving and giving back time. The guard on Appointment holds the time; these say what the clinic means by it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Set
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg import Connection

from openward.access.actor import Actor
from openward.fhir.resources import (
    Appointment,
    AppointmentParticipant,
    CodeableConcept,
    Coding,
    HealthcareService,
    Location,
    Patient,
    Practitioner,
    Reference,
)
from openward.record import UnitOfWork, unit_of_work
from openward.scheduling import facts
from openward.scheduling.actions.confirming import confirm
from openward.scheduling.errors import ChangedMeanwhile, HasDied, NotOffered
from openward.scheduling.freetime import MINUTE, Interval
from openward.scheduling.queries.times import is_offered
from openward.web.display import clock, day, person_name, spoken_name

# A panel may have stood open while a colleague went on: only what the appointment is now decides what may be done with it.
EXPECTED: Final = frozenset({"booked", "pending"})
WANTED: Final = EXPECTED | {"proposed", "waitlist"}
GIVEN_BACK: Final = frozenset({"cancelled", "noshow"})
CANCELLATION: Final = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Why. `code` is of https://hl7.org/fhir/R4/valueset-appointment-cancellation-reason.html: pat, prov, maint, meds-inc, other."""

    code: str
    text: str = ""


def book(
    *,
    by: Actor,
    patient: str,
    service: str,
    practitioner: str,
    facility: str,
    start: dt.datetime,
    form: UUID | None = None,
    room: str | None = None,
    comment: str = "",
    outside_hours: bool = False,
) -> Appointment:
    """Book a patient with a practitioner for a HealthcareService from `start` (an aware instant), and send a confirmation.

    `form` identifies the submitted form: the same form twice makes, and answers with, one appointment. Raises SlotTaken when someone has
    the time, NotOffered when nobody works then (staff may book `outside_hours`, patients may not), HasDied, NotFound for what `by` may not see.
    """
    with unit_of_work(by=by) as work:
        earlier = _claim(work.store.connection, work.tenant, form) if form else None
        if earlier:
            return work.store.read(Appointment, earlier)
        offered = work.store.read(HealthcareService, service)
        span = Interval(start.astimezone(dt.UTC), start.astimezone(dt.UTC) + facts.length_of(offered))
        who = work.store.read(Practitioner, practitioner)
        where = work.store.read(Location, facility)
        _must_be_offered(work, who, where, span, anyway=outside_hours and by.kind != "patient")
        person = work.store.read(Patient, patient)
        if person.deceased:
            raise HasDied
        appointment = _appointment(person, offered, who, where, span, comment)
        if room:
            _put_in(appointment, work.store.read(Location, room))
        stored = work.store.create(appointment)
        if form:
            _settle(work.store.connection, work.tenant, form, str(stored.id))
        confirm(work, stored, kind="appointment-confirmation")
        return stored


def reschedule(
    *, by: Actor, appointment: str, start: dt.datetime, practitioner: str | None = None, facility: str | None = None, outside_hours: bool = False
) -> Appointment:
    """Move a booked appointment to `start`, and to another practitioner or facility when named; its length stays.

    Raises as `book` does, and ChangedMeanwhile for one that is not expected any more.
    """
    with unit_of_work(by=by) as work:
        booked = _standing(work, appointment, EXPECTED)
        length = _length(booked)
        span = Interval(start.astimezone(dt.UTC), start.astimezone(dt.UTC) + length)
        who = work.store.read(Practitioner, practitioner or str(facts.target(facts.participant(booked, "Practitioner"))))
        where = work.store.read(Location, facility or str(facts.target(facts.participant(booked, "Location"))))
        _must_be_offered(work, who, where, span, anyway=outside_hours and by.kind != "patient")
        _move(booked, who, where, span)
        stored = work.store.update(booked, if_match=_version(booked))
        confirm(work, stored, kind="appointment-moved")
        return stored


def cancel(*, by: Actor, appointment: str, reason: Cancellation) -> Appointment:
    """Give the time back and tell the patient. Raises ChangedMeanwhile once the patient was here, or when it was given back before."""
    with unit_of_work(by=by) as work:
        booked = _standing(work, appointment, WANTED)
        booked.status = "cancelled"
        booked.cancelationReason = CodeableConcept(coding=[Coding(system=CANCELLATION, code=reason.code)], text=reason.text or None)
        stored = work.store.update(booked, if_match=_version(booked))
        if facts.during(stored) and stored.start and facts.moment(stored.start) > timezone.now():  # type: ignore[operator]
            confirm(work, stored, kind="appointment-cancelled")
        return stored


def mark_no_show(*, by: Actor, appointment: str) -> Appointment:
    """The patient did not come; the rest of the time is free for someone else. Raises ChangedMeanwhile when they have come after all."""
    return _set_status(by, appointment, "noshow", {"booked"})


def restore(*, by: Actor, appointment: str) -> Appointment:
    """Take back a cancellation or a no-show. Raises SlotTaken when the time has gone to someone else meanwhile, ChangedMeanwhile for any other."""
    return _set_status(by, appointment, "booked", GIVEN_BACK)


def _standing(work: UnitOfWork, appointment: str, wanted: Set[str]) -> Appointment:
    booked = work.store.read(Appointment, appointment)
    if booked.status not in wanted:
        raise ChangedMeanwhile(state=booked.status)
    return booked


def _set_status(by: Actor, appointment: str, status: str, before: Set[str]) -> Appointment:
    with unit_of_work(by=by) as work:
        booked = _standing(work, appointment, before)
        booked.status = status
        if status == "booked":
            booked.cancelationReason = None
        return work.store.update(booked, if_match=_version(booked))


def _appointment(patient: Patient, service: HealthcareService, who: Practitioner, where: Location, span: Interval, comment: str) -> Appointment:
    appointment = Appointment(
        status="booked",
        serviceType=[facts.service_concept(service)],
        created=facts.written(timezone.now()),
        participant=[AppointmentParticipant(actor=Reference.to(patient), status="accepted")],
    )
    if comment:
        appointment.comment = comment
    _move(appointment, who, where, span)
    return appointment


def _move(appointment: Appointment, who: Practitioner, where: Location, span: Interval) -> None:
    """Set the time and replace practitioner and place; a room comes along within its place, and not to a new one."""
    appointment.start, appointment.end = facts.written(span.start), facts.written(span.end)
    appointment.minutesDuration = (span.end - span.start) // MINUTE
    same_place = facts.target(facts.participant(appointment, "Location")) == where.id
    rooms = [one for one in appointment.participant if one.actor and one.actor.target_type == "Location" and one.actor.target_id != where.id]
    kept = [one for one in appointment.participant if one.actor and one.actor.target_type not in ("Practitioner", "Location")]
    practitioner = Reference(f"Practitioner/{who.id}", display=spoken_name(who.name[0] if who.name else None))
    place = Reference(f"Location/{where.id}", display=where.name)
    appointment.participant = [*kept, *(AppointmentParticipant(actor=actor, status="accepted") for actor in (practitioner, place))]
    appointment.participant += rooms if same_place else []


def _put_in(appointment: Appointment, room: Location) -> None:
    appointment.participant.append(AppointmentParticipant(actor=Reference(f"Location/{room.id}", display=room.name), status="accepted"))


def _must_be_offered(work: UnitOfWork, who: Practitioner, where: Location, span: Interval, *, anyway: bool) -> None:
    """Working hours are a rule of the page, not of the record: an outside system may know better."""
    now = timezone.now()
    if span.start >= now - 15 * MINUTE and (anyway or is_offered(work.store, practitioner=str(who.id), facility=str(where.id), span=span)):
        return
    zone = facts.zone_of(where).key
    name = person_name(who.name[0] if who.name else None)
    message = _("{start} is not a time {who} can be booked. Choose one of the free times.")
    raise NotOffered(message.format(start=f"{day(span.start, zone)} {clock(span.start, zone)}", who=name))


def _length(appointment: Appointment) -> dt.timedelta:
    span = facts.during(appointment)
    return span.end - span.start if span else int(appointment.minutesDuration or facts.DEFAULT_MINUTES) * MINUTE


def _version(resource: Appointment) -> int:
    return int(resource.meta.versionId or 0) if resource.meta else 0


def _claim(connection: Connection[tuple[str]], tenant: int, form: UUID) -> str | None:
    """Take the form for this transaction, or give the appointment it made before; waits for its twin on another connection."""
    values = {"tenant": tenant, "id": uuid4(), "form": form}
    claim = "insert into scheduling_confirmed (tenant, id, form, appointment) values (%(tenant)s, %(id)s, %(form)s, '') on conflict (tenant, form) do nothing returning id"
    if connection.execute(claim, values).fetchone():
        return None
    found = connection.execute("select appointment from scheduling_confirmed where tenant = %(tenant)s and form = %(form)s", values).fetchone()
    return found[0] if found else _claim(connection, tenant, form)


def _settle(connection: Connection[tuple[str]], tenant: int, form: UUID, appointment: str) -> None:
    connection.execute("update scheduling_confirmed set appointment = %s where tenant = %s and form = %s", (appointment, tenant, form))
