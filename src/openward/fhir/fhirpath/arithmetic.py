"""`+ - * / div mod &` on two values. https://hl7.org/fhirpath/N1/#math-2"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal
from typing import Any

from openward.fhir.fhirpath.context import LETTERS_A_STEP, MAX_STRING, Context
from openward.fhir.fhirpath.errors import FhirPathError, FhirPathTooCostly
from openward.fhir.fhirpath.functions.maths import WIDE, as_integer, decimal
from openward.fhir.fhirpath.functions.registry import one
from openward.fhir.fhirpath.model import Items
from openward.fhir.fhirpath.moments import Moment, Part
from openward.fhir.fhirpath.quantity import DEFINITE, Quantity, compare, multiply
from openward.fhir.fhirpath.values import describe, single
from openward.fhir.ucum import NotComparable, UnitUnknown, convert

NUMBERS = (int, Decimal)
FROM_UCUM = {code: word for word, code in DEFINITE.items()}
UNITS = ("year", "month", "day", "hour", "minute", "second")
IN_SECONDS: dict[str, Decimal] = {
    "week": Decimal(604_800), "day": Decimal(86_400), "hour": Decimal(3_600), "minute": Decimal(60), "second": Decimal(1),
    "millisecond": Decimal("0.001"),
}  # fmt: skip


def operate(operator: str, left: Items, right: Items, context: Context) -> Items:
    a, b = single(left, operator), single(right, operator)
    if operator == "&":
        return [_joined(a, b, context)]
    if a is None or b is None:
        return []
    if a.__class__ in NUMBERS and b.__class__ in NUMBERS:
        return NUMERIC[operator](a, b)
    if operator in "+-" and a.__class__ is Moment and b.__class__ is Quantity:
        return one(_moved(a, b, 1 if operator == "+" else -1))
    if operator == "+" and a.__class__ is str and b.__class__ is str:
        return [_joined(a, b, context)]
    if Quantity in (a.__class__, b.__class__) and operator in ("+", "-", "*", "/"):
        return _quantities(operator, _as_quantity(a), _as_quantity(b))
    raise FhirPathError(f"{operator} does not take {describe(a)} and {describe(b)}.")


def _joined(a: Any, b: Any, context: Context) -> str:
    if not all(value is None or value.__class__ is str for value in (a, b)):
        raise FhirPathError(f"Text is joined with text, not {describe(a)} with {describe(b)}.")
    if len(a or "") + len(b or "") > MAX_STRING:
        raise FhirPathTooCostly(f"A string of more than {MAX_STRING:,} characters would be made.")
    context.spend((len(a or "") + len(b or "")) // LETTERS_A_STEP)
    return (a or "") + (b or "")


Number = int | Decimal


def _of_both(integers: Callable[[int, int], int], decimals: Callable[[Decimal, Decimal], Decimal]) -> Callable[[Any, Any], Items]:
    def run(a: Any, b: Any) -> Items:
        if a.__class__ is int and b.__class__ is int:
            return as_integer(integers(a, b))
        return decimal(lambda: decimals(Decimal(a), Decimal(b)))

    return run


def _divided(a: Number, b: Number) -> Items:
    return [] if b == 0 else decimal(lambda: WIDE.divide(Decimal(a), Decimal(b)))


def _whole_division(a: Number, b: Number) -> Items:
    if b == 0:
        return []
    found = decimal(lambda: WIDE.divide(Decimal(a), Decimal(b)))
    return as_integer(int(found[0])) if found and abs(found[0]) < 10**12 else []


def _remainder(a: Number, b: Number) -> Items:
    if b == 0:
        return []
    found = decimal(lambda: WIDE.remainder(Decimal(a), Decimal(b)))
    return as_integer(int(found[0])) if found and a.__class__ is int and b.__class__ is int else found


NUMERIC: dict[str, Callable[[Any, Any], Items]] = {
    "+": _of_both(lambda a, b: a + b, WIDE.add),
    "-": _of_both(lambda a, b: a - b, WIDE.subtract),
    "*": _of_both(lambda a, b: a * b, WIDE.multiply),
    "/": _divided,
    "div": _whole_division,
    "mod": _remainder,
}


def _as_quantity(value: Any) -> Quantity:
    if value.__class__ is Quantity:
        return value
    if value.__class__ in NUMBERS:
        return Quantity(Decimal(value), "1")
    raise FhirPathError(f"{describe(value)} is no amount.".capitalize())


def _quantities(operator: str, a: Quantity, b: Quantity) -> Items:
    if a.foreign or b.foreign:
        return []
    if operator in "*/":
        return _product(a, b, 1 if operator == "*" else -1)
    if a.is_calendar and b.is_calendar and a.unit == b.unit:
        in_unit: Decimal | None = b.value
    else:
        in_unit = _converted(b, a)
    if in_unit is None or compare(a, b) is None:
        return []
    found = decimal(lambda: a.value + in_unit if operator == "+" else a.value - in_unit)
    return [Quantity(found[0], a.unit, a.is_calendar)] if found else []


def _converted(value: Quantity, to: Quantity) -> Decimal | None:
    if value.ucum is None or to.ucum is None:
        return None
    try:
        return convert(value.value, value.ucum, to.ucum)
    except (NotComparable, UnitUnknown):
        return None


def _product(a: Quantity, b: Quantity, sign: int) -> Items:
    if sign < 0 and b.value == 0:
        return []
    found = decimal(lambda: WIDE.multiply(a.value, b.value) if sign > 0 else WIDE.divide(a.value, b.value))
    return one(multiply(a, b, found[0], sign)) if found else []


def _moved(moment: Moment, by: Quantity, sign: int) -> Moment | None:
    """A moment so much later, as precise as it was; what is finer than it is cut off. Raises FhirPathError for no duration.

    UCUM months and years are means, not those of a calendar, so they are refused. Of `'s'` whole seconds count, of calendar seconds all.
    """
    unit = by.unit if by.is_calendar else FROM_UCUM.get(by.unit)
    if unit is None or by.foreign:
        raise FhirPathError(f"A date or time does not move by '{by.unit[:40]}'.")
    amount = by.value if unit == "second" and by.is_calendar else by.value.to_integral_value(ROUND_DOWN)
    if moment.kind == "Time":
        return _time_moved(moment, amount * sign, unit)
    finest = UNITS[len(moment.parts) - 1]
    months = _in_months(amount, unit, finest)
    try:
        if months is not None:
            return _by_months(moment, int(months) * sign)
        return _by_seconds(moment, _cut(amount * IN_SECONDS[unit], finest) * sign)
    except (OverflowError, ValueError):
        return None


def _in_months(amount: Decimal, unit: str, finest: str) -> Decimal | None:
    """Months to move by; None where days or less move it."""
    if unit == "year":
        return amount * 12
    if unit == "month":
        return amount if finest != "year" else (amount / 12).to_integral_value(ROUND_DOWN) * 12
    if finest == "year":
        return (amount * IN_SECONDS[unit] / 86_400 / 365).to_integral_value(ROUND_DOWN) * 12
    if finest == "month":
        return (amount * IN_SECONDS[unit] / 86_400 / 30).to_integral_value(ROUND_DOWN)
    return None


def _cut(seconds: Decimal, finest: str) -> Decimal:
    if finest == "second":
        return seconds
    return (seconds / IN_SECONDS[finest]).to_integral_value(ROUND_DOWN) * IN_SECONDS[finest]


def _by_months(moment: Moment, months: int) -> Moment | None:
    year, month = moment.parts[0], moment.parts[1] if len(moment.parts) > 1 else 1
    count = int(year) * 12 + int(month) - 1 + months
    year, month = count // 12, count % 12 + 1
    if not 1 <= year <= 9999:
        return None
    parts: tuple[Part, ...] = (year, month, *moment.parts[2:])
    if len(parts) > 2:
        parts = (year, month, min(int(parts[2]), calendar.monthrange(year, month)[1]), *parts[3:])
    return Moment(moment.kind, parts[: len(moment.parts)], moment.zone)


def _by_seconds(moment: Moment, seconds: Decimal) -> Moment:
    year, month, day, hour, minute = (*(int(part) for part in moment.parts[:5]), 0, 0)[:5]
    shown = Decimal(moment.parts[5]) if len(moment.parts) > 5 else Decimal(0)
    total = shown + seconds
    minutes, rest = divmod(total, 60)
    if rest < 0:
        minutes, rest = minutes - 1, rest + 60
    moved = dt.datetime(year, month, day, hour, minute) + dt.timedelta(minutes=int(minutes))
    parts: tuple[Part, ...] = (moved.year, moved.month, moved.day, moved.hour, moved.minute, rest)
    return Moment(moment.kind, parts[: len(moment.parts)], moment.zone)


def _time_moved(moment: Moment, amount: Decimal, unit: str) -> Moment | None:
    if unit not in ("hour", "minute", "second", "millisecond"):
        raise FhirPathError(f"A time of day does not move by {unit}s.")
    finest = UNITS[3 + len(moment.parts) - 1]
    try:
        moved = _by_seconds(Moment("DateTime", (2000, 1, 2, *moment.parts)), _cut(amount * IN_SECONDS[unit], finest))
    except (OverflowError, ValueError):
        return None
    return Moment("Time", moved.parts[3:])
