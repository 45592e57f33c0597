"""Whether a resource meets a search condition, without asking the database: the version that changed may be gone from the index by now.

What the index would say of the version is compared with the condition. Conditions that need other resources are refused beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

from openward.fhir.definitions import SearchParameter
from openward.fhir.errors import BadRequest
from openward.fhir.ids import is_id, key
from openward.fhir.sealing.rules import asked_for
from openward.fhir.search import date, number, prefix, reference, string, token
from openward.fhir.search.escape import parted
from openward.fhir.search.parameters import number as number_of
from openward.fhir.search.parameters import owned, plan, target_types
from openward.fhir.search.query import Filter, first_blank, parse
from openward.fhir.search.row import IndexRow

MODIFIERS: Mapping[str, frozenset[str]] = {
    "token": frozenset({"not", "missing"}),
    "string": frozenset({"exact", "contains", "missing"}),
    "reference": frozenset({"missing"}),
    "date": frozenset({"missing"}),
    "number": frozenset({"missing"}),
    "quantity": frozenset({"missing"}),
    "uri": frozenset({"missing"}),
}

MOST_CONDITIONS = 50


class NotWatchable(BadRequest):
    """{what} cannot be watched for by a subscription: only conditions on the resource itself can."""

    code = "not-supported"


@dataclass(frozen=True, slots=True)
class Criteria:
    """A compiled search query: all conditions must hold, and of each any value."""

    type: str
    filters: tuple[Filter, ...]

    def hold(self, row: IndexRow, id: str) -> bool:
        return all(_holds(filter, row, id) for filter in self.filters)

    @property
    def codes(self) -> set[str]:
        return {filter.parameter.code for filter in self.filters}


def refuse_blanks(query: str) -> None:
    """A search leaves out what has no value; who so listens would be told of everyone instead of one. Raises BadRequest."""
    if (blank := first_blank(parse_qsl(query, keep_blank_values=True))) is not None:
        raise BadRequest(f"{blank[:64]} has no value.")


@lru_cache(maxsize=2000)
def compiled(type: str, query: str) -> Criteria:
    """Raises BadRequest for what is no search of the type, and NotWatchable."""
    if query.count("&") >= MOST_CONDITIONS:
        raise NotWatchable(what=f"A search of more than {MOST_CONDITIONS} conditions")
    asked = parse(type, parse_qsl(query, keep_blank_values=True), strict=True)
    if asked.includes or asked.revincludes or asked.sort:
        raise NotWatchable(what="_include or _sort")
    for condition in asked.conditions:
        if not isinstance(condition, Filter):
            raise NotWatchable(what="A chain, _has, _list or _text")
        _check(condition)
    return Criteria(type, tuple(condition for condition in asked.conditions if isinstance(condition, Filter)))


def _check(filter: Filter) -> None:
    parameter, modifier = filter.parameter, filter.modifier
    allowed = MODIFIERS.get(parameter.type)
    if parameter.code == "_id" and modifier is None:
        return
    if allowed is None or parameter.code in ("_lastUpdated", "_id"):
        raise NotWatchable(what=parameter.code)
    if modifier is not None and modifier not in allowed and modifier not in target_types(parameter):
        raise NotWatchable(what=f"{parameter.code}:{modifier}")
    for value in filter.values:
        _understood(parameter, modifier, value)


def _understood(parameter: SearchParameter, modifier: str | None, value: str) -> None:
    """Raises BadRequest for a value that would fail when something happens."""
    if modifier == "missing":
        return
    if parameter.type == "date":
        date.asked(parameter.code, value)
    elif parameter.type in ("number", "quantity"):
        number.asked(parameter.code, prefix.split_prefix(value.split("|")[0])[1])


def _holds(filter: Filter, row: IndexRow, id: str) -> bool:
    parameter = filter.parameter
    if parameter.code == "_id":
        return id in filter.values
    owners = owned(parameter.base, parameter.code)
    if filter.modifier == "missing":
        return any(number_of(owner.code) in row.parameters for owner in owners) != (filter.values[0] == "true")
    found = any(BY_TYPE[parameter.type](owner, filter, row) for owner in owners)
    return not found if filter.modifier == "not" else found


def _token(owner: SearchParameter, filter: Filter, row: IndexRow) -> bool:
    return any(_has_token(owner.code, value, row) for value in filter.values)


def _has_token(code: str, value: str, row: IndexRow) -> bool:
    system, bar, text = parted(value)
    if bar and not text:
        number = number_of(code)
        return token.token_hash(code, system, None) in row.tokens or any(e[1] == number and e[2] == system for e in row.dictionary.values())
    wanted = system if bar else None
    return any(token.token_hash(code, wanted, spelled) in row.tokens for spelled in {text, token.contact(text), *asked_for(wanted, text, row.tenant)})


def _reference(owner: SearchParameter, filter: Filter, row: IndexRow) -> bool:
    targets = (filter.modifier,) if filter.modifier else target_types(filter.parameter)
    return any(_points(owner.code, value, targets, row) for value in filter.values)


def _points(code: str, value: str, targets: Sequence[str], row: IndexRow) -> bool:
    named = reference.pointer(value)
    pointers = [named] if named else [(type, key(type, value)) for type in targets] if is_id(value) else []
    for type, where in pointers:
        if (where, reference.link_hash(code, type)) in row.edges or (type == "Patient" and row.patients.get(code) == where):
            return True
    return token.token_hash(code, "", value) in row.tokens


def _date(owner: SearchParameter, filter: Filter, row: IndexRow) -> bool:
    if owner.code == plan(owner.base).date:
        ranges: Iterable[tuple[str, str]] = [(row.date_lo, row.date_hi)] if row.date_hi != date.PAST else []
    else:
        wanted = number_of(owner.code)
        ranges = [(low, high) for param, low, high in row.dates if param == wanted]
    return any(_dated(low, high, *date.asked(owner.code, value)) for low, high in ranges for value in filter.values)


def _dated(low: str, high: str, comparison: str, start: str, end: str) -> bool:
    """The target's range against the value's. https://hl7.org/fhir/R4/search.html#prefix"""
    lo, hi, a, b = map(date.instant_of, (low, high, start, end))
    inside = lo >= a and hi <= b
    answers = {
        "eq": inside,
        "ne": not inside,
        "gt": hi > b,
        "lt": lo < a,
        "ge": hi > b or inside,
        "le": lo < a or inside,
        "sa": lo >= b,
        "eb": hi <= a,
        "ap": lo < b and hi > a,
    }
    return answers[comparison]


