"""Date parameters: a date of any precision is the range of instants it may mean. https://hl7.org/fhir/R4/search.html#date

Ranges are half-open, in UTC; a date without a zone is taken in UTC. `-infinity` and `infinity` stand for open ends.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from openward.fhir.definitions import SearchParameter
from openward.fhir.errors import BadRequest
from openward.fhir.search.parameters import number, owned, plan
from openward.fhir.search.prefix import split_prefix
from openward.fhir.search.sql import Bindings, any_of, rtype

PAST, FUTURE = "-infinity", "infinity"
Range = tuple[str, str]
INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::(\d{2})(?:\.(\d+))?)?(Z|[+-]\d{2}:\d{2})?")
DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
ONE_SECOND, ONE_MINUTE, ONE_DAY = dt.timedelta(seconds=1), dt.timedelta(minutes=1), dt.timedelta(days=1)
LONGEST_MOMENT = "366 days"


def extract(datatype: str, value: Any) -> Range | None:
    """The range of one value; None for what is not a date (an age, a text)."""
    if isinstance(value, str):
        return None if datatype == "string" else span(value)
    if datatype == "Period":
        return _period(value)
    return _timing(value) if datatype == "Timing" else None


@lru_cache(maxsize=4096)
def span(text: str) -> Range | None:
    """The half-open range a date, dateTime or instant means; None when it is not one."""
    if len(text) > 10:
        return _instant(text)
    match = DAY.fullmatch(text)
    if not match:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        first = dt.date(year or 1, month or 1, day or 1)
    except ValueError:
        return None
    return _midnight(first), _midnight(_after(first, month, day))


def _after(first: dt.date, month: int | None, day: int | None) -> dt.date | None:
    if first.year == 9999:
        return None
    if day:
        return first + ONE_DAY
    if month:
        return dt.date(first.year + month // 12, month % 12 + 1, 1)
    return dt.date(first.year + 1, 1, 1)


def _midnight(day: dt.date | None) -> str:
    return f"{day.isoformat()}T00:00:00+00:00" if day else FUTURE


def _instant(text: str) -> Range | None:
    """A T and at least hours and minutes; as precise as it is written."""
    match = INSTANT.fullmatch(text)
    if not match:
        return None
    day, time, seconds, fraction, zone = match.groups()
    try:
        start = dt.datetime.fromisoformat(f"{day}T{time}:{_second(seconds)}.{(fraction or '0')[:6]:0<6}{'+00:00' if zone in (None, 'Z') else zone}")
        end = start + (
            ONE_MINUTE if seconds is None else ONE_SECOND if fraction is None else dt.timedelta(microseconds=10 ** (6 - min(len(fraction), 6)))
        )
    except (ValueError, OverflowError):
        return None
    return start.isoformat(), end.isoformat()


def _second(seconds: str | None) -> str:
    """A leap second counts as the one before it."""
    return "59" if seconds == "60" else seconds or "00"


def _period(value: Mapping[str, Any]) -> Range | None:
    start, end = value.get("start"), value.get("end")
    first, last = (span(start) if start else None), (span(end) if end else None)
    if not first and not last:
        return None
    return (first[0] if first else PAST), (last[1] if last else FUTURE)


def _timing(value: Mapping[str, Any]) -> Range | None:
    """From the first event to the end of the last; the bounds of the repetition."""
    ranges = [found for event in value.get("event", ()) if event and (found := span(event))]
    bounds = value.get("repeat", {}).get("boundsPeriod")
    if bounds and (found := _period(bounds)):
        ranges.append(found)
    return outer(ranges)


def outer(ranges: Sequence[Range]) -> Range | None:
    if not ranges:
        return None
    return min((r[0] for r in ranges), key=instant_of), max((r[1] for r in ranges), key=instant_of)


def instant_of(text: str) -> float:
    """A time of a Range as seconds since 1970, for comparing."""
    return float(text) if text in (PAST, FUTURE) else dt.datetime.fromisoformat(text).timestamp()


def asked(code: str, value: str) -> tuple[str, str, str]:
    """(prefix, from, to) of a value in a query. Raises BadRequest."""
    prefix, text = split_prefix(value)
    text = re.sub(r"(T[\d:.]+) (\d{2}:\d{2})$", r"\1+\2", text)  # an unescaped + in a URL arrives as a space
    found = span(text)
    if not found:
        raise BadRequest(f"{code}: {value!r} is not a date such as 2026, 2026-11, 2026-11-03 or 2026-11-03T14:30:00Z.")
    return prefix, *(_widened(found) if prefix == "ap" else found)


def _widened(found: Range) -> Range:
    """A tenth of the time between the date and now, either way."""
    low, high = (
        dt.datetime.fromisoformat(found[0]),
        (dt.datetime.fromisoformat(found[1]) if found[1] != FUTURE else dt.datetime.max.replace(tzinfo=dt.UTC)),
    )
    margin = abs(dt.datetime.now(dt.UTC) - low) / 10
    try:
        return (low - margin).isoformat(), (high + margin).isoformat()
    except OverflowError:
        return PAST, FUTURE


COMPARISONS: Mapping[str, str] = {
    "eq": "({lo} >= {a} and {lo} < {b} and {hi} <= {b})",
    "ne": "not ({lo} >= {a} and {hi} <= {b})",
    "gt": "({hi} > {b})",
    "lt": "({lo} < {a})",
    "ge": "({hi} > {a} and ({hi} > {b} or {lo} >= {a}))",
    "le": "({lo} < {b} and ({lo} < {a} or {hi} <= {b}))",
    "sa": "({lo} >= {b})",
    "eb": "({hi} <= {a})",
    "ap": "({lo} < {b} and {hi} > {a})",
}
"""The target's range {lo}–{hi} against the value's {a}–{b}. https://hl7.org/fhir/R4/search.html#prefix

