"""The least and greatest value a value as precise as this may stand for. https://hl7.org/fhirpath/#lowboundaryprecision-integer-decimal--date--datetime--time"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from openward.fhir.fhirpath import moments
from openward.fhir.fhirpath.context import Context
from openward.fhir.fhirpath.functions.maths import rounded
from openward.fhir.fhirpath.functions.registry import function, one
from openward.fhir.fhirpath.model import Items
from openward.fhir.fhirpath.moments import EASTMOST, WESTMOST, Moment, Part
from openward.fhir.fhirpath.quantity import Quantity, measures_the_same
from openward.fhir.fhirpath.values import single, whole

MAX_PRECISION = 31
DIGITS = {"Date": (4, 6, 8), "DateTime": (4, 6, 8, 10, 12, 14, 17), "Time": (2, 4, 6, 9)}
"""Digits written up to each part; seconds count as 14 (6) digits without and 17 (9) with milliseconds."""


@function("lowBoundary", 0, 1)
def low_boundary(items: Items, context: Context, precision: Items | None = None) -> Items:
    return one(_boundary(single(items, "lowBoundary()"), whole(precision or [], "lowBoundary()"), is_low=True))


@function("highBoundary", 0, 1)
def high_boundary(items: Items, context: Context, precision: Items | None = None) -> Items:
    return one(_boundary(single(items, "highBoundary()"), whole(precision or [], "highBoundary()"), is_low=False))


def _boundary(value: Any, precision: int | None, *, is_low: bool) -> Any:
    if value.__class__ in (int, Decimal):
        return _of_number(Decimal(value), 8 if precision is None else precision, is_low)
    if value.__class__ is Quantity:
        found = _of_number(value.value, 8 if precision is None else precision, is_low)
        return None if found is None else Quantity(found, value.unit, value.is_calendar, value.foreign)
    if value.__class__ is Moment:
        return _of_moment(value, precision if precision is not None else DIGITS[value.kind][-1], is_low)
    return None


def _of_number(value: Decimal, precision: int, is_low: bool) -> Decimal | None:
    """Half of the last digit's worth down or up; a bound nearer to zero is cut to the precision, one further from it rounded."""
    if not 0 <= precision <= MAX_PRECISION:
        return None
    half = Decimal(5).scaleb(int(value.as_tuple().exponent) - 1)
    is_inward = is_low != (value.is_signed())
    bound = value - half if is_low else value + half
    return rounded(bound, precision, ROUND_DOWN if is_inward else ROUND_HALF_UP)


def _of_moment(value: Moment, precision: int, is_low: bool) -> Moment | None:
    if precision not in DIGITS[value.kind]:
        return None
    # FHIR writes no hours without minutes, so an hour alone is read as its first minute.
    read = Moment(value.kind, (*value.parts, 0), value.zone) if value.kind == "DateTime" and len(value.parts) == 4 else value
    bound: Callable[[Moment], Moment] = moments.lowest if is_low else moments.highest
    return _cut(bound(read), precision, EASTMOST if is_low else WESTMOST)


def _cut(value: Moment, precision: int, zone: int) -> Moment:
    digits = DIGITS[value.kind]
    many = min(digits.index(precision) + 1, len(value.parts))
    parts: tuple[Part, ...] = value.parts[:many]
    if value.kind == "DateTime" and many > 3 and value.zone is None:
        value = Moment(value.kind, value.parts, zone)
    if isinstance(parts[-1], Decimal):
        parts = (*parts[:-1], rounded(parts[-1], 3 if precision == digits[-1] else 0, ROUND_DOWN))
    return Moment(value.kind, parts, value.zone if many > 3 else None)


@function("precision")
def precision_(items: Items, context: Context) -> Items:
    """Digits after the point of a number, digits written of a moment."""
    value = single(items, "precision()")
    if value.__class__ is int:
        return [0]
    if value.__class__ is Decimal:
        return [max(0, -int(value.as_tuple().exponent))]
    if value.__class__ is not Moment:
        return []
    digits = DIGITS[value.kind]
    has_fraction = isinstance(value.parts[-1], Decimal) and value.parts[-1].as_tuple().exponent != 0
    return [digits[-1] if has_fraction else digits[len(value.parts) - 1]]


@function("comparable", 1)
def comparable(items: Items, context: Context, other: Items) -> Items:
    left, right = single(items, "comparable()"), single(other, "comparable()")
    if left is None or right is None:
        return []
    return [left.__class__ is Quantity and right.__class__ is Quantity and measures_the_same(left, right)]
