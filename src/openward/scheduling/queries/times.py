"""Free times of one person or of everyone who offers a service."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from django.utils import timezone

from openward.fhir.ids import key
from openward.fhir.resources import HealthcareService
from openward.fhir.store import Store
from openward.scheduling import bookings, facts
from openward.scheduling.freetime import DAY, MINUTE, Interval, Rules, free_starts, working
from openward.scheduling.queries.places import Bookable, bookable

NOTICE: Final = 0 * MINUTE
HORIZON: Final = 60
STEPS: Final = (30, 20, 15, 10, 5)


@dataclass(frozen=True, slots=True, order=True)
class Offer:
    """A time that was free a moment ago. `start` and `end` are UTC; `zone` is the IANA name of the facility's zone."""

    start: dt.datetime
    end: dt.datetime
    name: str
    practitioner: str
    role: str
    facility: str
    facility_name: str
    zone: str
    called: str = ""

    @property
    def day(self) -> dt.date:
        """The calendar day at the facility."""
        return self.start.astimezone(ZoneInfo(self.zone)).date()


def free_times(
    store: Store,
    *,
    service: str,
    first: dt.date,
    days: int = 7,
    practitioner: str | None = None,
    facility: str | None = None,
    patient: str | None = None,
    earliest: dt.datetime | None = None,
) -> list[Offer]:
    """When a HealthcareService can be booked from the day `first` on, in order of time then name.

    `first` is a day at each facility. A patient's own bookings are respected when `patient` is given. Raises NotFound for an unknown service.
    Reads the directory and held times only, so patients may ask too.
    """
    offered = store.read(HealthcareService, service)
    rules = rules_for(facts.length_of(offered), facts.buffer_of(offered))
    people = bookable(store, service=service, practitioner=practitioner, facility=facility)
    return _offers(store, people, rules, _days(first, days), earliest or timezone.now() + NOTICE, patient)


def first_free(
    store: Store, *, service: str, practitioner: str | None = None, facility: str | None = None, patient: str | None = None, limit: int = 3
) -> list[Offer]:
    """The next free times within the booking horizon; looks a week at a time."""
    now = timezone.now()
    first = now.date() - DAY
    for week in range(HORIZON // 7 + 1):
        found = free_times(
            store, service=service, first=first + 7 * week * DAY, days=7, practitioner=practitioner, facility=facility, patient=patient
        )
        if found:
            return found[:limit]
    return []


def free_for_practitioner(store: Store, *, practitioner: str, length: dt.timedelta, earliest: dt.datetime, days: int) -> list[Offer]:
    """The free times of one person for any appointment of this length, at any facility."""
    people = bookable(store, practitioner=practitioner)
    return _offers(store, people, rules_for(length), _days(earliest.date() - DAY, days + 1), earliest, None)


def next_free_by_person(store: Store, *, facility: str, now: dt.datetime, minutes: int = 20, days: int = 14) -> list[tuple[str, Offer | None]]:
    """Everyone who can be booked at a facility, by name, with their next free time of this length."""
    people = bookable(store, facility=facility)
    offers = _offers(store, people, rules_for(minutes * MINUTE), _days(now.date() - DAY, days + 1), now, None)
    first: dict[str, Offer] = {}
    for offer in offers:
        first.setdefault(offer.practitioner, offer)
    return [(person.name, first.get(person.practitioner)) for person in people]


def rules_for(length: dt.timedelta, buffer: dt.timedelta = 0 * MINUTE) -> Rules:
    """Visits start at round minutes: the largest usual step that divides the length, so that days fill without waste."""
    minutes = length // MINUTE
    step = next((step for step in STEPS if minutes % step == 0), 5)
    return Rules(length, granularity=step * MINUTE, buffer=buffer)


def is_offered(store: Store, *, practitioner: str, facility: str | None, span: Interval) -> bool:
    """Whether the person works during the whole of `span`, booked or not."""
    for person in bookable(store, practitioner=practitioner, facility=facility):
        day = span.start.astimezone(person.facility.zone).date()
        hours = [*working(person.week, day - DAY), *working(person.week, day)]
        if any(work.start <= span.start and span.end <= work.end for work in hours):
            return True
    return False


def _days(first: dt.date, days: int) -> list[dt.date]:
    return [first + number * DAY for number in range(days)]


def _offers(
    store: Store, people: Sequence[Bookable], rules: Rules, days: Sequence[dt.date], earliest: dt.datetime, patient: str | None
) -> list[Offer]:
    if not people or not days:
        return []
    who = {person.key for person in people} | ({key("Patient", patient)} if patient else set())
    span = Interval(dt.datetime.combine(days[0] - DAY, dt.time(0), dt.UTC), dt.datetime.combine(days[-1] + 3 * DAY, dt.time(0), dt.UTC))
    busy = bookings.busy(store.connection, tenant=store.tenant, who=who, during=span)
    own = busy.get(key("Patient", patient), ()) if patient else ()
    offers = (offer for person in people for offer in _of(person, [*busy.get(person.key, ()), *own], rules, days, earliest))
    return sorted(set(offers))


def _of(person: Bookable, busy: Sequence[Interval], rules: Rules, days: Iterable[dt.date], earliest: dt.datetime) -> Iterable[Offer]:
    spans = [span for day in days for span in working(person.week, day)]
    for start in free_starts(spans, busy, rules, earliest=earliest):
        yield Offer(
            start=start,
            end=start + rules.duration,
            name=person.name,
            practitioner=person.practitioner,
            role=person.role,
            facility=person.facility.id,
            facility_name=person.facility.name,
            zone=person.facility.zone.key,
            called=person.called,
        )
