"""Who is booked with whom: the last working days, the whole of today with everyone's place in the clinic, and the next weeks."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from openward.demo.content.places import FACILITIES, Facility
from openward.demo.content.services import SERVICE, Service
from openward.demo.content.staff import CLINICIANS, Clinician
from openward.demo.generation.chance import Chance
from openward.demo.generation.moment import Moment, zone_of
from openward.demo.generation.people import Person

MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)
BACK_WORKING_DAYS = 5
AHEAD_DAYS = 21
OPEN_FROM, OPEN_UNTIL = dt.time(8, 30), dt.time(17, 15)
ON_THE_BOARD = frozenset({"waiting", "roomed", "with-clinician", "leaving"})


@dataclass(frozen=True, slots=True)
class Booking:
    """One appointment. `state` is booked, cancelled, noshow, finished, or the place on the flow board with the `minutes_there`."""

    person: int
    clinician: Clinician
    service: Service
    start: dt.datetime
    state: str
    minutes_there: int = 0
    room: str | None = None

    @property
    def end(self) -> dt.datetime:
        return self.start + self.service.minutes * MINUTE

    @property
    def was_seen(self) -> bool:
        """Whether the person came: there is a visit."""
        return self.state == "finished" or self.state in ON_THE_BOARD


@dataclass(slots=True)
class Plan:
    """All bookings by the number of the patient, in order of time."""

    by_person: dict[int, list[Booking]] = field(default_factory=lambda: defaultdict(list))

    def add(self, booking: Booking) -> None:
        self.by_person[booking.person].append(booking)

    def of(self, person: Person) -> list[Booking]:
        return sorted(self.by_person.get(person.number, ()), key=lambda booking: booking.start)


def plan(people: Sequence[Person], moment: Moment, seed: int) -> Plan:
    """Fill every clinician's days. No clinician and no patient is booked twice at one time, and nobody twice on one day."""
    result, panels = Plan(), _panels(people)
    for facility in FACILITIES:
        today = moment.day(facility)
        chance = Chance(seed, "plan", facility.key, today)
        for day, fill in _days(today):
            seen: set[int] = set()
            here = [c for c in CLINICIANS if c.facility == facility.key]
            made = [b for c in here for b in _fill(chance, c, _slots(c, day, moment, facility), panels, seen, fill)]
            for booking in _with_states(chance, made, day, moment, facility):
                result.add(booking)
    return result


def _days(today: dt.date) -> Iterator[tuple[dt.date, float]]:
    """Working days and how full they are. Today counts as one, whatever its weekday."""
    back, day = 0, today
    past = []
    while back < BACK_WORKING_DAYS:
        day -= DAY
        if day.weekday() < 5:
            back += 1
            past.append((day, 0.35))
    yield from reversed(past)
    yield today, 0.88
    for ahead in range(1, AHEAD_DAYS + 1):
        if (today + ahead * DAY).weekday() < 5:
            yield today + ahead * DAY, max(0.62 - ahead * 0.026, 0.08)


def _panels(people: Sequence[Person]) -> dict[str, list[Person]]:
    """Who each clinician may see: their own patients, or for a specialist anyone of the facility."""
    living = [p for p in people if not p.died]
    return {c.key: [p for p in living if p.facility.key == c.facility and (p.doctor is c or not c.is_primary)] for c in CLINICIANS}


def _slots(clinician: Clinician, day: dt.date, moment: Moment, facility: Facility) -> list[tuple[dt.datetime, dt.datetime]]:
    """Stretches of working time. When it is night at the facility, today has an extra stretch around now, so that someone is there."""
    zone = zone_of(facility)
    hours = [(dt.time.fromisoformat(a), dt.time.fromisoformat(b)) for a, b in clinician.hours]
    spans = [(dt.datetime.combine(day, a, zone), dt.datetime.combine(day, b, zone)) for a, b in hours]
    clock = moment.clock(facility)
    if day == clock.date() and not OPEN_FROM <= clock.time() <= OPEN_UNTIL:
        spans = _night(spans, clock)
    return spans


def _night(spans: list[tuple[dt.datetime, dt.datetime]], clock: dt.datetime) -> list[tuple[dt.datetime, dt.datetime]]:
    around = clock.replace(minute=0, second=0, microsecond=0)
    start, end = max(around - 2 * 60 * MINUTE, around.replace(hour=0)), around + 80 * MINUTE
    end = min(end, around.replace(hour=23, minute=59))
    before = [(opens, min(closes, start)) for opens, closes in spans if opens < start]
    after = [(max(opens, end), closes) for opens, closes in spans if closes > end]
    return [*before, (start, end), *after]


