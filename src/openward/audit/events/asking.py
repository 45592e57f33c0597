"""What a search of the trail asks for. https://hl7.org/fhir/R4/auditevent.html#search"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from openward.fhir.definitions import is_resource_type
from openward.fhir.errors import BadRequest
from openward.fhir.ids import is_id, key
from openward.fhir.search.date import FUTURE, PAST, span
from openward.fhir.search.escape import split_escaped
from openward.fhir.search.prefix import split_prefix

PARAMETERS: Mapping[str, str] = {
    "_id": "token",
    "patient": "reference",
    "agent": "reference",
    "date": "date",
    "action": "token",
    "outcome": "token",
    "entity": "reference",
    "subtype": "token",
}
CONTROLS = frozenset({"_count", "_sort", "_cursor", "_format", "_pretty", "_total", "_summary"})
TOTALS, SUMMARIES = ("none", "estimate", "accurate"), ("false", "count")
ACTOR = "urn:openward:actor"
DEFAULT_COUNT, MAX_COUNT, MAX_VALUES = 20, 1000, 100
ENTRY_ID = re.compile(r"(\d{1,19})-(\d{1,19})")


class UnknownParameter(BadRequest):
    """{name} is not a search parameter of AuditEvent here: it takes {known}."""

    code = "not-supported"


class UnknownModifier(BadRequest):
    """{name} has a modifier that a search of AuditEvent does not take."""

    code = "not-supported"


@dataclass(frozen=True)
class Asked:
    """Every list is one parameter's alternatives; a list that is there and empty matches nothing. Times are ISO 8601 in UTC, half-open.

    `agents` are references and `actors` the trail's own names of who acted; `pairs` is what was understood, for the page's own address. A `count` of 0
    asks for the total alone.
    """

    ids: list[list[tuple[int, int]]] = field(default_factory=list)
    patients: list[list[UUID]] = field(default_factory=list)
    agents: list[list[str]] = field(default_factory=list)
    actors: list[list[str]] = field(default_factory=list)
    entities: list[list[tuple[str, UUID]]] = field(default_factory=list)
    actions: list[frozenset[str]] = field(default_factory=list)
    subtypes: list[list[str]] = field(default_factory=list)
    outcomes: list[list[int]] = field(default_factory=list)
    dates: list[tuple[str, str]] = field(default_factory=list)
    not_within: list[tuple[str, str]] = field(default_factory=list)
    count: int = DEFAULT_COUNT
    oldest_first: bool = False
    wants_total: bool = False
    cursor: str | None = None
    pairs: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    @property
    def since(self) -> str:
        return max((low for low, _ in self.dates), default=PAST, key=lambda low: "" if low == PAST else low)

    @property
    def until(self) -> str:
        return min((high for _, high in self.dates), default=FUTURE, key=lambda high: "~" if high == FUTURE else high)


def asked(params: Sequence[tuple[str, str]], *, strict: bool) -> Asked:
    """Raises BadRequest; what is unknown is left out and named in `ignored`, unless `strict`. A modifier that is not known is refused always: to leave
    it out would answer another question. https://hl7.org/fhir/R4/search.html#modifiers"""
    count, oldest_first, wants_total = _controls(params)
    found = Asked(count=count, oldest_first=oldest_first, wants_total=wants_total, cursor=dict(params).get("_cursor"))
    for name, value in params:
        base, _, modifier = name.partition(":")
        if name in CONTROLS and (name != "_summary" or value in SUMMARIES):
            continue
        if base in PARAMETERS and modifier and not _is_modified(base, modifier):
            raise UnknownModifier(name=name[:80])
        if base not in PARAMETERS:
            if strict:
                raise UnknownParameter(name=name[:80], known=", ".join(PARAMETERS))
            found.ignored.append(name[:80])
            continue
        values = split_escaped(value, ",")
        if not value.strip() or len(values) > MAX_VALUES:
            raise BadRequest(f"{base} takes one to {MAX_VALUES} values.")
        if is_resource_type(modifier):
            values = [one if "/" in one else f"{modifier}/{one}" for one in values]
        READERS[base](found, modifier, values)
        found.pairs.append((name, value))
    return found


