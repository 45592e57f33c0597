"""`ObservationList(…)` and `ObservationConnection(…)`: searches, by the parameters of the type with `_` for `-`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openward.fhir.definitions import is_resource_type
from openward.fhir.graphql.elements import text_of
from openward.fhir.graphql.query import QueryError
from openward.fhir.search.parameters import plan

LIST, CONNECTION = "List", "Connection"
MOST_LISTED = 1000
PAGE = 50
CONTROLS = frozenset({"_sort", "_count", "_filter"})
NOT_HERE = frozenset({"_include", "_revinclude", "_contained", "_containedType", "_summary", "_elements"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A search of `type`; `reverse` is the parameter by which it points at the resource in scope."""

    type: str
    kind: str
    reverse: str | None
    params: list[tuple[str, str]]
    path: Any = None
    cursor: str | None = None
    is_bounded: bool = False


def search_of(name: str) -> tuple[str, str] | None:
    """(type, kind) when a field's name is that of a search. The type List has no `List`-less name of its own that could be meant."""
    for kind in (LIST, CONNECTION):
        type = name.removesuffix(kind)
        if type != name and is_resource_type(type):
            return type, kind
    return None


def wanted(type: str, kind: str, arguments: Mapping[str, Any]) -> Wanted:
    """Raises QueryError."""
    given = {name: value for name, value in arguments.items() if name not in ("_reference", "fhirpath", "cursor", "_cursor")}
    params = [(_parameter(type, name), _value(name, value)) for name, value in given.items()]
    reverse, cursor = arguments.get("_reference"), arguments.get("cursor") or arguments.get("_cursor")
    if not any(name == "_count" for name, _ in params):
        params.append(("_count", str(MOST_LISTED if kind == LIST else PAGE)))
    back = _parameter(type, str(reverse)) if reverse is not None else None
    return Wanted(type, kind, back, params, arguments.get("fhirpath"), str(cursor) if cursor else None, "_count" in given)


def _parameter(type: str, name: str) -> str:
    if name in NOT_HERE:
        raise QueryError(f"{name} has no meaning in a GraphQL search.")
    if name in CONTROLS:
        return name
    known = plan(type).parameters
    for code in (name, name.replace("_", "-"), "_" + name.removeprefix("_")):
        if code in known:
            return code
    raise QueryError(f"{name} is not a search parameter of {type}.")


def _value(name: str, value: Any) -> str:
    """A list means any of its values; a comma within one is only a comma. No value at all would mean everyone, and is refused."""
    values = value if isinstance(value, list) else [value]
    if any(isinstance(one, dict | list) or one is None for one in values):
        raise QueryError("A search parameter is a text, a number, or a list of such.")
    if not any(text_of(one).strip() for one in values):
        raise QueryError(f"{name} has no value.")
    return ",".join(text_of(one).replace(",", "\\,") for one in values)