def _fill(
    chance: Chance, clinician: Clinician, spans: list[tuple[dt.datetime, dt.datetime]], panels: dict[str, list[Person]], seen: set[int], fill: float
) -> Iterator[Booking]:
    for start, end in spans:
        at = start
        while at < end:
            service = chance.choice(clinician.services)
            person = _someone(chance, panels[clinician.key], clinician, at, seen) if chance.happens(fill) else None
            if person:
                service = _service(chance, clinician, person, at.date())
            length = SERVICE[service].minutes * MINUTE
            if at + length > end:
                break
            if person:
                seen.add(person.number)
                yield Booking(person.number, clinician, SERVICE[service], at, "booked")
            at += length


def _someone(chance: Chance, panel: list[Person], clinician: Clinician, at: dt.datetime, seen: set[int]) -> Person | None:
    for _ in range(12):
        if not panel:
            return None
        person = chance.choice(panel)
        if person.number not in seen and person.may_see(clinician, at.date()) and person.joined < at.date():
            return person
    return None


def _service(chance: Chance, clinician: Clinician, person: Person, day: dt.date) -> str:
    if not clinician.is_primary:
        return clinician.services[0]
    if person.age_on(day) < 18:
        return "well-child" if "well-child" in clinician.services and chance.happens(0.4) else "sick-visit"
    return chance.weighted([("follow-up", 0.55), ("sick-visit", 0.25), ("annual-physical", 0.2)])


def kept(plan: Plan, day: dt.date, moment: Moment, facility: Facility, seed: int) -> list[Booking]:
    """What became of one later day's bookings by now, those that were cancelled before left out."""
    made = [b for bookings in plan.by_person.values() for b in bookings if b.clinician.facility == facility.key and b.start.date() == day]
    booked = sorted((b for b in made if b.state == "booked"), key=lambda b: (b.start, b.person))
    return [b for b in _with_states(Chance(seed, "later", facility.key, day), booked, day, moment, facility) if b.state != "booked"]


def _with_states(chance: Chance, made: list[Booking], day: dt.date, moment: Moment, facility: Facility) -> Iterator[Booking]:
    clock = moment.clock(facility)
    if day > clock.date():
        yield from (replace(b, state="cancelled") if chance.happens(0.04) else b for b in made)
        return
    board = _board(chance, made, clock, facility) if day == clock.date() else []
    yield from board
    taken = {b.person for b in board}
    for booking in made:
        if booking.person not in taken:
            over = booking.end + 10 * MINUTE <= clock
            yield replace(booking, state=_past(chance)) if over else booking


def _past(chance: Chance) -> str:
    return chance.weighted([("finished", 0.86), ("noshow", 0.08), ("cancelled", 0.06)])


def _board(chance: Chance, made: list[Booking], clock: dt.datetime, facility: Facility) -> list[Booking]:
    """Those nearest to now, in every state: the earliest are leaving, then with the clinician, roomed, and the latest wait."""
    near = sorted(made, key=lambda b: (abs((b.start - clock).total_seconds()), b.person))
    rooms = list(facility.rooms[:-1])
    chosen = sorted(_few_each(near, len(rooms) + 4), key=lambda b: (b.start, b.person))
    if not chosen:
        return []
    states = _states(chosen, len(rooms))
    free = iter(rooms)
    return [
        replace(b, state=state, minutes_there=_minutes(chance, state), room=None if state == "waiting" else next(free))
        for b, state in zip(chosen, states, strict=True)
    ]


def _few_each(near: list[Booking], limit: int) -> Iterator[Booking]:
    """At most three of one clinician at a time."""
    count: dict[str, int] = defaultdict(int)
    total = 0
    for booking in near:
        if total < limit and count[booking.clinician.key] < 3:
            count[booking.clinician.key] += 1
            total += 1
            yield booking


def _states(chosen: list[Booking], rooms: int) -> list[str]:
    """One patient at a time with each clinician; nobody roomed without a room."""
    in_rooms = min(rooms, max(len(chosen) - 2, 1))
    leaving = max(in_rooms // 5, 1) if len(chosen) > 3 else 0
    seen = leaving + max((in_rooms - leaving) * 3 // 5, 1)
    states, busy = [], set()
    for number, booking in enumerate(chosen):
        if number >= in_rooms:
            states.append("waiting")
        elif number < leaving:
            states.append("leaving")
        elif booking.clinician.key not in busy and number < seen:
            busy.add(booking.clinician.key)
            states.append("with-clinician")
        else:
            states.append("roomed")
    return states


def _minutes(chance: Chance, state: str) -> int:
    low, high = {"waiting": (2, 28), "roomed": (3, 18), "with-clinician": (4, 24), "leaving": (1, 9)}[state]
    return chance.randint(low, high)