def _is_modified(base: str, modifier: str) -> bool:
    """The name of an actor, or the type of what a reference names."""
    if base == "patient":
        return modifier == "Patient"
    return (base, modifier) == ("agent", "identifier") or (base in ("agent", "entity") and is_resource_type(modifier))


def _controls(params: Sequence[tuple[str, str]]) -> tuple[int, bool, bool]:
    """How many to a page, whether the oldest come first, and whether they are to be counted."""
    given = dict(params)
    count, order = given.get("_count", str(DEFAULT_COUNT)), given.get("_sort", "-date")
    total, summary = given.get("_total", "none"), given.get("_summary", "false")
    if not count.isdecimal() or len(count) > 9:
        raise BadRequest("_count is a number.")
    if order not in ("date", "-date"):
        raise BadRequest("_sort of AuditEvent is date or -date.")
    if total not in TOTALS:
        raise BadRequest(f"_total is {', '.join(TOTALS[:-1])} or {TOTALS[-1]}.")
    shown = 0 if summary == "count" else min(int(count), MAX_COUNT)
    return shown, order == "date", total != "none" or not shown


def _ids(found: Asked, _: str, values: list[str]) -> None:
    matches = [ENTRY_ID.fullmatch(value) for value in values]
    found.ids.append([(int(match[1]), int(match[2])) for match in matches if match and int(match[1]) < 2**63 and int(match[2]) < 2**63])


def _patients(found: Asked, _: str, values: list[str]) -> None:
    found.patients.append([key("Patient", id) for value in values if is_id(id := value.removeprefix("Patient/"))])


def _agents(found: Asked, modifier: str, values: list[str]) -> None:
    if modifier == "identifier":
        found.actors.append([value.removeprefix(f"{ACTOR}|") for value in values if value.startswith(f"{ACTOR}|") or "|" not in value])
    else:
        found.agents.append(values)


def _entities(found: Asked, _: str, values: list[str]) -> None:
    parts = [value.split("/")[:2] for value in values]
    if any(len(part) != 2 or not is_resource_type(part[0]) or not is_id(part[1]) for part in parts):
        raise BadRequest("entity is a reference such as Observation/123.")
    found.entities.append([(type, key(type, id)) for type, id in parts])


def _actions(found: Asked, _: str, values: list[str]) -> None:
    found.actions.append(frozenset(_code(value) for value in values))


def _subtypes(found: Asked, _: str, values: list[str]) -> None:
    found.subtypes.append([_code(value) for value in values])


def _outcomes(found: Asked, _: str, values: list[str]) -> None:
    found.outcomes.append([int(code) for value in values if (code := _code(value)) in ("0", "4", "8", "12")])


def _dates(found: Asked, _: str, values: list[str]) -> None:
    if len(values) != 1:
        raise BadRequest("date takes one value; several dates are several parameters, and all of them hold.")
    prefix, text = split_prefix(values[0].replace(" ", "+"))
    meant = span(text)
    if meant is None:
        raise BadRequest("date is a date or time such as ge2026-11-03 or lt2026-11-03T09:30:00Z.")
    low, high = meant
    ranges = {
        "eq": (low, high),
        "ge": (low, FUTURE),
        "gt": (high, FUTURE),
        "sa": (high, FUTURE),
        "lt": (PAST, low),
        "eb": (PAST, low),
        "le": (PAST, high),
    }
    if prefix == "ne":
        found.not_within.append(meant)
    elif prefix in ranges:
        found.dates.append(ranges[prefix])
    else:
        raise BadRequest(f"date does not take the prefix {prefix}.")


def _code(token: str) -> str:
    return token.rpartition("|")[2]


READERS = {
    "_id": _ids,
    "patient": _patients,
    "agent": _agents,
    "date": _dates,
    "action": _actions,
    "outcome": _outcomes,
    "entity": _entities,
    "subtype": _subtypes,
}
