"""A search request, taken apart: filters, chains, what to include, how to sort, how much to send. No SQL yet.

https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from openward.fhir.definitions import SearchParameter, is_resource_type
from openward.fhir.errors import BadRequest, TooCostly
from openward.fhir.ids import is_id
from openward.fhir.search.escape import held, split_escaped, unescaped
from openward.fhir.search.own import OWN, OwnParameter
from openward.fhir.search.parameters import plan, target_types

DEFAULT_COUNT, MAX_COUNT = 20, 1000
MAX_VALUES = 1000
MAX_FILTERS = 100
MAX_DEPTH = 8
SHORT = 200  # characters of a parameter that is worth remembering

Params = Mapping[str, Any] | Sequence[tuple[str, Any]]
Pair = tuple[str, str]

# `_format` and `_pretty` are about the answer's dress and belong to http.
NOT_ABOUT_THE_SEARCH = frozenset({"_format", "_pretty"})
MODIFIERS: Mapping[str, frozenset[str]] = {
    "string": frozenset({"exact", "contains"}),
    "token": frozenset({"not", "text", "of-type", "in", "not-in", "above", "below"}),
    "reference": frozenset({"identifier", "above", "below"}),
    "uri": frozenset({"above", "below"}),
}
"""Beside `:missing`, which every type takes, and `:[type]` of references."""

CANONICALS = frozenset({"canonical", "uri"})
# They say alone what is searched for. https://hl7.org/fhir/R4/search_filter.html, https://hl7.org/fhir/R4/search.html#query
SELECTING = frozenset({"_filter", "_query"})
SUMMARIES = ("true", "false", "text", "data", "count")
TOTALS = ("none", "estimate", "accurate")


class Unknown(BadRequest):
    """{name} is not a search parameter of {type}."""

    code = "not-supported"


class NotSupported(BadRequest):
    """{name} is not supported here, and leaving it out would find what was not asked for."""

    code = "not-supported"


class NotIndexedYet(Unknown):
    """{name} is a search parameter of {type} that is still being indexed; $reindex-status says how far it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Filter:
    """`parameter:modifier` holds one of `values` (already split at commas). Is itself only, so that it is quick to look up.

    They are unescaped, those of tokens and identifiers as `escape.held` does; of composites as they were sent.
    """

    parameter: SearchParameter
    modifier: str | None
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """`parameter` points at a resource of one of the types, for which that type's condition holds."""

    parameter: SearchParameter
    conditions: Mapping[str, Condition]


@dataclass(frozen=True, slots=True)
class Has:
    """A resource of `parameter.base` points here, at a `target`, by `parameter`, and `condition` holds for it."""

    parameter: SearchParameter
    target: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class Words:
    """`_text` or `_content`: the words of `value` are in the narrative, or anywhere in a resource of `type`."""

    code: str
    type: str
    value: str


@dataclass(frozen=True, slots=True)
class Listed:
    """`_list`: one of these Lists names the resource of `type`, and not as deleted."""

    type: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """In the compartment of `owner` (`Patient/1`): one of the parameters points at it. https://hl7.org/fhir/R4/compartmentdefinition.html

    `is_owner_type`: resources of the type itself, of which the owner is in its own compartment.
    """

    owner: str
    parameters: tuple[SearchParameter, ...]
    is_owner_type: bool


Condition = Filter | Chain | Has | Words | Listed | Member


@dataclass(frozen=True, slots=True)
class Include:
    """`source:parameter:target`; None stands for every type, every parameter, every target type."""

    source: str | None
    parameter: str | None
    target: str | None
    iterate: bool


@dataclass(frozen=True, slots=True)
class SortKey:
    code: str
    descending: bool


@dataclass
class Query:
    """One search of one type. `used` are the parameters as understood, for the self link; `ignored` are the names of the unknown ones."""

    type: str
    conditions: list[Condition] = field(default_factory=list)
    sort: list[SortKey] = field(default_factory=list)
    count: int = DEFAULT_COUNT
    cursor: str | None = None
    total: Literal["none", "estimate", "accurate"] = "none"
    summary: str = "false"
    elements: tuple[str, ...] = ()
    includes: list[Include] = field(default_factory=list)
    revincludes: list[Include] = field(default_factory=list)
    used: list[Pair] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    @property
    def is_count_only(self) -> bool:
        return self.summary == "count" or self.count == 0


class Pairs(list[Pair]):
    """What `pairs` has taken apart, so that nobody does it again."""


def pairs(params: Params) -> Pairs:
    """(name, value) in order; a list repeats its parameter, and every value becomes text."""
    if isinstance(params, Pairs):
        return params
    flat = Pairs()
    for name, value in params.items() if isinstance(params, Mapping) else params:
        if value.__class__ is str:
            flat.append((name, value))
            continue
        values = value if isinstance(value, list | tuple | set | frozenset) else [value]
        flat += [(name, _text(one)) for one in values if one is not None]
    return flat


