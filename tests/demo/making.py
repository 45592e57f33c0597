"""A demo clinic with all its charts, for tests to look at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openward.demo.generation.clinic import Clinic, clinic
from openward.demo.generation.people import Person

TODAY = dt.date(2026, 11, 3)
NOW = dt.datetime(2026, 11, 3, 18, 5, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Made:
    """A clinic with all its charts."""

    clinic: Clinic
    charts: Mapping[int, list[dict[str, Any]]]

    @property
    def people(self) -> list[Person]:
        return self.clinic.people

    @property
    def resources(self) -> list[dict[str, Any]]:
        return [*self.clinic.house.resources, *(r for chart in self.charts.values() for r in chart)]

    def of_type(self, type: str) -> list[dict[str, Any]]:
        return [r for r in self.resources if r["resourceType"] == type]


def make(patients: int, seed: int = 7, today: dt.date = TODAY, now: dt.datetime | None = NOW) -> Made:
    made = clinic(patients, seed, today, now)
    return Made(made, {person.number: chart for person, chart in made.charts()})
