"""What the store checks and does for appointments and visits, whoever writes them."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from openward.access.actor import Actor
from openward.fhir.guards import Change, guard
from openward.fhir.ids import key
from openward.fhir.resources import Appointment, Encounter, EncounterStatusHistory, Location, Period, Reference
from openward.fhir.work import UnitOfWork
from openward.record import open_store
from openward.scheduling import bookings, facts, refusals, rooms
from openward.scheduling.bookings import Holder
from openward.scheduling.errors import NotADuration
from openward.scheduling.freetime import MINUTE, Interval
from openward.scheduling.transitions import APPOINTMENT, ENCOUNTER, FLOW, FLOW_OF_STATUS, HOLDS_TIME, OPEN_VISIT, STATUS_OF_FLOW

UNDO_WITHIN = 2 * MINUTE


@guard("Appointment", on=("create", "update", "delete"))
def hold_the_time(change: Change, work: UnitOfWork) -> None:
    """Time is held for every practitioner, patient and room of a booked appointment; two never have the same; raises SlotTaken.

    Also checks that the status may follow the one before, and tells open calendars.
    """
    appointment: Appointment = change.resource
    if change.interaction == "delete":
        bookings.release(work.store.connection, tenant=work.tenant, appointment=change.key)
    else:
        APPOINTMENT.check(change.before.status if change.before else None, appointment.status)
        _hold(change, appointment, work)
    _tell_calendars(appointment, work)


def _hold(change: Change, appointment: Appointment, work: UnitOfWork) -> None:
    """Make what is held equal to what the appointment needs."""
    wanted = _needs(appointment, work)
    during = _span(appointment) if wanted else None
    connection, tenant = work.store.connection, work.tenant
    if change.before is not None:
        held = bookings.held_for(connection, tenant=tenant, appointment=change.key)
        if held == [(holder.key, during) for holder in wanted]:
            return
        bookings.release(connection, tenant=tenant, appointment=change.key)
    for holder in wanted:
        assert during is not None  # noqa: S101 - _span raised otherwise
        taken = bookings.hold(connection, tenant=tenant, appointment=change.key, holder=holder, during=during, by=_colleague(work.actor))
        if taken:
            raise refusals.slot_taken(taken, holder, appointment, during, _house(work))


def _needs(appointment: Appointment, work: UnitOfWork) -> list[Holder]:
    """Who must not be double-booked, in the order of their keys. A facility is not a room and holds nothing."""
    if appointment.status not in HOLDS_TIME:
        return []
    people = {Holder(facts.target_key(who), kind) for kind in ("Practitioner", "Patient") for who in facts.references(appointment, kind)}
    places = {Holder(facts.target_key(place), "room") for place in facts.references(appointment, "Location") if _is_room(place, work)}
    return sorted(people | places)


def _is_room(place: Reference, work: UnitOfWork) -> bool:
    location = _house(work).find(Location, str(place.target_id))
    return location is not None and facts.is_room(location)


def _span(appointment: Appointment) -> Interval:
    span = facts.during(appointment)
    if span is None or span.start >= span.end:
        raise NotADuration
    return span


def _colleague(actor: Actor) -> str:
    """The name shown to the one who comes second: a colleague's or a system's, never a patient's."""
    return "" if actor.kind == "patient" else actor.name


def _house(work: UnitOfWork):  # type: ignore[no-untyped-def]  # noqa: ANN202 - Store, of a different actor
    """The directory of places and people is read for the rule, not for the writer, who may not see all of it."""
    return open_store(Actor.system("keep the schedule", tenant=work.tenant, on_behalf_of=work.actor))


def _tell_calendars(appointment: Appointment, work: UnitOfWork) -> None:
    start = facts.moment(appointment.start)
    if start and start > timezone.now() - dt.timedelta(days=1):
        work.notify("schedule")


@guard("Encounter", on=("create", "update", "delete"))
def keep_the_visit(change: Change, work: UnitOfWork) -> None:
    """A visit moves by the declared transitions, keeps the history of its states, and has its room to itself; raises RoomOccupied.

    Also tells the flow boards.
    """
    visit: Encounter = change.resource
    if change.interaction == "delete":
        rooms.occupy(work.store.connection, tenant=work.tenant, room=None, visit=change.key)
    else:
        _check(visit, change.before)
        _agree(visit, change.before)
        _remember(visit, change.before, timezone.now())
        _occupy(change, visit, work)
    if _is_open(visit) or (change.before is not None and _is_open(change.before)):
        work.notify("flow-board")


def _is_open(visit: Encounter) -> bool:
    return visit.status in OPEN_VISIT and facts.flow_of(visit) is not None


def _check(visit: Encounter, before: Encounter | None) -> None:
    ENCOUNTER.check(before.status if before else None, visit.status)
    FLOW.check(facts.flow_of(before) if before and before.status in OPEN_VISIT else None, facts.flow_of(visit))


def _agree(visit: Encounter, before: Encounter | None) -> None:
    """Status and flow state say the same: whichever the writer changed, the other follows."""
    flow = facts.flow_of(visit)
    if before is None or visit.status not in OPEN_VISIT or flow is None:
        return
    if flow != facts.flow_of(before):
        visit.status = STATUS_OF_FLOW.get(flow, visit.status)
    elif visit.status != before.status and visit.status in FLOW_OF_STATUS and STATUS_OF_FLOW.get(flow) != visit.status:
        facts.set_flow(visit, FLOW_OF_STATUS[visit.status])


def _remember(visit: Encounter, before: Encounter | None, now: dt.datetime) -> None:
    """Append the state that ends to `statusHistory`, and date the one that begins; what is in the history stays there.

    A move that takes back another within two minutes leaves no trace in the minutes counted: it was a slip of the hand.
    """
    if before is None:
        if facts.flow_of(visit) and facts.flow_since(visit) is None:
            facts.set_flow_since(visit, now)
        return
    if len(visit.statusHistory) < len(before.statusHistory):
        visit.statusHistory = list(before.statusHistory)
    if before.status == visit.status and facts.flow_of(before) == facts.flow_of(visit):
        return
    since = facts.flow_since(before) or facts.moment(before.period.start if before.period else None) or now
    if _takes_back(visit, since, now):
        last = visit.statusHistory.pop()
        facts.set_flow_since(visit, facts.moment(last.period.start) or now)
        return
    visit.statusHistory.append(_ended(before, since, now))
    if facts.flow_of(visit):
        facts.set_flow_since(visit, now)


def _takes_back(visit: Encounter, since: dt.datetime, now: dt.datetime) -> bool:
    last = visit.statusHistory[-1] if visit.statusHistory else None
    if last is None or now - since > UNDO_WITHIN:
        return False
    return bool(last.status == visit.status and last.extension_value(facts.FLOW_STATE) == facts.flow_of(visit))


def _ended(before: Encounter, since: dt.datetime, now: dt.datetime) -> EncounterStatusHistory:
    entry = EncounterStatusHistory(status=before.status, period=Period(start=facts.written(since), end=facts.written(now)))
    flow = facts.flow_of(before)
    if flow:
        entry.set_extension(facts.FLOW_STATE, valueCode=flow)
    return entry


def _occupy(change: Change, visit: Encounter, work: UnitOfWork) -> None:
    room = facts.room_of(visit) if visit.status in OPEN_VISIT else None
    if room is None and change.before is None:
        return
    room_key = key("Location", str(room.target_id)) if room else None
    since = rooms.occupy(work.store.connection, tenant=work.tenant, room=room_key, visit=change.key)
    if since is not None and room is not None:
        raise refusals.room_occupied(room, since)
