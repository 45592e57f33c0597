"""Parts of dates and times; empty where the part was not written. https://hl7.org/fhirpath/#date-and-time-component-functions"""

from __future__ import annotations

from decimal import Decimal

from openward.fhir.fhirpath.context import Context
from openward.fhir.fhirpath.errors import FhirPathError
from openward.fhir.fhirpath.functions.registry import function
from openward.fhir.fhirpath.model import Items
from openward.fhir.fhirpath.moments import Moment
from openward.fhir.fhirpath.values import describe, single

PLACES = {"yearOf": 0, "monthOf": 1, "dayOf": 2, "hourOf": 3, "minuteOf": 4, "secondOf": 5}


def _moment(items: Items, name: str) -> Moment | None:
    value = single(items, name)
    if value is None or value.__class__ is Moment:
        return value
    raise FhirPathError(f"{name} takes a date or time, not {describe(value)}.")


def _register(name: str, place: int) -> None:
    @function(name)
    def part(items: Items, context: Context) -> Items:
        value = _moment(items, f"{name}()")
        own = place - 3 if value is not None and value.kind == "Time" else place
        return [int(value.parts[own])] if value is not None and 0 <= own < len(value.parts) else []


for _name, _place in PLACES.items():
    _register(_name, _place)


@function("millisecondOf")
def millisecond_of(items: Items, context: Context) -> Items:
    value = _moment(items, "millisecondOf()")
    last = value.parts[-1] if value is not None else None
    return [int(last % 1 * 1000)] if isinstance(last, Decimal) and last.as_tuple().exponent != 0 else []


@function("timezoneOffsetOf")
def timezone_offset_of(items: Items, context: Context) -> Items:
    value = _moment(items, "timezoneOffsetOf()")
    return [] if value is None or value.zone is None else [Decimal(value.zone) / 60]


@function("dateOf")
def date_of(items: Items, context: Context) -> Items:
    value = _moment(items, "dateOf()")
    return [] if value is None or value.kind == "Time" else [Moment("Date", value.parts[:3])]


@function("timeOf")
def time_of(items: Items, context: Context) -> Items:
    value = _moment(items, "timeOf()")
    return [Moment("Time", value.parts[3:])] if value is not None and value.kind == "DateTime" and len(value.parts) > 3 else []
