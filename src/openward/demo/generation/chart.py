"""The chart of one patient: every resource about them, in an order in which each may refer to those before it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from openward.demo.content.services import Payer
from openward.demo.generation import (
    documents,
    encounters,
    immunizations,
    lists,
    measurements,
    medications,
    messages,
    money,
    notes,
    registration,
    results,
)
from openward.demo.generation.bookings import Booking
from openward.demo.generation.chance import Chance, Ids
from openward.demo.generation.courses import Health, health
from openward.demo.generation.house import House
from openward.demo.generation.moment import Moment
from openward.demo.generation.parts import Json
from openward.demo.generation.people import PEOPLE_FROM, Person
from openward.demo.generation.visits import Visit, visits, visits_of

LATER_FROM = 1_000_000


@dataclass(slots=True)
class Chart:
    """What is known while a chart is written, and the resources written so far."""

    person: Person
    health: Health
    visits: list[Visit]
    bookings: list[Booking]
    house: House
    moment: Moment
    seed: int
    chance: Chance
    ids: Ids
    patient: Json
    clock: dt.datetime
    resources: list[Json] = field(default_factory=list)
    named: dict[str, Json] = field(default_factory=dict)

    @property
    def today(self) -> dt.date:
        return self.clock.date()

    @property
    def payer(self) -> Payer:
        return self.person.payer

    def add(self, type: str, /, **elements: object) -> Json:
        """Write a resource; an element that is None or empty is left out."""
        fixed = elements.pop("id", None)
        resource = {
            "resourceType": type,
            "id": fixed or self.ids.next(),
            **{name: value for name, value in elements.items() if value not in (None, [], {})},
        }
        self.resources.append(resource)
        return resource


def chart(person: Person, bookings: Sequence[Booking], house: House, moment: Moment, seed: int) -> list[Json]:
    """All resources of one patient. Depends on nothing but its arguments."""
    return _written(person, bookings, house, moment, seed).resources


def _written(person: Person, bookings: Sequence[Booking], house: House, moment: Moment, seed: int) -> Chart:
    state = health(person, seed, moment.today)
    booked = list(bookings)
    made = visits(person, state, booked, moment, seed)
    page = Chart(
        person, state, made, booked, house, moment, seed, Chance(seed, "chart", person.number), Ids(seed, PEOPLE_FROM + person.number),
        {"reference": f"Patient/{person.id}", "display": person.name}, moment.clock(person.facility),
    )  # fmt: skip
    registration.write(page)
    encounters.appointments(page)
    encounters.write(page, made)
    lists.problems(page)
    lists.allergies(page)
    for visit in made:
        _visit(page, visit)
    lists.reviews(page)
    medications.write(page)
    messages.write(page)
    documents.write(page)
    return page


def chart_goes_on(
    person: Person, bookings: Sequence[Booking], kept: Sequence[Booking], house: House, moments: tuple[Moment, Moment], seed: int
) -> list[Json]:
    """What is new in a chart on a later day: the visits of the bookings that were `kept`, which are among `bookings` with another state.

    `moments` are when the chart was made and now.
    """
    page = _written(person, bookings, house, moments[0], seed)
    later = (moments[1].today - moments[0].today).days
    page.resources, page.ids = [], Ids(seed, LATER_FROM * later + person.number)
    page.moment, page.clock = moments[1], moments[1].clock(person.facility)
    made = visits_of(person, page.health, kept, Chance(seed, "later", person.number, later))
    encounters.write(page, made)
    lists.link_reasons(page, made)
    for visit in made:
        _visit(page, visit)
    return page.resources


def _visit(page: Chart, visit: Visit) -> None:
    """What one visit leaves behind, as far as it has come."""
    if visit.state != "waiting":
        measurements.write(page, visit)
    if visit.state in ("waiting", "roomed"):
        return
    immunizations.write(page, visit)
    results.write(page, visit)
    notes.write(page, visit)
    money.write(page, visit)
