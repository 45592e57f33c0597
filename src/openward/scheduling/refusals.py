"""What the one who comes second is told: who has the time, since when, and what is free instead. No patient is named."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _

from openward.fhir.resources import Appointment, Location, Reference
from openward.scheduling import facts
from openward.scheduling.bookings import Held, Holder
from openward.scheduling.errors import RoomOccupied, SlotTaken
from openward.scheduling.freetime import MINUTE, Interval
from openward.web.display import ago, clock, day

if TYPE_CHECKING:
    from openward.fhir.store import Store

A_MOMENT = 2 * MINUTE


def slot_taken(held: Held, holder: Holder, appointment: Appointment, wanted: Interval, store: Store) -> SlotTaken:
    zone = facts.zone_of(_facility(appointment, store)).key
    who = _who(holder, appointment)
    start, end = clock(held.during.start, zone), clock(held.during.end, zone)
    message = _("{who} is already booked from {start} to {end} on {day}. {by}").format(
        who=who, start=start, end=end, day=day(held.during.start, zone), by=booked(held, timezone.now())
    )
    free = _next(holder, appointment, wanted, store)
    offered = " " + _("Next free: {times}.").format(times=", ".join(free)) if free else ""
    return SlotTaken(message + offered, said=message, who=who, start=held.during.start, end=held.during.end, held=held, free=free)


def booked(held: Held, now: dt.datetime) -> str:
    """`Booked a moment ago by Front Desk Name.`; online when the patient did it."""
    when = _("a moment ago") if now - held.at < A_MOMENT else _("{ago} ago").format(ago=ago(held.at, now))
    return _("Booked {when} by {name}.").format(when=when, name=held.by) if held.by else _("Booked {when} online.").format(when=when)


def room_occupied(room: Reference, since: dt.datetime) -> RoomOccupied:
    name = room.display or _("This room")
    return RoomOccupied(_("{room} is occupied by another visit, for {ago}.").format(room=name, ago=ago(since)), room=name, since=since)


def _who(holder: Holder, appointment: Appointment) -> str:
    if holder.kind == "Patient":
        return _("The patient")
    kind = "Location" if holder.kind == "room" else holder.kind
    names = {facts.target_key(who): who.display for who in facts.references(appointment, kind)}
    return names.get(holder.key) or (_("This room") if holder.kind == "room" else _("This clinician"))


def _facility(appointment: Appointment, store: Store) -> Location | None:
    place = facts.participant(appointment, "Location")
    location = store.find(Location, str(place.target_id)) if place else None
    if location and location.partOf and location.extension_value(facts.TIME_ZONE) is None:
        return store.find(Location, str(location.partOf.target_id)) or location
    return location


def _next(holder: Holder, appointment: Appointment, wanted: Interval, store: Store) -> list[str]:
    """The next three free times of the practitioner, in words. Imported late: the query reads through the store that runs this guard."""
    from openward.scheduling.queries.times import free_for_practitioner

    if holder.kind != "Practitioner":
        return []
    who = facts.participant(appointment, "Practitioner")
    length = wanted.end - wanted.start
    offers = free_for_practitioner(
        store, practitioner=str(who.target_id if who else ""), length=length, earliest=max(wanted.start, timezone.now()), days=7
    )
    return [f"{day(offer.start, offer.zone)} {clock(offer.start, offer.zone)}" for offer in offers[:3]]
