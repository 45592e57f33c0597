"""From one of FHIRPath's own types to another. https://hl7.org/fhirpath/N1/#conversion"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from openward.fhir.fhirpath import moments
from openward.fhir.fhirpath.context import Context
from openward.fhir.fhirpath.functions.maths import as_integer
from openward.fhir.fhirpath.functions.registry import function, one
from openward.fhir.fhirpath.model import Items
from openward.fhir.fhirpath.moments import Kind, Moment
from openward.fhir.fhirpath.parser import CALENDAR
from openward.fhir.fhirpath.quantity import Quantity
from openward.fhir.fhirpath.values import single, text
from openward.fhir.ucum import NotComparable, UnitUnknown, convert

INTEGER = re.compile(r"[+-]?\d{1,10}")
DECIMAL = re.compile(r"[+-]?\d{1,100}(\.\d{1,100})?")
QUANTITY = re.compile(r"([+-]?\d{1,100}(?:\.\d{1,100})?)\s*(?:'([^']+)'|([a-zA-Z]+))?")
TRUE = {"true", "t", "yes", "y", "1", "1.0"}
FALSE = {"false", "f", "no", "n", "0", "0.0"}


def to_boolean(value: Any) -> bool | None:
    if value.__class__ is str:
        said = value.lower()
        return True if said in TRUE else False if said in FALSE else None
    if value.__class__ in (bool, int, Decimal) and value in (0, 1):
        return bool(value)
    return None


def to_integer(value: Any) -> int | None:
    if value.__class__ in (bool, int):
        return int(value)
    if value.__class__ is str and INTEGER.fullmatch(value):
        found = as_integer(int(value))
        return found[0] if found else None
    return None


def to_decimal(value: Any) -> Decimal | None:
    if value.__class__ in (bool, int, Decimal):
        return Decimal(value)
    return Decimal(value) if value.__class__ is str and DECIMAL.fullmatch(value) else None


def to_text(value: Any) -> str | None:
    if value.__class__ is bool:
        return "true" if value else "false"
    if value.__class__ is Decimal:
        return f"{value:f}"
    return str(value) if value.__class__ in (str, int, Moment, Quantity) else None


def to_quantity(value: Any) -> Quantity | None:
    if value.__class__ is Quantity:
        return value
    if value.__class__ in (bool, int, Decimal):
        return Quantity(Decimal(value), "1")
    match = QUANTITY.fullmatch(value) if value.__class__ is str else None
    if match is None or (match[3] and match[3] not in CALENDAR):
        return None
    return Quantity(Decimal(match[1]), CALENDAR[match[3]], is_calendar=True) if match[3] else Quantity(Decimal(match[1]), match[2] or "1")


def _to_moment(kind: Kind) -> Callable[[Any], Moment | None]:
    def to_moment(value: Any) -> Moment | None:
        if value.__class__ is str:
            return moments.read(kind, value)
        if value.__class__ is not Moment:
            return None
        if value.kind == kind:
            return value
        if "Time" in (kind, value.kind):
            return None
        return Moment(kind, value.parts[:3] if kind == "Date" else value.parts, None if kind == "Date" else value.zone)

    return to_moment


CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "Boolean": to_boolean,
    "Integer": to_integer,
    "Decimal": to_decimal,
    "String": to_text,
    "Date": _to_moment("Date"),
    "DateTime": _to_moment("DateTime"),
    "Time": _to_moment("Time"),
}


def _register(name: str, convert: Callable[[Any], Any]) -> None:
    @function(f"to{name}")
    def to(items: Items, context: Context) -> Items:
        return one(convert(single(items, f"to{name}()")))

    @function(f"convertsTo{name}")
    def converts(items: Items, context: Context) -> Items:
        value = single(items, f"convertsTo{name}()")
        return [] if value is None else [convert(value) is not None]


for _name, _convert in CONVERSIONS.items():
    _register(_name, _convert)


@function("toQuantity", 0, 1)
def to_quantity_(items: Items, context: Context, unit: Items | None = None) -> Items:
    return one(_in_unit(to_quantity(single(items, "toQuantity()")), unit))


@function("convertsToQuantity", 0, 1)
def converts_to_quantity(items: Items, context: Context, unit: Items | None = None) -> Items:
    value = single(items, "convertsToQuantity()")
    return [] if value is None else [_in_unit(to_quantity(value), unit) is not None]


def _in_unit(value: Quantity | None, unit: Items | None) -> Quantity | None:
    wanted = text(unit, "toQuantity()") if unit else None
    if value is None or wanted is None or value.unit == wanted:
        return value
    if value.ucum is None:
        return None
    try:
        return Quantity(convert(value.value, value.ucum, wanted), wanted)
    except (NotComparable, UnitUnknown):
        return None
