"""Quantity parameters: number|system|code, in the unit as it is stored. https://hl7.org/fhir/R4/search.html#quantity"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openward.fhir.definitions import SearchParameter
from openward.fhir.errors import BadRequest
from openward.fhir.search import number
from openward.fhir.search.prefix import split_prefix
from openward.fhir.search.sql import Bindings, any_of
from openward.fhir.search.token import token_hash

UNIT = "unit"
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


def condition(parameter: SearchParameter, values: Sequence[str], modifier: str | None, bind: Bindings) -> str:
    return number.rows(parameter, any_of([compare(parameter.code, value, ("q.lo", "q.hi"), "q.units", bind) for value in values]), bind)


def compare(code: str, value: str, columns: tuple[str, str], units_column: str, bind: Bindings) -> str:
    """The comparison of `[prefix]number|system|code`; without a unit, any unit."""
    parts = value.split("|")
    if len(parts) not in (1, 3):
        raise BadRequest(f"{code}: a quantity is number, number|system|code or number||code; got {value!r}.")
    prefix, text = split_prefix(parts[0])
    found = number.compare(prefix, number.asked(code, text), columns, bind)
    if len(parts) == 1 or not parts[2]:
        return found
    return f"({found} and {units_column} @> {bind.numbers([token_hash(UNIT, parts[1] or None, parts[2])])})"
