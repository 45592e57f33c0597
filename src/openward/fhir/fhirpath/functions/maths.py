"""Numbers. https://hl7.org/fhirpath/N1/#math"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, DecimalException, InvalidOperation

from openward.fhir.fhirpath.context import Context as Evaluation
from openward.fhir.fhirpath.errors import FhirPathError
from openward.fhir.fhirpath.functions.registry import function
from openward.fhir.fhirpath.model import Items
from openward.fhir.fhirpath.quantity import Quantity
from openward.fhir.fhirpath.values import number, single, whole

WIDE = Context(prec=40, Emax=10_000, Emin=-10_000)
SHOWN = Context(prec=28, Emax=10_000, Emin=-10_000)
GREATEST_INTEGER, LEAST_INTEGER = 2_147_483_647, -2_147_483_648
MAX_PLACES = 100


def as_integer(value: Decimal | int) -> Items:
    """A FHIRPath Integer has 32 bits; what does not fit is empty, as the specification says of overflow."""
    return [int(value)] if LEAST_INTEGER <= value <= GREATEST_INTEGER else []


def decimal(work: Callable[[], Decimal]) -> Items:
    """The result to 28 digits; empty where mathematics has none."""
    try:
        value = SHOWN.plus(work())
    except (DecimalException, OverflowError):
        return []
    return [value] if value.is_finite() else []


@function("abs")
def absolute(items: Items, context: Evaluation) -> Items:
    value = single(items, "abs()")
    if value.__class__ is Quantity:
        return [Quantity(abs(value.value), value.unit, value.is_calendar, value.foreign)]
    found = number(items, "abs()")
    return [] if found is None else [abs(found)]


def _integral(items: Items, name: str, rounding: str | None) -> Items:
    value = number(items, name)
    if value is None or value.__class__ is int:
        return [] if value is None else [value]
    return as_integer(int(value) if rounding is None else int(Decimal(value).to_integral_value(rounding)))


@function("ceiling")
def ceiling(items: Items, context: Evaluation) -> Items:
    return _integral(items, "ceiling()", ROUND_CEILING)


@function("floor")
def floor(items: Items, context: Evaluation) -> Items:
    return _integral(items, "floor()", ROUND_FLOOR)


@function("truncate")
def truncate(items: Items, context: Evaluation) -> Items:
    return _integral(items, "truncate()", None)


@function("exp")
def exponential(items: Items, context: Evaluation) -> Items:
    value = number(items, "exp()")
    return [] if value is None or not -20_000 <= value <= 20_000 else decimal(lambda: WIDE.exp(Decimal(value)))


@function("ln")
def natural_logarithm(items: Items, context: Evaluation) -> Items:
    value = number(items, "ln()")
    return [] if value is None or value <= 0 else decimal(lambda: WIDE.ln(Decimal(value)))


@function("log", 1)
def logarithm(items: Items, context: Evaluation, base: Items) -> Items:
    value, to = number(items, "log()"), number(base, "log()")
    if value is None or to is None or value <= 0 or to <= 0:
        return []
    return decimal(lambda: WIDE.divide(WIDE.ln(Decimal(value)), WIDE.ln(Decimal(to))))


@function("power", 1)
def power(items: Items, context: Evaluation, exponent: Items) -> Items:
    value, to = number(items, "power()"), number(exponent, "power()")
    if value is None or to is None:
        return []
    found = decimal(lambda: WIDE.power(Decimal(value), Decimal(to)))
    if found and value.__class__ is int and to.__class__ is int and to >= 0:
        return as_integer(found[0])
    return found


@function("sqrt")
def square_root(items: Items, context: Evaluation) -> Items:
    value = number(items, "sqrt()")
    return [] if value is None or value < 0 else decimal(lambda: WIDE.sqrt(Decimal(value)))


@function("round", 0, 1)
def round_(items: Items, context: Evaluation, precision: Items | None = None) -> Items:
    value = number(items, "round()")
    places = (whole(precision, "round()") if precision is not None else 0) or 0
    if value is None:
        return []
    if not 0 <= places <= MAX_PLACES:
        raise FhirPathError(f"round() takes a precision from 0 to {MAX_PLACES}.")
    if value.__class__ is int:
        return [value]
    return [rounded(Decimal(value), places, ROUND_HALF_UP)]


def rounded(value: Decimal, places: int, rounding: str) -> Decimal:
    try:
        return value.quantize(Decimal(1).scaleb(-places), rounding, Context(prec=600))
    except InvalidOperation as error:
        raise FhirPathError("The number cannot be rounded.") from error
