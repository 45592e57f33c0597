"""A date as people type or say it, read the American way round: month before day unless a name or a number over 12 says otherwise."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Final

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
PARTS: Final = re.compile(r"\d+|[a-z]+", re.IGNORECASE)
COMPACT: Final = re.compile(r"\d{8}|\d{6}")
ORDINALS: Final = frozenset({"st", "nd", "rd", "th", "of"})


class UnreadableDate(ValueError):
    """Enter a date such as 3 Feb 1980, 02/03/1980 or 1980-02-03."""


def read_date(text: str, *, today: dt.date) -> dt.date:
    """A date that is not after `today`; a two-digit year is the latest such. Raises UnreadableDate.

    Reads `1980-02-03`, `02/03/1980`, `2.3.80`, `3 Feb 1980`, `Feb 3rd, 1980`, `03-Feb-1980`, `02031980` and `19800203`.
    """
    for year, month, day in _readings(text):
        date = _date(year, month, day, today)
        if date:
            return date
    raise UnreadableDate(UnreadableDate.__doc__)


def looks_like_a_date(text: str, *, today: dt.date) -> dt.date | None:
    """The date in a search box, or None when it is something else: a number alone is not a date unless it has eight digits."""
    if not re.search(r"\d", text) or re.fullmatch(r"\s*\d{1,7}\s*", text):
        return None
    try:
        return read_date(text, today=today)
    except UnreadableDate:
        return None


def _readings(text: str) -> Iterator[tuple[str, int, int]]:
    """The possible (year, month, day) of what was typed, likeliest first."""
    parts = [part.lower() for part in PARTS.findall(text) if part.lower() not in ORDINALS]
    if len(parts) == 1 and COMPACT.fullmatch(parts[0]):
        parts = _split(parts[0])
    if len(parts) != 3:
        return
    numbers = [_month(part) if part.isalpha() else int(part) for part in parts]
    named = [place for place, part in enumerate(parts) if part.isalpha()]
    for year, month, day in _orders(parts, named):
        if named in ([], [month]):
            yield parts[year], numbers[month], numbers[day]


def _orders(parts: list[str], named: list[int]) -> list[tuple[int, int, int]]:
    """Positions of year, month and day. A first part of four digits is a year; a month's name fixes the rest."""
    if len(parts[0]) == 4 and parts[0].isdigit():
        return [(0, 1, 2), (0, 2, 1)]
    if named == [1]:
        return [(2, 1, 0)]
    return [(2, 0, 1), (2, 1, 0)]


def _split(digits: str) -> list[str]:
    if len(digits) == 8 and 19 <= int(digits[:2]) <= 20 and int(digits[4:6]) <= 12:
        return [digits[:4], digits[4:6], digits[6:]]
    return [digits[:2], digits[2:4], digits[4:]]


def _month(name: str) -> int:
    """1 to 12, or 0 for a word that is not a month."""
    return MONTHS.index(name[:3]) + 1 if name[:3] in MONTHS else 0


def _date(year: str, month: int, day: int, today: dt.date) -> dt.date | None:
    if not year.isdigit() or len(year) not in (2, 4):
        return None
    number = int(year)
    try:
        if len(year) == 4:
            return _past(dt.date(number, month, day), today)
        this_century = today.year // 100 * 100
        return _past(dt.date(this_century + number, month, day), today) or dt.date(this_century - 100 + number, month, day)
    except ValueError:
        return None


def _past(date: dt.date, today: dt.date) -> dt.date | None:
    return date if dt.date(1880, 1, 1) <= date <= today else None
