"""Amounts with a unit: UCUM, or a word of the calendar. https://hl7.org/fhirpath/N1/#quantity"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from openward.fhir.ucum import NotComparable, UnitUnknown, canonical_code, exact, unit

UCUM = "http://unitsofmeasure.org"
DEFINITE = {"week": "wk", "day": "d", "hour": "h", "minute": "min", "second": "s", "millisecond": "ms"}
"""Calendar words that are always as long; months and years are not."""
ABOUT = {"year": "a", "month": "mo"} | DEFINITE
IN_MONTHS = {"year": 12, "month": 1}


@dataclass(frozen=True, slots=True)
class Quantity:
    """`unit` is a UCUM expression, or with `is_calendar` the singular of a calendar word. `foreign` is another system its unit is of."""

    value: Decimal
    unit: str
    is_calendar: bool = False
    foreign: str | None = None

    def __str__(self) -> str:
        if self.is_calendar:
            return f"{self.value:f} {self.unit}{'' if self.value == 1 else 's'}"
        return f"{self.value:f} '{self.unit}'"

    def to_fhir(self) -> dict[str, object]:
        """The FHIR Quantity. https://hl7.org/fhir/R4/fhirpath.html#quantity"""
        code = ABOUT[self.unit] if self.is_calendar else self.unit
        return {"value": self.value, "unit": self.unit, "system": self.foreign or UCUM, "code": code}

    @property
    def ucum(self) -> str | None:
        """Its unit where that is exact in UCUM."""
        return DEFINITE.get(self.unit) if self.is_calendar else self.unit


Comparable = tuple[Fraction, str]


def comparable(quantity: Quantity) -> Comparable | None:
    """Its amount in base units and those units: what two amounts compare by; None where the unit says nothing that compares."""
    if quantity.foreign:
        return Fraction(quantity.value), f"{quantity.foreign}|{quantity.unit}"
    if quantity.is_calendar and quantity.unit in IN_MONTHS:
        return Fraction(quantity.value) * IN_MONTHS[quantity.unit], "month"
    try:
        return exact(quantity.value, quantity.ucum or "1")
    except NotComparable:
        return None
    except UnitUnknown:
        return Fraction(quantity.value), f"?{quantity.unit}"


def measures_the_same(left: Quantity, right: Quantity) -> bool:
    """Do both have units that convert? A unit nobody knows does not."""
    one, other = comparable(left), comparable(right)
    return one is not None and other is not None and one[1] == other[1] and not one[1].startswith("?")


def compare(left: Quantity, right: Quantity) -> int | None:
    """-1, 0, 1; None where they do not measure the same, or a month or year would have to be counted in days."""
    if left.unit == right.unit and left.is_calendar == right.is_calendar and left.foreign == right.foreign:
        return (left.value > right.value) - (left.value < right.value)
    one, other = comparable(left), comparable(right)
    if one is None or other is None or one[1] != other[1]:
        return None
    return (one[0] > other[0]) - (one[0] < other[0])


def is_of_calendar_and_clock(left: Quantity, right: Quantity) -> bool:
    """A month or year beside a duration of UCUM: whether they are equal depends on the day."""
    kinds = {one[1] for one in (comparable(left), comparable(right)) if one is not None}
    return "month" in kinds and len(kinds) == 2 and kinds <= {"month", "s"}


def about(quantity: Quantity) -> Quantity:
    """A calendar word as the UCUM unit of its mean length, for equivalence."""
    return Quantity(quantity.value, ABOUT[quantity.unit]) if quantity.is_calendar else quantity


def multiply(left: Quantity, right: Quantity, product: Decimal, sign: int) -> Quantity | None:
    """`product` of both in a unit made of theirs; None when a unit cannot be multiplied."""
    one, other = left.ucum, right.ucum
    if one is None or other is None:
        return None
    if other == "1":
        return Quantity(product, one)
    if one == "1" and sign > 0:
        return Quantity(product, other)
    code = f"({one}).({other})" if sign > 0 else f"({one})/({other})"
    try:
        made = unit(code)
    except UnitUnknown:
        return None
    if not any(made.dimension) and not made.arbitrary:
        return Quantity(product * Decimal(made.factor.numerator) / Decimal(made.factor.denominator), "1")
    is_base = made.factor == 1 and made.special is None
    return Quantity(product, canonical_code(made) if is_base else code)
