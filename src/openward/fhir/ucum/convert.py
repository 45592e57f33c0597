"""Amounts from one UCUM unit to another. https://ucum.org/ucum#section-Special-Units-on-non-ratio-Scales"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache

from openward.fhir.ucum.units import Unit, base_units, unit

DIGITS = Context(prec=28)

KELVIN_AT_0_CELSIUS = Fraction("273.15")
RANKINE_AT_0_FAHRENHEIT = Fraction("459.67")


class NotComparable(ValueError):
    """{one} and {other} do not measure the same."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one[:80]!r} and {other[:80]!r} do not measure the same")


@lru_cache(8192)
def is_comparable(one: str, other: str) -> bool:
    """Do both measure the same? Raises UnitUnknown."""
    a, b = unit(one), unit(other)
    return a.dimension == b.dimension and a.arbitrary == b.arbitrary


def convert(value: Decimal, source: str, target: str) -> Decimal:
    """The amount in unit `target`, to 28 digits. Raises UnitUnknown, NotComparable."""
    if source == target:
        return value
    if not is_comparable(source, target):
        raise NotComparable(source, target)
    return decimal(from_base(to_base(Fraction(value), unit(source)), unit(target)))


def canonical(value: Decimal, code: str) -> tuple[Decimal, str]:
    """The amount in base units, to 28 digits, and those units as a UCUM expression: the same for all that compare. Raises UnitUnknown."""
    read, base = _read(code)
    return decimal(to_base(Fraction(value), read)), base


def exact(value: Decimal, code: str) -> tuple[Fraction, str]:
    """As `canonical`, exact."""
    read, base = _read(code)
    return to_base(Fraction(value), read), base


@lru_cache(4096)
def _read(code: str) -> tuple[Unit, str]:
    read = unit(code)
    return read, canonical_code(read)


def canonical_code(read: Unit) -> str:
    powers = [*zip(base_units(), read.dimension, strict=True), *read.arbitrary]
    return ".".join(code + ("" if power == 1 else str(power)) for code, power in powers if power) or "1"


def decimal(value: Fraction) -> Decimal:
    return DIGITS.divide(Decimal(value.numerator), Decimal(value.denominator))


def to_base(value: Fraction, read: Unit) -> Fraction:
    if read.special is None:
        return value * read.factor
    return FUNCTIONS[read.special][0](value * read.scale, read.factor)


def from_base(value: Fraction, read: Unit) -> Fraction:
    if read.special is None:
        return value / read.factor
    return FUNCTIONS[read.special][1](value, read.factor) / read.scale


Function = Callable[[Fraction, Fraction], Fraction]


def _real(function: Callable[[float], float]) -> Callable[[Fraction], Fraction]:
    """Transcendental, so to the precision of a double; an amount outside its domain compares with nothing."""

    def of(value: Fraction) -> Fraction:
        try:
            return Fraction(function(float(value)))
        except (OverflowError, ValueError) as error:
            raise NotComparable(str(function.__name__), "this amount") from error

    return of


_exp, _ln, _exp2, _log2 = _real(math.exp), _real(math.log), _real(math.exp2), _real(math.log2)
_tan, _atan, _sqrt = _real(math.tan), _real(math.atan), _real(math.sqrt)
_exp10, _log10 = _real(lambda x: math.pow(10.0, x)), _real(math.log10)


def _powers_of(base: int) -> tuple[Function, Function]:
    """Homeopathic potencies: n stands for base⁻ⁿ."""
    return (
        lambda value, factor: _real(lambda x: math.pow(base, -x))(value) * factor,
        lambda value, factor: -_real(lambda x: math.log(x, base))(value / factor),
    )


FUNCTIONS: dict[str, tuple[Function, Function]] = {
    "Cel": (lambda v, f: v * f + KELVIN_AT_0_CELSIUS, lambda v, f: (v - KELVIN_AT_0_CELSIUS) / f),
    "degF": (lambda v, f: (v + RANKINE_AT_0_FAHRENHEIT) * f, lambda v, f: v / f - RANKINE_AT_0_FAHRENHEIT),
    "degRe": (lambda v, f: v * f + KELVIN_AT_0_CELSIUS, lambda v, f: (v - KELVIN_AT_0_CELSIUS) / f),
    "pH": (lambda v, f: _exp10(-v) * f, lambda v, f: -_log10(v / f)),
    "ln": (lambda v, f: _exp(v) * f, lambda v, f: _ln(v / f)),
    "lg": (lambda v, f: _exp10(v) * f, lambda v, f: _log10(v / f)),
    "lgTimes2": (lambda v, f: _exp10(v / 2) * f, lambda v, f: _log10(v / f) * 2),
    "ld": (lambda v, f: _exp2(v) * f, lambda v, f: _log2(v / f)),
    "tanTimes100": (lambda v, f: _atan(v / 100) * f, lambda v, f: _tan(v / f) * 100),
    "100tan": (lambda v, f: _atan(v / 100), lambda v, f: _tan(v) * 100),
    "sqrt": (lambda v, f: v * v * f, lambda v, f: _sqrt(v / f)),
    "hpX": _powers_of(10),
    "hpC": _powers_of(100),
    "hpM": _powers_of(1000),
    "hpQ": _powers_of(50000),
}