The first halves of eq, ge and le follow from the rest; they are there for the index on {lo}.
"""

# A moment (date, dateTime, instant) spans a year at most, which bounds {lo} from below as well.
BOUNDED: Mapping[str, str] = {"gt": "{b}", "ge": "{a}", "ap": "{a}"}


def compare(code: str, value: str, columns: tuple[str, str], bind: Bindings, *, moment: bool = False) -> str:
    """The comparison of a query's value, with its prefix, against the range in two columns."""
    prefix, low, high = asked(code, value)
    places = {"a": bind.place(low, "::timestamptz"), "b": bind.place(high, "::timestamptz"), "lo": columns[0], "hi": columns[1]}
    text = COMPARISONS[prefix]
    if moment and prefix in BOUNDED:
        text = f"({text} and {{lo}} > {BOUNDED[prefix]} - interval '{LONGEST_MOMENT}')"
    return text.format(**places)


def has_start(parameter: SearchParameter, values: Sequence[str]) -> bool:
    """Whether what one of the values finds by the leading date has a `date_lo`: neither nothing, nor a period that began who knows when."""
    here = plan(parameter.base)
    if [owner.code for owner in owned(parameter.base, parameter.code)] != [here.date]:
        return False
    starting = frozenset({"eq", "sa", *(BOUNDED if here.date_is_a_moment else ())})
    return all(split_prefix(value)[0] in starting for value in values)


def condition(parameter: SearchParameter, values: Sequence[str], modifier: str | None, bind: Bindings) -> str:
    here = plan(parameter.base)
    owners = owned(parameter.base, parameter.code)
    return any_of([_owner_condition(owner, values, owner.code == here.date, here.date_is_a_moment, bind) for owner in owners])


def _owner_condition(owner: SearchParameter, values: Sequence[str], is_leading: bool, moment: bool, bind: Bindings) -> str:
    if is_leading:
        found = any_of([compare(owner.code, value, ("c.date_lo", "c.date_hi"), bind, moment=moment) for value in values])
        return f"(c.date_hi > '-infinity' and {found})"
    found = any_of([compare(owner.code, value, ("d.lo", "d.hi"), bind) for value in values])
    return (
        f"c.rkey in (select d.rkey from fhir.date_value d where d.tenant = %(tenant)s and d.rtype = {rtype(owner.base)}"  # noqa: S608
        f" and d.param = {bind.place(number(owner.code))} and {found})"
    )


def last_updated(values: Sequence[str], bind: Bindings) -> str:
    """`_lastUpdated`: a point in time, kept to the millisecond."""
    columns = ("c.last_updated", "(c.last_updated + interval '1 millisecond')")
    return any_of([compare("_lastUpdated", value, columns, bind) for value in values])
