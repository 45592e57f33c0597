"""When each person came and why: check-ups by age, follow-up of what they have, illnesses between, and what was booked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from openward.demo.content.problems import ILLNESSES, Illness
from openward.demo.content.services import SERVICE, Service
from openward.demo.content.staff import CLINICIAN, CLINICIANS, Clinician
from openward.demo.content.vaccines import WELL_CHILD_MONTHS
from openward.demo.generation.bookings import DAY, MINUTE, Booking
from openward.demo.generation.chance import Chance
from openward.demo.generation.courses import Course, Health
from openward.demo.generation.moment import Moment, zone_of
from openward.demo.generation.people import Person

YEARS_KEPT = 3
RECENT_DAYS = 9


@dataclass(slots=True)
class Visit:
    """One coming to the clinic. `state` is finished or a place on the flow board; times are told in the facility's zone."""

    start: dt.datetime
    end: dt.datetime
    service: Service
    clinician: Clinician
    state: str = "finished"
    booking: Booking | None = None
    courses: list[Course] = field(default_factory=list)
    illness: Illness | None = None
    panels: list[str] = field(default_factory=list)
    encounter: str = ""

    @property
    def day(self) -> dt.date:
        return self.start.date()

    @property
    def is_checkup(self) -> bool:
        return self.service.key in ("annual-physical", "well-child", "new-patient", "womens-health")


def visits(person: Person, health: Health, booked: list[Booking], moment: Moment, seed: int) -> list[Visit]:
    """All visits in order of time, none before they joined, after they died, or twice within ten days unless booked."""
    chance = Chance(seed, "visits", person.number)
    last = min(moment.day(person.facility) - RECENT_DAYS * DAY, person.died or dt.date.max)
    first = max(person.joined, last - dt.timedelta(days=int(YEARS_KEPT * 365.25)))
    wanted = sorted(_wanted(chance, person, health, first, last), key=lambda each: each[0])
    history = [_at(chance, person, day, service) for day, service in _spaced(wanted, first, last)]
    for visit in history:
        _reason(chance, visit, person, health)
    return history + visits_of(person, health, booked, chance)


def visits_of(person: Person, health: Health, booked: Sequence[Booking], chance: Chance) -> list[Visit]:
    """The visits of those bookings the patient came to."""
    made = [_of(booking) for booking in booked if booking.was_seen]
    for visit in made:
        _reason(chance, visit, person, health)
    return made


def _wanted(chance: Chance, person: Person, health: Health, first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, str]]:
    newborn = person.joined <= person.born + 5 * DAY
    if first == person.joined:
        yield first, "well-child" if newborn else "new-patient"
    if person.age_on(first) < 18:
        yield from _well_child(chance, person, first, last)
    yield from _checkups(chance, person, first, last)
    yield from _follow_ups(chance, person, health, first, last)
    yield from _sick(chance, person, first, last)
    yield from _specialists(chance, person, health, first, last)


def _well_child(chance: Chance, person: Person, first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, str]]:
    for months in (*WELL_CHILD_MONTHS, *range(48, 216, 12)):
        day = person.born + dt.timedelta(days=int(months * 30.44) + chance.randint(0, 12))
        if first <= day <= last and chance.happens(0.6 + 0.4 * person.careful if months < 72 else 0.3 + 0.6 * person.careful):
            yield day, "well-child"


def _checkups(chance: Chance, person: Person, first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, str]]:
    day = first + dt.timedelta(days=chance.randint(20, 330))
    while day <= last:
        age = person.age_on(day)
        if age >= 18 and chance.happens(person.careful * (0.45 if age < 40 else 0.75)):
            yield day, "annual-physical"
        day += dt.timedelta(days=chance.randint(340, 420))


def _follow_ups(chance: Chance, person: Person, health: Health, first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, str]]:
    """As often as the most demanding problem asks, less often by those who do not keep appointments."""
    day = first + dt.timedelta(days=chance.randint(15, 120))
    while day <= last:
        months = min((c.problem.months for c in health.courses if c.onset <= day), default=0)
        if not months:
            day += dt.timedelta(days=120)
            continue
        if months < 12 and chance.happens(0.35 + 0.65 * person.careful):
            yield day, "follow-up"
        day += dt.timedelta(days=int(months * 30 * chance.uniform(0.9, 1.5)))


def _sick(chance: Chance, person: Person, first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, str]]:
    day = first
    while True:
        rate = 1.1 if person.age_on(day) < 6 else 0.45
        day += dt.timedelta(days=int(chance.expovariate(rate / 365)) + 7)
        if day > last:
            return
        yield day, "sick-visit"


