"""Number parameters. https://hl7.org/fhir/R4/search.html#number"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from openward.fhir.definitions import SearchParameter
from openward.fhir.errors import BadRequest
from openward.fhir.search.parameters import number, owned
from openward.fhir.search.prefix import split_prefix
from openward.fhir.search.sql import Bindings, any_of, rtype

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
INFINITY = float("inf")
Convert = Callable[[Decimal], Decimal]

COMPARISONS: Mapping[str, str] = {
    "eq": "({lo} >= {a} and {lo} < {b} and {hi} < {b})",
    "ne": "not ({lo} >= {a} and {hi} < {b})",
    "gt": "({lo} > {v} or ({lo} < {hi} and {hi} > {v}))",
    "lt": "({lo} < {v})",
    "ge": "({lo} >= {v} or ({lo} < {hi} and {hi} >= {v}))",
    "le": "({lo} <= {v})",
    "sa": "({lo} > {v})",
    "eb": "({hi} < {v})",
    "ap": "(({lo} >= {c} and {lo} <= {d}) or ({lo} < {hi} and {lo} <= {d} and {hi} >= {c}))",
}
"""The target's range {lo}–{hi} against the value {v}, which by its digits means {a} ≤ x < {b}; {c}–{d} is a tenth either way.

Most values are points, found by {lo}; the few that are ranges have an index of their own, hence the `or`.
"""


def extract(datatype: str, value: Any) -> tuple[float, float] | None:
    """The range of one value: a point for a number, open where a Range has no end."""
    if datatype == "Range":
        return bounds(value)
    return float(value), float(value)


def bounds(value: Mapping[str, Any]) -> tuple[float, float] | None:
    low, high = value.get("low", {}).get("value"), value.get("high", {}).get("value")
    if low is None and high is None:
        return None
    return (-INFINITY if low is None else float(low)), (INFINITY if high is None else float(high))


def asked(code: str, text: str) -> Decimal:
    """Raises BadRequest when `text` is no number."""
    if not NUMBER.fullmatch(text):
        raise BadRequest(f"{code}: {text!r} is not a number.")
    return Decimal(text)


def compare(prefix: str, value: Decimal, columns: tuple[str, str], bind: Bindings, convert: Convert | None = None) -> str:
    """The comparison against the range in two columns. 100 means 99.5 ≤ x < 100.5; with gt, lt, ge, le, sa and eb it is exact.

    `convert` takes what the value means into the unit of the columns.
    """
    half = Decimal(5).scaleb(int(value.as_tuple().exponent) - 1)
    tenth = abs(value) / 10
    numbers = {"v": value, "a": value - half, "b": value + half, "c": value - tenth, "d": value + tenth}
    text = COMPARISONS[prefix]
    wanted = {name: convert(n) if convert else n for name, n in numbers.items() if f"{{{name}}}" in text}
    places = {name: bind.place(float(n), "::float8") for name, n in wanted.items()}
    return text.format(lo=columns[0], hi=columns[1], **places)


def condition(parameter: SearchParameter, values: Sequence[str], modifier: str | None, bind: Bindings) -> str:
    found = any_of([_compared(parameter.code, value, bind) for value in values])
    return rows(parameter, found, bind)


def _compared(code: str, value: str, bind: Bindings) -> str:
    prefix, text = split_prefix(value)
    return compare(prefix, asked(code, text), ("q.lo", "q.hi"), bind)


def rows(parameter: SearchParameter, found: str, bind: Bindings) -> str:
    """The resources with a row of `fhir.quantity_value` that the condition `found` (alias q) holds for."""
    numbers = bind.place([number(owner.code) for owner in owned(parameter.base, parameter.code)], "::int[]")
    return (
        f"c.rkey in (select q.rkey from fhir.quantity_value q where q.tenant = %(tenant)s and q.rtype = {rtype(parameter.base)}"  # noqa: S608
        f" and q.param = any({numbers}) and {found})"
    )
