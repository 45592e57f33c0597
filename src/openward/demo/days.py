"""A demo clinic on a later day than it was made for: the days between took place, and today is in full swing again."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator

from openward.access.actor import Actor
from openward.demo.content.places import FACILITIES
from openward.demo.generation.bookings import AHEAD_DAYS, MINUTE, Booking, kept
from openward.demo.generation.chart import chart_goes_on
from openward.demo.generation.clinic import Clinic
from openward.demo.generation.encounters import STATUS_OF_BOOKING
from openward.demo.generation.moment import Moment
from openward.demo.generation.parts import Json, instant
from openward.demo.loading import write
from openward.demo.models import Instance
from openward.fhir.resources import Appointment, Encounter
from openward.record import open_store, unit_of_work
from openward.scheduling import facts
from openward.scheduling.transitions import OPEN_VISIT

PEOPLE_A_BATCH = 40


def bring_to_today(actor: Actor, made: Clinic, instance: Instance, today: dt.date, now: dt.datetime) -> bool:
    """Let the bookings since the clinic was last open take place. False when it is still that day, or later than anything was booked for.

    What people did in the meantime stands: an appointment that was moved, cancelled or checked in is left as it is.
    """
    last = instance.brought_to or instance.made_for
    if not last < today <= instance.made_for + dt.timedelta(days=AHEAD_DAYS):
        return False
    moment = Moment.of(today, now)
    _end_open_visits(actor, moment)
    for people in _in_batches(_came(made, moment, last)):
        write(actor, [resource for number, bookings in people for resource in _goes_on(actor, made, number, bookings, moment)])
    instance.brought_to = today
    instance.save(update_fields=["brought_to"])
    return True


def set_the_clocks(actor: Actor, since: dt.datetime, until: dt.datetime) -> None:
    """Making a large clinic takes minutes, in which nobody on the board may have waited longer."""
    for visit in open_store(actor).search(Encounter, {"status": ",".join(sorted(OPEN_VISIT)), "_count": 200}).resources:
        started = facts.moment(visit.period.start if visit.period else None)
        if visit.period and started and started > since - dt.timedelta(hours=4):
            with unit_of_work(by=actor) as work:
                visit.period.start = facts.written(started + (until - since))
                facts.set_flow_since(visit, (facts.flow_since(visit) or started) + (until - since))
                work.store.update(visit)


def _end_open_visits(actor: Actor, moment: Moment) -> None:
    """Nobody stays overnight: visits of an earlier day ended half an hour after they last moved."""
    midnight = min(dt.datetime.combine(moment.day(f), dt.time.min, moment.clock(f).tzinfo) for f in FACILITIES)
    params = {"status": ",".join(sorted(OPEN_VISIT)), "date": f"lt{midnight.isoformat()}", "_count": 200}
    for visit in open_store(actor).search(Encounter, params).resources:
        with unit_of_work(by=actor) as work:
            since = facts.flow_since(visit) or facts.moment(visit.period.start if visit.period else None) or midnight
            visit.status = "finished"
            if visit.period:
                visit.period.end = facts.written(since + 30 * MINUTE)
            work.store.update(visit)
            for booked in work.store.read_many([(Appointment, str(each.target_id)) for each in visit.appointment]):
                work.store.update({**booked.data, "status": "fulfilled"})


def _came(made: Clinic, moment: Moment, last: dt.date) -> Iterator[tuple[int, list[Booking]]]:
    """(patient, bookings with what became of them) of all days after the last one."""
    by_person: dict[int, list[Booking]] = defaultdict(list)
    for facility in FACILITIES:
        day = last + dt.timedelta(days=1)
        while day <= moment.day(facility):
            for booking in kept(made.plan, day, moment, facility, made.seed):
                by_person[booking.person].append(booking)
            day += dt.timedelta(days=1)
    yield from sorted(by_person.items())


def _in_batches(people: Iterator[tuple[int, list[Booking]]]) -> Iterator[list[tuple[int, list[Booking]]]]:
    everyone = list(people)
    for start in range(0, len(everyone), PEOPLE_A_BATCH):
        yield everyone[start : start + PEOPLE_A_BATCH]


def _goes_on(actor: Actor, made: Clinic, number: int, bookings: list[Booking], moment: Moment) -> Iterator[Json]:
    person = made.people[number - 1]
    store, found = open_store(actor), {}
    for appointment in store.search(Appointment, {"patient": f"Patient/{person.id}", "status": "booked", "_count": 100}).resources:
        found[facts.moment(appointment.start)] = appointment
    taking_place = [b for b in bookings if b.start.astimezone(dt.UTC) in found]
    for booking in taking_place:
        appointment = found[booking.start.astimezone(dt.UTC)]
        yield {**appointment.data, "status": STATUS_OF_BOOKING.get(booking.state, "arrived"), "start": instant(booking.start)}
    yield from chart_goes_on(person, made.plan.of(person), taking_place, made.house, (made.moment, moment), made.seed)
