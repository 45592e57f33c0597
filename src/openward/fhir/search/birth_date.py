"""Dates as people type them at a desk: 03-Nov-1980, 11/3/1980, 1980-11-03, Nov 3 1980, 19801103, 1980."""

from __future__ import annotations

import datetime as dt
import re

MONTHS = {name: number for number, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}
MONTH = rf"(?P<month>{'|'.join(MONTHS)})[a-z]*\.?"
YEAR = r"(?P<year>(?:19|20)\d{2}|\d{2})"
DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
BETWEEN = r"[\s\-./,]+"

SPELLED = (
    rf"\b{DAY}{BETWEEN}{MONTH}{BETWEEN}{YEAR}\b",
    rf"\b{MONTH}{BETWEEN}{DAY}{BETWEEN}{YEAR}\b",
    rf"\b{MONTH}{BETWEEN}(?P<year>(?:19|20)\d{{2}})\b",
)
ISO = r"\b(?P<year>(?:19|20)\d{2})-(?P<first>\d{1,2})(?:-(?P<second>\d{1,2}))?\b"
NUMBERS = r"\b(?P<first>\d{1,2})[/.\-](?P<second>\d{1,2})[/.\-](?P<year>(?:19|20)\d{2}|\d{2})\b"
RUN_TOGETHER = r"\b(?:(?P<ymd>(?:19|20)\d{6})|(?P<mdy>\d{4}(?:19|20)\d{2}))\b"
YEAR_ALONE = r"(?:^|(?<=[A-Za-z,]\s))(?P<year>(?:19|20)\d{2})\s*$"


def dates_in(text: str) -> tuple[list[str], str]:
    """(the dates the first date in `text` may mean, as YYYY-MM-DD or less, the likeliest first; the text without it).

    Numbers alone are read in US order, month first; where that day exists the other way round, that too. Two-digit years are the latest
    that is not in the future.
    """
    lowered = text.lower()
    for pattern, read in READERS:
        match = re.search(pattern, lowered)
        if match and (found := read(match)):
            return found, text[: match.start()] + " " + text[match.end() :]
    return [], text


def _spelled(match: re.Match[str]) -> list[str]:
    parts = match.groupdict()
    month = MONTHS[parts["month"]]
    if not parts.get("day"):
        return [f"{_year(parts['year'])}-{month:02}"]
    return _real(_year(parts["year"]), month, int(parts["day"]))


def _iso(match: re.Match[str]) -> list[str]:
    year, month, day = int(match["year"]), int(match["first"]), match["second"]
    if day:
        return _real(year, month, int(day))
    return [f"{year}-{month:02}"] if 1 <= month <= 12 else []


def _numbers(match: re.Match[str]) -> list[str]:
    year, first, second = _year(match["year"]), int(match["first"]), int(match["second"])
    return list(dict.fromkeys([*_real(year, first, second), *_real(year, second, first)]))


def _run_together(match: re.Match[str]) -> list[str]:
    if text := match["ymd"]:
        return _real(int(text[:4]), int(text[4:6]), int(text[6:]))
    text = match["mdy"]
    return list(dict.fromkeys([*_real(int(text[4:]), int(text[:2]), int(text[2:4])), *_real(int(text[4:]), int(text[2:4]), int(text[:2]))]))


def _year_alone(match: re.Match[str]) -> list[str]:
    return [match["year"]]


def _year(text: str) -> int:
    if len(text) == 4:
        return int(text)
    now = dt.datetime.now(dt.UTC).year
    year = now // 100 * 100 + int(text)
    return year if year <= now else year - 100


def _real(year: int, month: int, day: int) -> list[str]:
    try:
        return [dt.date(year, month, day).isoformat()]
    except ValueError:
        return []


READERS = (
    *((pattern, _spelled) for pattern in SPELLED),
    (ISO, _iso),
    (NUMBERS, _numbers),
    (RUN_TOGETHER, _run_together),
    (YEAR_ALONE, _year_alone),
)
