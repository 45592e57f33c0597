"""Quantity parameters: number|system|code. https://hl7.org/fhir/R4/search.html#quantity

Values are kept in the unit they were written in. Asked for in a UCUM unit, the number is taken into every stored unit that measures the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

from openward.fhir.definitions import SearchParameter
from openward.fhir.errors import BadRequest
from openward.fhir.search import number
from openward.fhir.search.facts import UNITS
from openward.fhir.search.parameters import INDEXED
from openward.fhir.search.parameters import number as number_of
from openward.fhir.search.prefix import split_prefix
from openward.fhir.search.sql import Bindings, any_of
from openward.fhir.search.token import Entry, token_hash
from openward.fhir.ucum import convert, is_comparable

UNIT = "unit"
UCUM = "http://unitsofmeasure.org"
CURRENCY = "urn:iso:std:iso:4217"

# (low, high, hashes of the unit): a row of fhir.quantity_value
Measure = tuple[float, float, frozenset[int]]


def extract(datatype: str, value: Mapping[str, Any]) -> Measure | None:
    if datatype == "Range":
        found = number.bounds(value)
        return (*found, units(value.get("low") or value.get("high") or {})) if found else None
    if datatype == "SampledData":
        return _sampled(value)
    amount = value.get("value")
    if amount is None:
        return None
    if datatype == "Money":
        return float(amount), float(amount), units({"system": CURRENCY, "code": value.get("currency", "")})
    return (*_compared(float(amount), value.get("comparator")), units(value))


def _compared(amount: float, comparator: str | None) -> tuple[float, float]:
    """`< 5` may be anything up to 5."""
    if comparator in ("<", "<="):
        return -number.INFINITY, amount
    if comparator in (">", ">="):
        return amount, number.INFINITY
    return amount, amount


def _sampled(value: Mapping[str, Any]) -> Measure | None:
    limits = value.get("lowerLimit"), value.get("upperLimit")
    if None in limits:
        return None
    return float(str(limits[0])), float(str(limits[1])), units(value.get("origin", {}))


def units(value: Mapping[str, Any]) -> frozenset[int]:
    """The hashes of system|code, of the code, and of the unit as written."""
    return frozenset(_units(value.get("system", ""), value.get("code", ""), value.get("unit", "")))


def _units(system: str, code: str, unit: str) -> Iterator[int]:
    if code:
        yield token_hash(UNIT, system, code)
        yield token_hash(UNIT, None, code)
    if unit:
        yield token_hash(UNIT, None, unit)


def entry(value: Mapping[str, Any]) -> Entry | None:
    """The unit's row in the dictionary, by which a search knows which units there are."""
    code = value.get("code")
    return _entry(value.get("system", ""), code) if code else None


@lru_cache(maxsize=4096)
def _entry(system: str, code: str) -> Entry:
    return token_hash(UNIT, system, code), number_of(UNITS), system[:INDEXED], code[:INDEXED], ""


def condition(parameter: SearchParameter, values: Sequence[str], modifier: str | None, bind: Bindings) -> str:
    return number.rows(parameter, any_of([compare(parameter.code, value, ("q.lo", "q.hi"), "q.units", bind) for value in values]), bind)


def compare(code: str, value: str, columns: tuple[str, str], units_column: str, bind: Bindings) -> str:
    """The comparison of `[prefix]number|system|code`; without a unit, any unit; without a system, the code or the unit as written."""
    parts = value.split("|")
    if len(parts) not in (1, 3):
        raise BadRequest(f"{code}: a quantity is number, number|system|code or number||code; got {value!r}.")
    prefix, text = split_prefix(parts[0])
    wanted = number.asked(code, text)
    if len(parts) == 1 or not parts[2]:
        return number.compare(prefix, wanted, columns, bind)
    measured = [(parts[2], None), *(_others(parts[2], bind) if parts[1] == UCUM else ())]
    return any_of(
        [
            f"({number.compare(prefix, wanted, columns, bind, convert)} and {units_column} @> {bind.numbers([token_hash(UNIT, parts[1] or None, unit)])})"
            for unit, convert in measured
        ]
    )


def _others(code: str, bind: Bindings) -> Iterator[tuple[str, number.Convert | None]]:
    """The other stored UCUM units that measure the same, each with the way into it."""
    for unit in bind.facts.units(UCUM):
        if unit != code and _goes_into(code, unit):
            yield unit, partial(convert, source=code, target=unit)


@lru_cache(maxsize=4096)
def _goes_into(code: str, unit: str) -> bool:
    """Whether more of the one is more of the other; of a logarithm turned round (pH) it is less, which no comparison survives."""
    try:
        return is_comparable(code, unit) and convert(Decimal(1), code, unit) < convert(Decimal(2), code, unit)
    except ValueError:
        return False
