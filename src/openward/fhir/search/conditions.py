"""Conditions of a query as SQL on `fhir.current c`. Each nested SELECT has its own `c`, and every one carries the policy of its type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from openward.fhir.definitions import SearchParameter
from openward.fhir.ids import is_id, key
from openward.fhir.protocols import Where
from openward.fhir.search import (
    composite,
    date,
    hierarchy,
    listed,
    missing,
    negation,
    number,
    pointers,
    quantity,
    reference,
    special,
    string,
    token,
    uri,
    words,
)
from openward.fhir.search.parameters import FROM_ROW
from openward.fhir.search.query import Chain, Condition, Filter, Has, Listed, Member, Words
from openward.fhir.search.sql import FALSE, Bindings, all_of, rtype

ByType = Callable[[SearchParameter, Sequence[str], "str | None", Bindings], str]

BY_TYPE: Mapping[str, ByType] = {
    "number": number.condition,
    "date": date.condition,
    "string": string.condition,
    "token": token.condition,
    "reference": reference.condition,
    "composite": composite.condition,
    "quantity": quantity.condition,
    "uri": uri.condition,
    "special": special.condition,
}


@dataclass(frozen=True, slots=True)
class Scope:
    """The statement being built, and what its actor may see of each type (None: nothing)."""

    bind: Bindings
    where: Callable[[str], Where | None]


def rows(scope: Scope, type: str, conditions: Sequence[Condition]) -> str:
    """The WHERE of `fhir.current c` for the resources of `type` that the actor may see and that satisfy the conditions."""
    visible = scope.where(type)
    if visible is None:
        return FALSE
    here = f"c.tenant = %(tenant)s and c.rtype = {rtype(type)}"
    parts = [here, scope.bind.policy(visible), *(sql(scope, condition) for condition in conditions)]
    return all_of([part for part in parts if part != "true"])


def sql(scope: Scope, condition: Condition) -> str:
    if isinstance(condition, Filter):
        return _filter(scope, condition)
    if isinstance(condition, Chain):
        return _chain(scope, condition)
    if isinstance(condition, Has):
        return _has(scope, condition)
    if isinstance(condition, Words):
        return words.condition(condition.code, condition.type, condition.value, scope.bind)
    return listed.condition(condition, scope.bind, partial(_visible, scope)) if isinstance(condition, Listed) else _member(condition, scope.bind)


def _visible(scope: Scope, bind: Bindings, type: str) -> str:
    return rows(Scope(bind, scope.where), type, ())


def _filter(scope: Scope, wanted: Filter) -> str:
    parameter = wanted.parameter
    if parameter.code in FROM_ROW:
        return _of_row(wanted, scope.bind)
    if wanted.modifier == "below" and reference.names_canonicals(parameter):
        return reference.canonical_below(parameter, wanted.values, scope.bind)
    if parameter.type == "reference" and wanted.modifier in ("above", "below"):
        return hierarchy.condition(wanted, scope.bind, partial(_visible, scope))
    if wanted.modifier == "missing":
        return missing.condition(parameter, missing=wanted.values[0] == "true", bind=scope.bind)
    if wanted.modifier in ("not", "not-in"):
        return negation.condition(parameter, wanted.values, wanted.modifier, scope.bind)
    return BY_TYPE[parameter.type](parameter, wanted.values, wanted.modifier, scope.bind)


def _of_row(wanted: Filter, bind: Bindings) -> str:
    """`_id` and `_lastUpdated`, which every resource has."""
    if wanted.modifier == "missing":
        return FALSE if wanted.values[0] == "true" else "true"
    if wanted.parameter.code == "_lastUpdated":
        return date.last_updated(wanted.values, bind)
    found = _ids(wanted.parameter.base, wanted.values, bind)
    return f"not ({found})" if wanted.modifier == "not" else found


def _ids(type: str, values: Sequence[str], bind: Bindings) -> str:
    keys = [key(type, value) for value in values if is_id(value)]
    return f"c.rkey = any({bind.place(keys, '::uuid[]')})" if keys else FALSE


def _chain(scope: Scope, chain: Chain) -> str:
    found: dict[str, str] = {}
    for target, condition in chain.conditions.items():
        targets = rows(scope, target, [condition])
        if targets != FALSE:
            found[target] = f"in (select c.rkey from fhir.current c where {targets})"  # noqa: S608
    return reference.points_at(chain.parameter, found, scope.bind) if found else FALSE


def _member(member: Member, bind: Bindings) -> str:
    type, _, id = member.owner.partition("/")
    return reference.point_at(member.parameters, type, key(type, id), bind, itself=member.is_owner_type)


def _has(scope: Scope, has: Has) -> str:
    sources = rows(scope, has.parameter.base, [has.condition])
    if sources == FALSE:
        return FALSE
    keys = pointers.few(has, scope.bind, lambda bind: rows(Scope(bind, scope.where), has.parameter.base, [has.condition]))
    if keys is not None:
        return f"c.rkey = any({scope.bind.place(keys, '::uuid[]')})" if keys else FALSE
    select = f"select c.rkey, c.patient from fhir.current c where {sources}"  # noqa: S608
    return reference.sources(has.parameter, has.target, select, scope.bind)
