"""The visit from the door to the door: check in, room, clinician, leave. The guard on Encounter keeps history and rooms straight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.fhir.resources import (
    Appointment,
    CodeableConcept,
    Coding,
    Encounter,
    EncounterLocation,
    EncounterParticipant,
    HealthcareService,
    Location,
    Patient,
    Period,
    Practitioner,
    Reference,
)
from openward.record import UnitOfWork, unit_of_work
from openward.scheduling import facts
from openward.scheduling.errors import AlreadyHere, ChangedMeanwhile, MovedAlready, NotToday, OnTheBoard
from openward.scheduling.freetime import DAY
from openward.scheduling.transitions import APPOINTMENT, OPEN_VISIT, STATUS_OF_FLOW
from openward.web.display import day, person_name

ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def check_in(*, by: Actor, appointment: str, details: Callable[[Patient], Patient] | None = None) -> Encounter:
    """The patient is here: the appointment has arrived and the visit opens, waiting. Raises AlreadyHere, NotToday, IllegalTransition.

    `details` puts what the patient said has changed into their Patient; it is saved with the arrival or not at all.
    """
    with unit_of_work(by=by) as work:
        booked = work.store.read(Appointment, appointment)
        if (
            booked.status == "arrived"
            or work.store.search(Encounter, {"appointment": f"Appointment/{appointment}", "status:not": "cancelled"}).resources
        ):
            raise AlreadyHere
        APPOINTMENT.check(booked.status, "arrived")
        _must_be_today(work, booked)
        booked.status, booked.cancelationReason = "arrived", None
        work.store.update(booked, if_match=_version(booked))
        who = facts.participant(booked, "Patient")
        if details and who:
            person = work.store.read(Patient, str(who.target_id))
            work.store.update(details(person), if_match=_version(person))
        service = booked.serviceType[0] if booked.serviceType else None
        visit = _visit(who, facts.participant(booked, "Practitioner"), facts.participant(booked, "Location"), service)
        visit.appointment = [Reference(f"Appointment/{appointment}")]
        return work.store.create(visit)


def walk_in(*, by: Actor, patient: str, service: str, facility: str, practitioner: str | None = None) -> Encounter:
    """Someone came without an appointment: the visit opens, waiting. No time is held for it. Raises OnTheBoard for who walked in and is still here."""
    with unit_of_work(by=by) as work:
        _not_walked_in(work, patient, facility)
        person, offered = work.store.read(Patient, patient), work.store.read(HealthcareService, service)
        where = work.store.read(Location, facility)
        place = Reference(f"Location/{where.id}", display=where.name)
        return work.store.create(_visit(Reference.to(person), _practitioner(work, practitioner), place, facts.service_concept(offered)))


def _not_walked_in(work: UnitOfWork, patient: str, facility: str) -> None:
    """Two desks that take one walk-in would make two visits, and two bills."""
    work.connection.execute("select pg_advisory_xact_lock(hashtext('walk in'), hashtext(%s))", (f"{work.tenant} {patient}",))
    where = {"patient": f"Patient/{patient}", "status": ",".join(sorted(OPEN_VISIT)), "location": f"Location/{facility}", "_count": 50}
    since = timezone.now() - DAY
    for visit in work.store.search(Encounter, where).resources:
        came = facts.moment(visit.period.start) if visit.period else None
        if not visit.appointment and facts.flow_of(visit) and came and came > since:
            raise OnTheBoard


def undo_check_in(*, by: Actor, visit: str) -> None:
    """It was someone else, or a slip: the visit is cancelled and the appointment is booked as before. Raises MovedAlready once under way."""
    with unit_of_work(by=by) as work:
        opened = _open(work, visit)
        if facts.flow_of(opened) != "waiting":
            raise MovedAlready(state=facts.flow_of(opened))
        opened.status = "cancelled"
        _close(opened)
        work.store.update(opened, if_match=_version(opened))
        for booked in _appointments(work, opened):
            booked.status = "booked"
            work.store.update(booked, if_match=_version(booked))


def move(*, by: Actor, visit: str, to: str, seen: str | None = None) -> Encounter:
    """Move the patient on (or back) on the flow board. `seen` is the state on the mover's screen.

    Raises MovedAlready when somebody else moved the patient since, ChangedMeanwhile when the visit is over, IllegalTransition for a step that
    is not declared.
    """
    with unit_of_work(by=by) as work:
        opened = _open(work, visit)
        now = facts.flow_of(opened)
        if seen and now != seen and now != to:
            raise MovedAlready(state=now)
        facts.set_flow(opened, to)
        opened.status = STATUS_OF_FLOW.get(to, opened.status)
        if to in ("waiting", "leaving"):
            _leave_room(opened)
        return work.store.update(opened, if_match=_version(opened))


def put_in_room(*, by: Actor, visit: str, room: str | None) -> Encounter:
    """Give the visit a room (None: out of it); a waiting patient is then roomed. Raises RoomOccupied, ChangedMeanwhile when it is over."""
    with unit_of_work(by=by) as work:
        opened = _open(work, visit)
        _leave_room(opened)
        if room:
            _enter_room(opened, work.store.read(Location, room))
            if facts.flow_of(opened) == "waiting":
                facts.set_flow(opened, "roomed")
                opened.status = STATUS_OF_FLOW["roomed"]
        return work.store.update(opened, if_match=_version(opened))


def check_out(*, by: Actor, visit: str) -> Encounter:
    """The patient has left: the visit is finished and its appointment fulfilled. Raises ChangedMeanwhile when it was over before."""
    with unit_of_work(by=by) as work:
        opened = _open(work, visit)
        opened.status = "finished"
        facts.set_flow(opened, "leaving")
        _close(opened)
        for booked in _appointments(work, opened):
            booked.status = "fulfilled"
            work.store.update(booked, if_match=_version(booked))
        return work.store.update(opened, if_match=_version(opened))


def reopen(*, by: Actor, visit: str) -> Encounter:
    """Take back a check-out that came too early: the patient is leaving, not gone. Raises ChangedMeanwhile for a visit that is not finished."""
    with unit_of_work(by=by) as work:
        finished = work.store.read(Encounter, visit)
        if finished.status != "finished":
            raise ChangedMeanwhile(state=finished.status)
        finished.status = "in-progress"
        if finished.period:
            finished.period.end = None
        for booked in _appointments(work, finished):
            booked.status = "arrived"
            work.store.update(booked, if_match=_version(booked))
        return work.store.update(finished, if_match=_version(finished))


def _open(work: UnitOfWork, visit: str) -> Encounter:
    """A board may be older than the visit's end: what is over is reopened by who means to, and never by a drag."""
    opened = work.store.read(Encounter, visit)
    if opened.status not in OPEN_VISIT:
        raise ChangedMeanwhile(state=opened.status)
    return opened


