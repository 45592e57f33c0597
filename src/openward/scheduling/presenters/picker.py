"""Choosing a time: who is free when, as a table of people and days, each time one click."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from openward.scheduling.freetime import DAY
from openward.scheduling.presenters.words import short_day_words, time_words
from openward.scheduling.queries import Offer

SHOWN_AT_FIRST: Final = 4
STAMP: Final = "%Y%m%dT%H%M%SZ"


def stamp(moment: dt.datetime) -> str:
    """An instant as it stands in an address: `20261103T140500Z`."""
    return moment.astimezone(dt.UTC).strftime(STAMP)


def read_stamp(text: str) -> dt.datetime:
    """Raises ValueError."""
    return dt.datetime.strptime(text, STAMP).replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class TimeChoice:
    """One free time: what is on the button, what a screen reader says, where it leads."""

    offer: Offer
    url: str

    @property
    def words(self) -> str:
        return time_words(self.offer.start, self.offer.zone)

    @property
    def spoken(self) -> str:
        return _("{time} with {name} at {place}").format(time=self.words, name=self.offer.name, place=self.offer.facility_name)


@dataclass(frozen=True, slots=True)
class Cell:
    """One person's free times of one day: the first few, and the rest behind a word."""

    day: dt.date
    title: str
    choices: Sequence[TimeChoice]

    @property
    def first(self) -> Sequence[TimeChoice]:
        return self.choices if self.has_few else self.choices[:SHOWN_AT_FIRST]

    @property
    def rest(self) -> Sequence[TimeChoice]:
        return () if self.has_few else self.choices[SHOWN_AT_FIRST:]

    @property
    def has_few(self) -> bool:
        return len(self.choices) <= SHOWN_AT_FIRST + 1

    @property
    def more(self) -> str:
        return _("{n} more").format(n=len(self.rest))


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person's week."""

    name: str
    place: str
    cells: Sequence[Cell]

    @property
    def has_none(self) -> bool:
        return not any(cell.choices for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Picker:
    """Free times of several people over several days."""

    days: Sequence[tuple[dt.date, str]]
    rows: Sequence[PersonRow]

    @property
    def is_empty(self) -> bool:
        return all(row.has_none for row in self.rows)

    @property
    def first_choice(self) -> TimeChoice | None:
        """The earliest of all."""
        choices = [choice for row in self.rows for cell in row.cells for choice in cell.choices]
        return min(choices, key=lambda choice: choice.offer.start, default=None)


def picker(offers: Iterable[Offer], first: dt.date, days: int, today: dt.date, link: Callable[[Offer], str]) -> Picker:
    """Whoever is free soonest comes first. `link` gives the address a free time leads to."""
    dates = [first + number * DAY for number in range(days)]
    titles = {date: short_day_words(date, today) for date in dates}
    people: dict[tuple[str, str], dict[dt.date, list[TimeChoice]]] = {}
    for offer in offers:
        if offer.day in titles:
            people.setdefault((offer.name, offer.facility_name), {}).setdefault(offer.day, []).append(TimeChoice(offer, link(offer)))
    soonest = sorted(people.items(), key=lambda one: (min(choice.offer.start for choices in one[1].values() for choice in choices), one[0]))
    rows = [PersonRow(name, place, [Cell(date, titles[date], by_day.get(date, ())) for date in dates]) for (name, place), by_day in soonest]
    return Picker(list(titles.items()), rows)
