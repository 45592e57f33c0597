"""Dates, times of day and both together, each as precise as it was written. https://hl7.org/fhirpath/N1/#date"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

Kind = Literal["Date", "DateTime", "Time"]

_TIME = r"(\d{2})(?::(\d{2})(?::(\d{2}(?:\.\d+)?))?)?"
_ZONE = r"(Z|[+-]\d{2}:\d{2})"
DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
DATE_TIME = re.compile(rf"(\d{{4}})(?:-(\d{{2}})(?:-(\d{{2}}))?)?(?:T(?:{_TIME}{_ZONE}?)?)?")
TIME = re.compile(_TIME)

WESTMOST, EASTMOST = -12 * 60, 14 * 60
"""Minutes from UTC of the clocks furthest behind and ahead: what a time without a zone may mean."""

Part = int | Decimal


@dataclass(frozen=True, slots=True)
class Moment:
    """`parts` from the year (of a Time: the hour) on, as many as were written; seconds are Decimal with the digits given.

    `zone` is minutes east of UTC, None where none was written.
    """

    kind: Kind
    parts: tuple[Part, ...]
    zone: int | None = None

    def __str__(self) -> str:
        if self.kind == "Time":
            return _clock(self.parts)
        day = "-".join(f"{part:0{4 if place == 0 else 2}d}" for place, part in enumerate(self.parts[:3]))
        if self.kind == "Date" or len(self.parts) <= 3:
            return day
        return f"{day}T{_clock(self.parts[3:])}{zone_text(self.zone)}"

    @property
    def key(self) -> tuple[object, ...]:
        """The same for two moments that are equal for certain."""
        if self.zone is not None and len(self.parts) > 3:
            return ("moment", len(self.parts), True, _shifted(self, -self.zone))
        return ("time" if self.kind == "Time" else "moment", len(self.parts), False, self.parts)


def _clock(parts: tuple[Part, ...]) -> str:
    text = ":".join(f"{part:02d}" for part in parts[:2] if isinstance(part, int))
    return text + (f":{_seconds(Decimal(parts[2]))}" if len(parts) > 2 else "")


def _seconds(value: Decimal) -> str:
    whole, _, fraction = str(value).partition(".")
    return whole.zfill(2) + (f".{fraction}" if fraction else "")


def zone_text(zone: int | None) -> str:
    if zone is None:
        return ""
    if zone == 0:
        return "Z"
    hours, minutes = divmod(abs(zone), 60)
    return f"{'-' if zone < 0 else '+'}{hours:02d}:{minutes:02d}"


@lru_cache(8192)
def read(kind: Kind, text: str) -> Moment | None:
    """The moment a text states, None when it states none."""
    match = {"Date": DATE, "DateTime": DATE_TIME, "Time": TIME}[kind].fullmatch(text)
    if match is None:
        return None
    *found, zone = match.groups() if kind == "DateTime" else (*match.groups(), None)
    parts = tuple(Decimal(part) if place == len(found) - 1 and kind != "Date" else int(part) for place, part in enumerate(found) if part is not None)
    moment = Moment(kind, parts, _zone(zone))
    return moment if _is_real(moment) else None


def _zone(text: str | None) -> int | None:
    if text is None:
        return None
    if text == "Z":
        return 0
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return -minutes if text[0] == "-" else minutes


def _is_real(moment: Moment) -> bool:
    parts = moment.parts
    clock = parts if moment.kind == "Time" else parts[3:]
    if any(part >= limit for part, limit in zip(clock, (24, 60, 61), strict=False)):
        return False
    if moment.kind == "Time":
        return True
    if parts[0] < 1 or (len(parts) > 1 and not 1 <= parts[1] <= 12):
        return False
    return len(parts) < 3 or 1 <= parts[2] <= calendar.monthrange(int(parts[0]), int(parts[1]))[1]


def compare(left: Moment, right: Moment) -> int | None:
    """-1, 0 or 1; None where what was not written decides. A Date stands before any written hour of it undecided, as the specification wants."""
    if left.zone is not None and right.zone is not None:
        return _by_parts(_shifted(left, -left.zone), _shifted(right, -right.zone))
    if left.zone is None and right.zone is None:
        return _by_parts(left.parts, right.parts)
    return _by_ranges(left, right)


def _by_parts(left: tuple[Part, ...], right: tuple[Part, ...]) -> int | None:
    for one, other in zip(left, right, strict=False):
        if one != other:
            return -1 if one < other else 1
    return 0 if len(left) == len(right) else None


def _shifted(moment: Moment, minutes: int) -> tuple[Part, ...]:
    """The parts on a clock that many minutes ahead; what is less precise than hours has no clock and stays."""
    if minutes == 0 or len(moment.parts) <= 3:
        return moment.parts
    year, month, day, hour, minute = (*(int(part) for part in moment.parts[:5]), 0)[:5]
    try:
        moved = dt.datetime(year, month, day, hour, minute) + dt.timedelta(minutes=minutes)
    except OverflowError:
        return moment.parts
    return (moved.year, moved.month, moved.day, moved.hour, moved.minute, *moment.parts[5:])[: len(moment.parts)]


def _by_ranges(left: Moment, right: Moment) -> int | None:
    (first, last), (other_first, other_last) = _range(left), _range(right)
    if last < other_first:
        return -1
    return 1 if first > other_last else None


def _range(moment: Moment) -> tuple[float, float]:
    """First and last second it may mean, counted in UTC."""
    whole = Moment("DateTime", moment.parts, moment.zone)
    first, last = _in_seconds(lowest(whole).parts), _in_seconds(highest(whole).parts)
    if moment.zone is not None:
        return first - moment.zone * 60, last - moment.zone * 60
    return first - EASTMOST * 60, last - WESTMOST * 60


def _in_seconds(parts: tuple[Part, ...]) -> float:
    year, month, day, hour, minute = (int(part) for part in parts[:5])
    return dt.date(year, month, day).toordinal() * 86400.0 + hour * 3600 + minute * 60 + float(parts[5])


def lowest(moment: Moment) -> Moment:
    """The first millisecond it may mean, on its own clock."""
    parts = (*moment.parts, *_FIRST[moment.kind][len(moment.parts) :])
    return Moment(moment.kind, parts, moment.zone)


def highest(moment: Moment) -> Moment:
    """The last millisecond it may mean, on its own clock."""
    parts: tuple[Part, ...] = moment.parts
    for part in _LAST[moment.kind][len(parts) :]:
        is_day = moment.kind != "Time" and len(parts) == 2
        parts = (*parts, calendar.monthrange(int(parts[0]), int(parts[1]))[1] if is_day else part)
    return Moment(moment.kind, parts, moment.zone)


_FIRST: dict[str, tuple[Part, ...]] = {
    "Date": (1, 1, 1), "DateTime": (1, 1, 1, 0, 0, Decimal("0.000")), "Time": (0, 0, Decimal("0.000")),
}  # fmt: skip
_LAST: dict[str, tuple[Part, ...]] = {
    "Date": (9999, 12, 31), "DateTime": (9999, 12, 31, 23, 59, Decimal("59.999")), "Time": (23, 59, Decimal("59.999")),
}  # fmt: skip