def first_blank(params: Iterable[tuple[str, str]]) -> str | None:
    """The first parameter without a value: a search leaves it out, so that by it alone everyone is found."""
    return next((name for name, value in params if not value.strip()), None)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def parse(type: str, params: Params, *, strict: bool = False) -> Query:
    """The query `params` ask of `type`. Raises BadRequest; Unknown for a parameter the type has not, when `strict`."""
    query = Query(type)
    for name, value in pairs(params):
        if name in NOT_ABOUT_THE_SEARCH or not value.strip():
            continue
        try:
            _take(query, name, value)
        except Unknown:
            if strict:
                raise
            query.ignored.append(name)
        else:
            if name != "_cursor":
                query.used.append((name, value))
    if len(query.conditions) > MAX_FILTERS:
        raise TooCostly(f"At most {MAX_FILTERS} conditions are taken in one search; got {len(query.conditions)}.")
    return query


def _take(query: Query, name: str, value: str) -> None:
    if name in CONTROLS:
        CONTROLS[name](query, value)
    elif name in SELECTING:
        raise NotSupported(name=name)
    elif name.startswith(("_include", "_revinclude")):
        _take_include(query, name, value)
    else:
        query.conditions.append((_remembered if len(name) + len(value) <= SHORT else condition)(query.type, name, value, 0))


def condition(type: str, name: str, value: str, depth: int) -> Condition:
    """The condition of one parameter of a query, chains and `_has` unrolled. `depth` is how many links lie before it."""
    if depth > MAX_DEPTH:
        raise TooCostly(f"A chain may have at most {MAX_DEPTH} links.")
    if name.startswith("_has:"):
        return _has(type, name, value, depth)
    if name in ("_text", "_content"):
        return Words(name, type, value)
    if name == "_list":
        return _listed(type, value)
    head, dot, rest = name.partition(".")
    code, _, modifier = head.partition(":")
    parameter = _known(type, code, head)
    if dot:
        return _chain(parameter, modifier, rest, value, depth)
    return _filter(parameter, modifier or None, value)


# A category, a status, the last week: what is asked again and again is understood once.
_remembered = lru_cache(maxsize=4096)(condition)
OWN.on_change.append(_remembered.cache_clear)


def names_resources(type: str, name: str) -> bool:
    """Whether the values of this parameter, or of what its chain ends in, are resources (or a value set) by their addresses."""
    if not is_resource_type(type):
        return False
    try:
        found = _remembered(type, name, "x", 0)
    except BadRequest:
        return False
    while isinstance(found, Chain | Has):
        found = found.condition if isinstance(found, Has) else next(iter(found.conditions.values()))
    if not isinstance(found, Filter):
        return False
    return found.modifier in ("in", "not-in") or found.modifier != "identifier" and _holds_references(found.parameter)


def _holds_references(parameter: SearchParameter) -> bool:
    """Or one of its components. A canonical is the name of a thing, this server's address in it a part of that."""
    if parameter.type != "reference":
        return any(component.type == "reference" for component in parameter.components)
    kinds = {path.datatype for path in parameter.paths}
    return not kinds or not kinds <= CANONICALS


def _listed(type: str, value: str) -> Listed:
    ids = [part.removeprefix("List/") for part in value.split(",") if part]
    if not ids or not all(map(is_id, ids)):
        raise BadRequest(f"_list takes ids of List resources; got {value[:100]!r}. Lists by name, such as $current-allergies, are not kept here.")
    return Listed(type, tuple(ids[:MAX_VALUES]))


def _known(type: str, code: str, name: str) -> SearchParameter:
    parameter = plan(type).parameters.get(code)
    if parameter is None:
        raise Unknown(name=name, type=type)
    if isinstance(parameter, OwnParameter) and not parameter.is_ready:
        raise NotIndexedYet(name=name, type=type)
    return parameter


def _filter(parameter: SearchParameter, modifier: str | None, value: str) -> Filter:
    _check_modifier(parameter, modifier)
    if modifier == "missing" and value not in ("true", "false"):
        raise BadRequest(f"{parameter.code}:missing is true or false; got {value!r}.")
    values = [part for part in split_escaped(value, ",") if part]
    if len(values) > MAX_VALUES:
        raise TooCostly(f"{parameter.code}: at most {MAX_VALUES:,} values are taken; got {len(values):,}.")
    if not values:
        raise BadRequest(f"{parameter.code}: there is no value in {value!r}.")
    has_bars = parameter.type == "token" or modifier == "identifier"
    return Filter(parameter, modifier, tuple(values if parameter.components else map(held if has_bars else unescaped, values)))


def _check_modifier(parameter: SearchParameter, modifier: str | None) -> None:
    if modifier is None or modifier == "missing":
        return
    if modifier in MODIFIERS.get(parameter.type, ()) and parameter.code != "_id" or modifier == "not" and parameter.code == "_id":
        return
    if parameter.type == "reference" and is_resource_type(modifier):
        return
    raise BadRequest(f"{parameter.code}: the modifier :{modifier} is not supported.")


