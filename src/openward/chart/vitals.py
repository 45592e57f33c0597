"""Vital signs as data: units, what cannot be, what is unlikely, what is abnormal at an age. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from openward.chart.limits import Limits
from openward.fhir.ucum import NotComparable, UnitUnknown, convert, is_unit

CONTENT = Path(__file__).parent / "content" / "vitals.toml"
BLOOD_PRESSURE = "85354-9"
SPOKEN = {
    **dict.fromkeys(("lbs", "pound", "pounds"), "[lb_av]"), **dict.fromkeys(("oz", "ounces"), "[oz_av]"), **dict.fromkeys(("kgs", "kilograms"), "kg"),
    **dict.fromkeys(("f", "degf", "fahrenheit"), "[degF]"), **dict.fromkeys(("c", "degc", "celsius"), "Cel"),
    **dict.fromkeys(("inch", "inches"), "[in_i]"), **dict.fromkeys(("ft", "feet"), "[ft_i]"),
}  # fmt: skip
"""What devices write where a code of UCUM should stand."""
STEPS = tuple(Decimal(1).scaleb(-decimals) for decimals in range(7))


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit a person may type: `value in the sign's unit = typed * factor + offset`. `us` marks what the US usually types."""

    unit: str
    ucum: str
    factor: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)
    decimals: int = 0
    us: bool = False


@dataclass(frozen=True, slots=True)
class Range(Limits):
    """What holds for an age (years, up to and not including `to`)."""

    to: Decimal | None = None
    likely: tuple[Decimal, Decimal] = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Sign:
    """One vital sign. `change` is the difference from the last value, in per cent, that is worth a second look; `fine` the value under which
    two decimals are kept: 50 g are much to a newborn."""

    key: str
    title: str
    loinc: str
    display: str
    ucum: str
    unit: str
    decimals: int
    possible: tuple[Decimal, Decimal]
    ranges: tuple[Range, ...]
    units: tuple[Unit, ...]
    sources: tuple[str, ...]
    panel: str = ""
    also: str = ""
    change: int | None = None
    from_age: Decimal | None = None
    until_age: Decimal | None = None
    is_computed: bool = False
    fine: Decimal | None = None
    own_unit: Unit = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "own_unit", Unit(self.unit, self.ucum, decimals=self.decimals))

    def at(self, age: Decimal | None) -> Range:
        """The row for this age; an adult's when the age is not known."""
        if age is None:
            return self.ranges[-1]
        return next(row for row in self.ranges if row.to is None or age < row.to)

    def is_asked_at(self, age: Decimal | None) -> bool:
        if age is None:
            return not self.is_computed and self.until_age is None
        return not self.is_computed and (self.until_age is None or age < self.until_age) and (self.from_age is None or age >= self.from_age)

    @property
    def usual_unit(self) -> Unit:
        return next((unit for unit in self.units if unit.us), self.own_unit)

    def unit_called(self, name: str) -> Unit:
        if name in (self.ucum, self.unit):
            return self.own_unit
        return next((unit for unit in self.units if name in (unit.unit, unit.ucum)), self.own_unit)

    def rounded(self, value: Decimal) -> Decimal:
        return _rounded(value, 2 if self.fine is not None and value < self.fine else self.decimals)


@cache
def signs() -> Mapping[str, Sign]:
    """Every sign by key, in the order they are asked."""
    with CONTENT.open("rb") as file:
        data = tomllib.load(file, parse_float=Decimal)
    return {entry["key"]: _sign(entry, data["source"]) for entry in data["sign"]}


def asked_at(age: Decimal | None) -> list[Sign]:
    return [sign for sign in signs().values() if sign.is_asked_at(age)]


def to_own_unit(sign: Sign, typed: Decimal, unit: str) -> Decimal:
    """The value in the sign's unit, to its number of decimals: 98.6 °F is 37.0 °C."""
    known = sign.unit_called(unit)
    return sign.rounded(typed * known.factor + known.offset)


