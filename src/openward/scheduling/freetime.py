"""Free times: working hours minus what is booked, in wall-clock hours of the place and exact instants underneath.

Pure: no database, no clock, no FHIR. Every instant that goes in or comes out is aware and in UTC; wall-clock times belong to `zone`.

Across a clock change the wall clock is what people work by, so hours are turned into instants per day:
a wall time that does not exist (the gap in spring) means the instant the clock jumps; one that comes twice (the overlap in autumn)
means its first coming. A morning of four hours on the wall is therefore three real hours in spring and five in autumn, and no
appointment is offered at a time that no clock will show.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """Half open: `start` belongs to it, `end` does not."""

    start: dt.datetime
    end: dt.datetime

    def overlaps(self, other: Interval) -> bool:
        return self.start < other.end and other.start < self.end

    def widened(self, by: dt.timedelta) -> Interval:
        return Interval(self.start - by, self.end + by)


@dataclass(frozen=True, slots=True)
class Hours:
    """Working hours on the wall, on some weekdays (Monday is 0). An end at or before the start is on the next day."""

    weekdays: frozenset[int]
    start: dt.time = dt.time(0)
    end: dt.time = dt.time(0)


@dataclass(frozen=True, slots=True)
class Week:
    """When one person works: the hours of each week less the days away. `away` holds instants."""

    hours: Sequence[Hours]
    zone: ZoneInfo
    away: Sequence[Interval] = field(default=())


@dataclass(frozen=True, slots=True)
class Rules:
    """How long an appointment is, at which minutes one may start, and the pause kept around other bookings."""

    duration: dt.timedelta
    granularity: dt.timedelta = 15 * MINUTE
    buffer: dt.timedelta = dt.timedelta(0)


def instant(day: dt.date, time: dt.time, zone: ZoneInfo) -> dt.datetime:
    """The UTC instant of a wall-clock time; inside the gap, the instant of the jump; inside the overlap, its first coming."""
    wall = dt.datetime.combine(day, time, tzinfo=zone)
    utc = wall.astimezone(dt.UTC)
    if utc.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return utc
    return _jump(utc, wall.replace(fold=1).astimezone(dt.UTC), zone)


def day_bounds(day: dt.date, zone: ZoneInfo) -> Interval:
    """The instants at which a calendar day begins and ends in `zone`: 23, 24 or 25 hours apart."""
    return Interval(instant(day, dt.time(0), zone), instant(day + DAY, dt.time(0), zone))


def working(week: Week, day: dt.date) -> list[Interval]:
    """The spans of work that begin on `day`, joined where they touch, less the time away; in order."""
    spans = (_span(hours, day, week.zone) for hours in week.hours if day.weekday() in hours.weekdays)
    return without(joined(span for span in spans if span.start < span.end), week.away)


def free_starts(spans: Iterable[Interval], busy: Sequence[Interval], rules: Rules, *, earliest: dt.datetime) -> list[dt.datetime]:
    """Every instant at which an appointment of `rules.duration` may start, in order.

    Starts lie on multiples of `granularity` counted from the beginning of each span of work, and also right after a booking
    that ends off the grid, so that a short visit does not waste the rest of a step.
    """
    blocked = [interval.widened(rules.buffer) for interval in busy]
    starts: set[dt.datetime] = set()
    for span in spans:
        for gap in without([span], blocked):
            starts.update(start for start in _starts(gap, span, rules) if start >= earliest)
    return sorted(starts)


def without(spans: Iterable[Interval], holes: Iterable[Interval]) -> list[Interval]:
    """What is left of `spans` when every one of `holes` is cut out."""
    left = list(spans)
    for hole in holes:
        left = [piece for span in left for piece in _cut(span, hole)]
    return left


def joined(spans: Iterable[Interval]) -> list[Interval]:
    """The same time as `spans`, with overlapping and touching ones made one."""
    result: list[Interval] = []
    for span in sorted(spans):
        if result and span.start <= result[-1].end:
            result[-1] = Interval(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


def comes_twice(moment: dt.datetime, zone: ZoneInfo) -> bool:
    """Whether the wall clock shows this time twice that day, so that a person needs the zone's letters beside it."""
    wall = moment.astimezone(zone)
    return wall.replace(fold=0).utcoffset() != wall.replace(fold=1).utcoffset()


def _span(hours: Hours, day: dt.date, zone: ZoneInfo) -> Interval:
    last = day if hours.end > hours.start else day + DAY
    return Interval(instant(day, hours.start, zone), instant(last, hours.end, zone))


def _starts(gap: Interval, span: Interval, rules: Rules) -> Iterable[dt.datetime]:
    steps = -(-(gap.start - span.start) // rules.granularity)
    start = span.start + steps * rules.granularity
    if gap.start < start and gap.start + rules.duration <= gap.end and start + rules.duration > gap.end:
        yield gap.start
    while start + rules.duration <= gap.end:
        yield start
        start += rules.granularity


def _cut(span: Interval, hole: Interval) -> list[Interval]:
    if not span.overlaps(hole):
        return [span]
    pieces = (Interval(span.start, hole.start), Interval(hole.end, span.end))
    return [piece for piece in pieces if piece.start < piece.end]


def _jump(late: dt.datetime, early: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The instant between the two readings of a time in the gap at which the zone's offset changes."""
    low, high = sorted((early, late))
    before = low.astimezone(zone).utcoffset()
    while high - low > dt.timedelta(seconds=1):
        middle = low + (high - low) / 2
        middle = middle.replace(microsecond=0)
        if middle == low:
            break
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high