def _chain(parameter: SearchParameter, target: str, rest: str, value: str, depth: int) -> Chain:
    """`subject:Patient.name`, or for every type the reference may point at that has such a parameter."""
    if parameter.type != "reference":
        raise BadRequest(f"{parameter.code} is not a reference, so {parameter.code}.{rest} leads nowhere.")
    types = target_types(parameter)
    if target and target not in types:
        raise BadRequest(f"{parameter.code} never points at a {target}.")
    found: dict[str, Condition] = {}
    for type in [target] if target else types:
        try:
            found[type] = condition(type, rest, value, depth + 1)
        except Unknown:
            continue
    if not found:
        raise Unknown(name=f"{parameter.code}.{rest}", type=parameter.base)
    return Chain(parameter, found)


def _has(type: str, name: str, value: str, depth: int) -> Has:
    """`_has:Observation:patient:code`. https://hl7.org/fhir/R4/search.html#has"""
    parts = name.split(":", 3)
    if len(parts) != 4 or not is_resource_type(parts[1]):
        raise BadRequest(f"{name}: write _has:Type:reference:parameter.")
    _, source, code, rest = parts
    parameter = _known(source, code, f"_has:{source}:{code}")
    if parameter.type != "reference" or type not in target_types(parameter):
        raise BadRequest(f"{name}: {source}.{code} never points at a {type}.")
    return Has(parameter, type, condition(source, rest, value, depth + 1))


# -- how to answer ------------------------------------------------------------------------------------------------


def _take_count(query: Query, value: str) -> None:
    if not value.isdecimal() or len(value) > 9:
        raise BadRequest(f"_count is a whole number from 0; got {value!r}.")
    query.count = min(int(value), MAX_COUNT)


def _take_sort(query: Query, value: str) -> None:
    """All of its keys or, where one of them is unknown, none: it is not among the parameters the next page starts from."""
    keys = []
    for part in value.split(","):
        code, descending = part.removeprefix("-"), part.startswith("-")
        if code not in ("_id", "_lastUpdated"):
            parameter = _known(query.type, code, f"_sort={code}")
            if parameter.components or parameter.type == "special":
                raise BadRequest(f"_sort: {code} is {parameter.type}, which has no order.")
        keys.append(SortKey(code, descending))
    if len(query.sort) + len(keys) > 5:
        raise BadRequest("_sort takes at most 5 keys.")
    query.sort += keys


def _take_total(query: Query, value: str) -> None:
    if value not in TOTALS:
        raise BadRequest(f"_total is none, estimate or accurate; got {value!r}.")
    query.total = value  # type: ignore[assignment]


def _take_summary(query: Query, value: str) -> None:
    if value not in SUMMARIES:
        raise BadRequest(f"_summary is one of {', '.join(SUMMARIES)}; got {value!r}.")
    query.summary = value


def _take_elements(query: Query, value: str) -> None:
    query.elements = tuple(name for name in value.split(",") if name)


def _take_cursor(query: Query, value: str) -> None:
    query.cursor = value


def _take_contained(query: Query, value: str) -> None:
    """https://hl7.org/fhir/R4/search.html#contained: what this server does is the default."""
    if value != "false":
        raise BadRequest(f"_contained={value[:20]} is not supported: contained resources are found by the resource they are in.")


def _take_type(query: Query, value: str) -> None:
    """Which types to search, where the address does not say. https://hl7.org/fhir/R4/search.html#type"""
    if query.type not in value.split(","):
        raise Unknown(name="_type", type=query.type)


CONTROLS: Mapping[str, Any] = {
    "_type": _take_type,
    "_count": _take_count,
    "_sort": _take_sort,
    "_total": _take_total,
    "_summary": _take_summary,
    "_elements": _take_elements,
    "_cursor": _take_cursor,
    "_contained": _take_contained,
}


def _take_include(query: Query, name: str, value: str) -> None:
    """`Type:parameter[:Target]` or `*`. https://hl7.org/fhir/R4/search.html#include"""
    base, _, modifier = name.partition(":")
    if base not in ("_include", "_revinclude") or modifier not in ("", "iterate", "recurse"):
        raise Unknown(name=name, type=query.type)
    reverse = base == "_revinclude"
    include = _include(query.type, value, iterate=bool(modifier), reverse=reverse)
    (query.revincludes if reverse else query.includes).append(include)


def _include(type: str, value: str, *, iterate: bool, reverse: bool) -> Include:
    if value == "*":
        return Include(None if reverse or iterate else type, None, None, iterate)
    source, _, rest = value.partition(":")
    code, _, target = rest.partition(":")
    if not is_resource_type(source) or not code or target and not is_resource_type(target):
        raise BadRequest(f"{value!r}: write Type:parameter or Type:parameter:Target.")
    if code != "*" and _known(source, code, value).type != "reference":
        raise BadRequest(f"{value!r}: {code} is not a reference.")
    return Include(source, None if code == "*" else code, target or None, iterate)