@lru_cache(512)
def unit_of(key: str, name: str) -> Unit | None:
    """The unit a measurement from elsewhere came in (a UCUM code or what a device calls it), for the sign of this key; None for what is none of it.

    3400 g are 3.4 kg, never 3400 kg. Without any name the sign's own unit is meant, unless it could be another: pounds or kilograms.
    """
    sign = signs()[key]
    known = next((one for one in (sign.own_unit, *sign.units) if name in (one.unit, one.ucum)), None)
    if known is not None or (not sign.units and not _is_unit(name)):
        return known or sign.own_unit
    try:
        code = SPOKEN.get(name.lower(), name)
        zero, one = (convert(Decimal(number), code, sign.ucum) for number in (0, 1))
    except (UnitUnknown, NotComparable):
        return None
    return Unit(name, code, one - zero, zero)


def _is_unit(name: str) -> bool:
    return bool(name) and is_unit(name)


def in_own_unit(sign: Sign, measured: Decimal, unit: str) -> Decimal | None:
    """A measurement from elsewhere in the sign's unit; None when its unit is none of this sign."""
    known = unit_of(sign.key, unit)
    return sign.rounded(measured * known.factor + known.offset) if known is not None else None


def from_own_unit(sign: Sign, value: Decimal, unit: str) -> Decimal:
    known = sign.unit_called(unit)
    return _rounded((value - known.offset) / known.factor, known.decimals)


def body_mass_index(weight_kg: Decimal, height_cm: Decimal) -> Decimal:
    return _rounded(weight_kg / (height_cm / 100) ** 2, 1)


def is_possible(sign: Sign, value: Decimal) -> bool:
    low, high = sign.possible
    return low <= value <= high


def is_likely(sign: Sign, value: Decimal, age: Decimal | None, last: Decimal | None = None) -> bool:
    """Whether the value needs no second look: within what is likely at this age and not far from the last one."""
    low, high = sign.at(age).likely
    if not low <= value <= high:
        return False
    if sign.change is None or not last or (age is not None and age < 2):
        return True
    return abs(value - last) * 100 <= sign.change * last


def _rounded(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(STEPS[decimals], ROUND_HALF_UP)


def _sign(entry: dict[str, Any], sources: dict[str, str]) -> Sign:
    low, high = entry["possible"]
    return Sign(
        key=entry["key"],
        title=entry["title"],
        loinc=entry["loinc"],
        display=entry["display"],
        ucum=entry["ucum"],
        unit=entry["unit"],
        decimals=entry["decimals"],
        possible=(Decimal(low), Decimal(high)),
        ranges=tuple(_range(row) for row in entry["ranges"]),
        units=tuple(_unit(unit) for unit in entry.get("units", [])),
        sources=tuple(sources[key] for key in entry["sources"]),
        panel=entry.get("panel", ""),
        also=entry.get("also", ""),
        change=entry.get("change"),
        from_age=_decimal(entry.get("from")),
        until_age=_decimal(entry.get("until")),
        is_computed=entry.get("computed", False),
        fine=_decimal(entry.get("fine")),
    )


def _range(row: dict[str, Any]) -> Range:
    low, high = row["likely"]
    return Range(
        to=_decimal(row.get("to")),
        low=_decimal(row.get("low")),
        high=_decimal(row.get("high")),
        critical_low=_decimal(row.get("critical_low")),
        critical_high=_decimal(row.get("critical_high")),
        likely=(Decimal(low), Decimal(high)),
    )


def _unit(entry: dict[str, Any]) -> Unit:
    return Unit(entry["unit"], entry["ucum"], Decimal(entry["factor"]), Decimal(entry["offset"]), entry["decimals"], entry.get("us", False))


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def all_sources(chosen: Sequence[Sign]) -> list[str]:
    return list(dict.fromkeys(source for sign in chosen for source in sign.sources))