def _visit(patient: Reference | None, practitioner: Reference | None, place: Reference | None, service: CodeableConcept | None) -> Encounter:
    """US Core asks for a type too; what was booked is what a practice knows of it."""
    now = facts.written(timezone.now())
    visit = Encounter(
        status="arrived",
        class_=Coding(system=ACT_CODE, code="AMB", display="ambulatory"),
        subject=Reference(patient.reference if patient else None),
        serviceType=service,
        period=Period(start=now),
    )
    if service:
        visit.type.append(service)
    if practitioner:
        visit.participant.append(EncounterParticipant(individual=practitioner))
    if place:
        visit.location.append(EncounterLocation(location=place, status="active", period=Period(start=now)))
    facts.set_flow(visit, "waiting")
    return visit


def _must_be_today(work: UnitOfWork, booked: Appointment) -> None:
    """Today where the facility is. Whoever comes on another day is moved to it first, so that the time is held and the other is free."""
    place, start = facts.participant(booked, "Location"), facts.moment(booked.start)
    zone = facts.zone_of(work.store.find(Location, str(place.target_id)) if place else None)
    if start and start.astimezone(zone).date() != timezone.now().astimezone(zone).date():
        raise NotToday(_("This appointment is on {day}. Move it to today first.").format(day=day(start, zone.key)), day=start)


def _practitioner(work: UnitOfWork, practitioner: str | None) -> Reference | None:
    if not practitioner:
        return None
    who = work.store.read(Practitioner, practitioner)
    return Reference(f"Practitioner/{who.id}", display=person_name(who.name[0] if who.name else None))


def _enter_room(visit: Encounter, room: Location) -> None:
    physical = CodeableConcept(coding=[Coding(system=facts.PHYSICAL_TYPE, code=facts.ROOM, display="Room")])
    place = Reference(f"Location/{room.id}", display=room.name)
    period = Period(start=facts.written(timezone.now()))
    visit.location.append(EncounterLocation(location=place, status="active", physicalType=physical, period=period))


def _leave_room(visit: Encounter) -> None:
    now = facts.written(timezone.now())
    for entry in visit.location:
        coded = entry.physicalType.coding if entry.physicalType else []
        if any(coding.code == facts.ROOM for coding in coded) and entry.status != "completed":
            entry.status = "completed"
            entry.period = Period(start=entry.period.start if entry.period else now, end=now)


def _close(visit: Encounter) -> None:
    _leave_room(visit)
    now = facts.written(timezone.now())
    visit.period = Period(start=visit.period.start if visit.period else now, end=now)
    for entry in visit.location:
        entry.status = "completed"


def _appointments(work: UnitOfWork, visit: Encounter) -> list[Appointment]:
    return [work.store.read(Appointment, str(booked.target_id)) for booked in visit.appointment]


def _version(resource: Appointment | Encounter | Patient) -> int:
    return int(resource.meta.versionId or 0) if resource.meta else 0
