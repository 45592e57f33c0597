"""The whole demo clinic as a stream: the house first, then one patient's chart after the other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from openward.demo.generation.bookings import Plan, plan
from openward.demo.generation.chart import chart
from openward.demo.generation.house import House, house
from openward.demo.generation.moment import Moment
from openward.demo.generation.parts import Json
from openward.demo.generation.people import Person, person


@dataclass(frozen=True)
class Clinic:
    """What is known of the clinic before any chart is written: small even for ten thousand patients."""

    seed: int
    moment: Moment
    house: House
    people: list[Person]
    plan: Plan

    def chart(self, who: Person) -> list[Json]:
        """All resources of one patient."""
        return chart(who, self.plan.of(who), self.house, self.moment, self.seed)

    def charts(self, after: int = 0) -> Iterator[tuple[Person, list[Json]]]:
        """Patients in order, from the one after number `after`."""
        for who in self.people[after:]:
            yield who, self.chart(who)


def clinic(patients: int, seed: int, today: dt.date, now: dt.datetime | None = None) -> Clinic:
    """The same arguments give the same clinic, byte for byte."""
    moment = Moment.of(today, now)
    people = [person(seed, number, moment) for number in range(1, patients + 1)]
    return Clinic(seed, moment, house(seed, moment), people, plan(people, moment, seed))