def _specialists(chance: Chance, person: Person, health: Health, first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, str]]:
    for service, needed in _referrals(person, health):
        day = first + dt.timedelta(days=chance.randint(60, 400))
        while day <= last:
            if needed(day) and chance.happens(0.7):
                yield day, service
            day += dt.timedelta(days=chance.randint(330, 480))


def _referrals(person: Person, health: Health) -> Iterator[tuple[str, Callable[[dt.date], bool]]]:
    if person.facility.key == "maple":
        yield "cardiology", lambda day: any(health.has(key, day) for key in ("coronary", "fibrillation", "heart-failure"))
        yield "behavioral-health", lambda day: bool(health.has("depression", day)) and person.age_on(day) >= 12
        yield "womens-health", lambda day: person.sex == "female" and 18 <= person.age_on(day) < 66
    else:
        yield "endocrinology", lambda day: bool(health.has("diabetes", day)) and person.age_on(day) >= 18


def _spaced(wanted: list[tuple[dt.date, str]], first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, str]]:
    """Moved off weekends, and not two within ten days; the first of the practice always stays."""
    before = first - 30 * DAY
    for wish, service in wanted:
        day = wish + DAY * (7 - wish.weekday()) if wish.weekday() > 4 else wish
        if day <= last and (day - before).days >= 10:
            before = day
            yield day, service


def _at(chance: Chance, person: Person, day: dt.date, service: str) -> Visit:
    clinician = _who(chance, person, day, service)
    opening, closing = chance.choice(clinician.hours)
    zone = zone_of(person.facility)
    start = dt.datetime.combine(day, dt.time.fromisoformat(opening), zone)
    room = (dt.datetime.combine(day, dt.time.fromisoformat(closing), zone) - start) // MINUTE - SERVICE[service].minutes
    start += chance.randrange(0, room // 10 + 1) * 10 * MINUTE + chance.randint(0, 6) * MINUTE
    return Visit(start, start + (SERVICE[service].minutes + chance.randint(-4, 8)) * MINUTE, SERVICE[service], clinician)


def _who(chance: Chance, person: Person, day: dt.date, service: str) -> Clinician:
    fits = [c for c in CLINICIANS if c.facility == person.facility.key and service in c.services and person.may_see(c, day)]
    own = CLINICIAN[person.doctor.key]
    if own in fits and chance.happens(0.8):
        return own
    return chance.choice(fits) if fits else own


def _of(booking: Booking) -> Visit:
    return Visit(booking.start, booking.end, booking.service, booking.clinician, booking.state, booking)


def _reason(chance: Chance, visit: Visit, person: Person, health: Health) -> None:
    """What the visit is about, and what is drawn for it."""
    current = [c for c in health.courses if c.onset <= visit.day]
    if visit.service.key == "sick-visit":
        visit.illness = _illness(chance, person, visit.day)
        visit.panels = list(visit.illness.panels) if visit.illness else []
        return
    visit.courses = _discussed(chance, visit, current)
    due = [panel for course in visit.courses for panel in course.problem.panels if chance.happens(0.65)]
    if visit.service.key in ("annual-physical", "new-patient"):
        due += _screening(chance, person, visit.day)
    visit.panels = list(dict.fromkeys(due)) if visit.service.key != "behavioral-health" else []
    if "cmp" in visit.panels:
        visit.panels = [panel for panel in visit.panels if panel not in ("bmp", "lft")]


def _discussed(chance: Chance, visit: Visit, current: list[Course]) -> list[Course]:
    topics = {
        "cardiology": ("coronary", "fibrillation", "heart-failure", "hypertension"),
        "endocrinology": ("diabetes", "hypothyroidism"),
        "behavioral-health": ("depression", "anxiety", "adhd"),
        "womens-health": ("anemia", "osteoporosis"),
    }.get(visit.service.key)
    relevant = [c for c in current if not topics or c.problem.key in topics]
    return relevant[:6] if len(relevant) < 5 else sorted(chance.sample(relevant, 4), key=current.index)


def _screening(chance: Chance, person: Person, day: dt.date) -> Iterator[str]:
    age = person.age_on(day)
    if age < 18:
        return
    chances = (("cmp", 0.75), ("lipid", 0.7 if age > 35 else 0.3), ("cbc", 0.5), ("a1c", 0.6 if age > 40 or person.bmi > 30 else 0.1), ("tsh", 0.2))
    yield from (panel for panel, probability in chances if chance.happens(probability))
    if person.sex == "male" and 55 <= age < 72 and chance.happens(0.5):
        yield "psa"


def _illness(chance: Chance, person: Person, day: dt.date) -> Illness | None:
    age = person.age_on(day)
    fits = [
        (i, i.weight * (0.3 if i.season and day.month not in i.season else 1.0))
        for i in ILLNESSES
        if i.ages[0] <= age < i.ages[1] and person.sex[0] in i.sexes
    ]
    return chance.weighted(fits) if fits else None
