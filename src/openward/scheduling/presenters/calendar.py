"""The calendar: bookings laid out on a grid of five-minute rows, by clinician for a day or by day for a week.

Positions are class names (`from-96`, `for-6`), because the content security policy allows no style attributes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from openward.scheduling import facts
from openward.scheduling.freetime import MINUTE, Interval, working
from openward.scheduling.presenters.words import STATUS_WORDS, called, day_words, time_words
from openward.scheduling.queries import Arrival, Bookable, Facility

ROW: Final = 5
SHORT: Final = 5
EARLIEST, LATEST = 8, 17


@dataclass(frozen=True, slots=True)
class Block:
    """Something on the grid: `row` counts five-minute rows from the top, from 1; `span` is its height in rows."""

    row: int
    span: int
    lane: int
    title: str
    detail: str
    tone: str
    status: str
    id: str
    spoken: str

    @property
    def classes(self) -> str:
        return f"from-{self.row} for-{self.span} lane-{self.lane} {self.tone}{' short' if self.span <= SHORT else ''}"


@dataclass(frozen=True, slots=True)
class Column:
    """One clinician, or one day, with bookings in it and the times nobody works shaded."""

    key: str
    title: str
    subtitle: str
    blocks: Sequence[Block]
    closed: Sequence[tuple[int, int]]
    lanes: int
    now: int | None = None

    @property
    def is_free(self) -> bool:
        return not self.blocks


@dataclass(frozen=True, slots=True)
class Grid:
    """The whole calendar. `hours` are (row, words); `height` is the number of rows."""

    columns: Sequence[Column]
    hours: Sequence[tuple[int, str]]
    height: int
    count: int


def day_grid(people: Sequence[Bookable], arrivals: Iterable[Arrival], facility: Facility, day: dt.date, now: dt.datetime) -> Grid:
    """One column for each clinician, and one for bookings that have none."""
    rows = list(arrivals)
    shown = _Hours.around([span for person in people for span in working(person.week, day)], rows, facility, [day])
    columns = [_person(person, [row for row in rows if _clinician(row) == person.practitioner], shown, day, now) for person in people]
    known = {person.practitioner for person in people}
    others = [row for row in rows if _clinician(row) not in known]
    if others:
        columns.append(shown.column("others", _("Others"), "", others, day, [], now))
    return shown.grid(columns, len(rows))


def week_grid(
    people: Sequence[Bookable], arrivals: Iterable[Arrival], facility: Facility, days: Sequence[dt.date], today: dt.date, now: dt.datetime
) -> Grid:
    """One column for each day, with everybody's bookings (or one person's)."""
    rows = list(arrivals)
    shown = _Hours.around([span for person in people for date in days for span in working(person.week, date)], rows, facility, days)
    columns = []
    for date in days:
        own = [row for row in rows if row.start.astimezone(facility.zone).date() == date]
        spans = [span for person in people for span in working(person.week, date)]
        columns.append(shown.column(date.isoformat(), day_words(date, today), "", own, date, spans, now))
    return shown.grid(columns, len(rows))


@dataclass(frozen=True, slots=True)
class _Hours:
    """The part of the day that is shown: whole hours on the wall, from `first` up to `last`."""

    first: int
    last: int
    facility: Facility

    @classmethod
    def around(cls, spans: Iterable[Interval], rows: Iterable[Arrival], facility: Facility, days: Sequence[dt.date]) -> _Hours:
        booked = [span for row in rows if row.appointment and (span := facts.during(row.appointment))]
        walls = [(span.start.astimezone(facility.zone), span.end.astimezone(facility.zone)) for span in [*spans, *booked]]
        first = min([EARLIEST, *(start.hour for start, _end in walls)])
        last = max([LATEST, *(24 if end.date() > start.date() else end.hour + (end.minute > 0) for start, end in walls)])
        return cls(first, last, facility)

    @property
    def height(self) -> int:
        return (self.last - self.first) * 60 // ROW

    def row(self, moment: dt.datetime) -> int:
        wall = moment.astimezone(self.facility.zone)
        return min(max(((wall.hour - self.first) * 60 + wall.minute) // ROW + 1, 1), self.height + 1)

    def grid(self, columns: Sequence[Column], count: int) -> Grid:
        hours = [((hour - self.first) * 60 // ROW + 1, f"{hour:02d}:00") for hour in range(self.first, self.last)]
        return Grid(columns, hours, self.height, count)

    def column(
        self, key: str, title: str, subtitle: str, rows: Sequence[Arrival], day: dt.date, work: Sequence[Interval], now: dt.datetime
    ) -> Column:
        placed = _lanes(rows)
        blocks = [self._block(row, lane) for row, lane in placed]
        is_today = now.astimezone(self.facility.zone).date() == day
        line = self.row(now) if is_today and self.first <= now.astimezone(self.facility.zone).hour < self.last else None
        lanes = max((lane for _row, lane in placed), default=0) + 1
        return Column(key, title, subtitle, blocks, self._closed(work), lanes, line)

    def _block(self, row: Arrival, lane: int) -> Block:
        booked = row.appointment
        span = facts.during(booked) if booked else None
        start, end = (span.start, span.end) if span else (row.start, row.start + 15 * MINUTE)
        status = (booked.status or "") if booked else ""
        words, tone = STATUS_WORDS.get(status, (status, "neutral"))
        name, service = called(row.patient), facts.service_name(booked) if booked else ""
        time = time_words(start, self.facility.zone.key)
        spoken = ", ".join(part for part in (time, name, service, str(words)) if part)
        height = max(1, (end - start) // (ROW * MINUTE))
        return Block(self.row(start), min(height, 144), lane, name, f"{time} {service}", tone, str(words), str(booked.id) if booked else "", spoken)

    def _closed(self, work: Sequence[Interval]) -> list[tuple[int, int]]:
        """Rows outside working hours, as (from, for)."""
        closed, top = [], 1
        for span in sorted(work):
            start, end = self.row(span.start), self.row(span.end)
            if start > top:
                closed.append((top, start - top))
            top = max(top, end)
        if top <= self.height:
            closed.append((top, self.height + 1 - top))
        return closed


def _person(person: Bookable, rows: Sequence[Arrival], shown: _Hours, day: dt.date, now: dt.datetime) -> Column:
    work = working(person.week, day)
    subtitle = ", ".join(f"{time_words(span.start, person.facility.zone.key)}–{time_words(span.end, person.facility.zone.key)}" for span in work)
    return shown.column(person.practitioner, person.name, subtitle or _("Not in"), rows, day, work, now)


def _clinician(row: Arrival) -> str | None:
    return facts.target(facts.participant(row.appointment, "Practitioner")) if row.appointment else None


def _lanes(rows: Sequence[Arrival]) -> list[tuple[Arrival, int]]:
    """Bookings that overlap stand side by side."""
    ends: list[dt.datetime] = []
    placed = []
    for row in sorted(rows, key=lambda one: one.start):
        span = facts.during(row.appointment) if row.appointment else None
        end = span.end if span else row.start + 15 * MINUTE
        lane = next((number for number, free in enumerate(ends) if free <= row.start), len(ends))
        ends[lane : lane + 1] = [end]
        placed.append((row, min(lane, 7)))
    return placed