def _string(owner: SearchParameter, filter: Filter, row: IndexRow) -> bool:
    wanted = number_of(owner.code)
    found = [(norm, text) for param, norm, text in row.strings if param == wanted]
    if filter.modifier == "exact":
        return any(text == value for _, text in found for value in filter.values)
    values = [string.normal(value) for value in filter.values]
    if filter.modifier == "contains":
        return any(value in norm for norm, _ in found for value in values)
    return any(norm.startswith(value) for norm, _ in found for value in values)


def _number(owner: SearchParameter, filter: Filter, row: IndexRow) -> bool:
    wanted = number_of(owner.code)
    rows = [entry for entry in row.quantities if entry[0] == wanted]
    return any(_measured(owner.code, value, low, high, units) for _, low, high, units in rows for value in filter.values)


def _measured(code: str, value: str, low: float, high: float, units: frozenset[int]) -> bool:
    """The number against the stored range, in the unit as it was written: units are not converted here."""
    text, _, unit = value.partition("|")
    system, _, symbol = unit.rpartition("|")
    if symbol and token.token_hash("unit", system or None, symbol) not in units:
        return False
    comparison, digits = prefix.split_prefix(text)
    asked = number.asked(code, digits)
    half = 5 * 10.0 ** (int(asked.as_tuple().exponent) - 1)
    v, a, b, tenth = float(asked), float(asked) - half, float(asked) + half, abs(float(asked)) / 10
    equal = low >= a and low < b and high < b
    answers = {"eq": equal, "ne": not equal, "gt": high > v, "lt": low < v, "ge": high >= v, "le": low <= v, "sa": low > v, "eb": high < v}
    return answers.get(comparison, low <= v + tenth and high >= v - tenth)


def _uri(owner: SearchParameter, filter: Filter, row: IndexRow) -> bool:
    return any(token.token_hash(owner.code, "", value) in row.tokens for value in filter.values)


BY_TYPE: Mapping[str, Callable[[SearchParameter, Filter, IndexRow], bool]] = {
    "token": _token,
    "reference": _reference,
    "date": _date,
    "string": _string,
    "number": _number,
    "quantity": _number,
    "uri": _uri,
}
