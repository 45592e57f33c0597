"""Searches by the leading code, newest first: each code's rows are walked in the order of the index, and merged.

`current.code` is the first coding's; a coding that came later is known by its secondary hash. Together they are every match, and no row is in
two of the parts, so that a page of a common code costs a page, not the sorting of every match.
"""

from __future__ import annotations

from collections.abc import Sequence

from openward.fhir.definitions import SearchParameter
from openward.fhir.search.conditions import Scope, rows
from openward.fhir.search.escape import parted
from openward.fhir.search.parameters import INDEXED, owned, plan
from openward.fhir.search.query import Condition, Filter, Query
from openward.fhir.search.sort import Order
from openward.fhir.search.sql import FALSE
from openward.fhir.search.token import secondary_hash, token_hash

MOST_PARTS = 8


def parts(scope: Scope, query: Query, by: Order) -> list[str]:
    """The WHEREs whose rows together, and disjoint, are the matches; just one unless the index of the leading code can serve."""
    codes = _codes(query, scope) if by.is_newest_first else None
    if codes is None:
        return [rows(scope, query.type, query.conditions)]
    asked, named = codes
    if not named:
        return [FALSE]
    others = rows(scope, query.type, [condition for condition in query.conditions if condition is not asked])
    if others == FALSE:
        return [FALSE]
    hashes = scope.bind.numbers([token_hash(owner, system, code) for owner, system, code in named])
    later = scope.bind.numbers([secondary_hash(owner, system, code) for owner, system, code in named])
    first = [f"{others} and c.code = {scope.bind.place(token_hash(*name), '::bigint')}" for name in named]
    known = f"exists (select from fhir.token t where t.tenant = %(tenant)s and t.h = any({later}))"
    return [*first, f"{known} and {others} and c.tok && {later} and c.code <> all({hashes})"]


Name = tuple[str, str, str]


def _codes(query: Query, scope: Scope) -> tuple[Filter, list[Name]] | None:
    """The filter on the leading code, and the codes it names with their systems; None when another index serves better or this one not at all.

    Nor does it where the dictionary has only the beginning of a system. A code without a system has all those in which any resource has it.
    """
    here = plan(query.type)
    if not all(isinstance(condition, Filter) and not _reads(condition, here.patient) for condition in query.conditions):
        return None
    asked = next((c for c in query.conditions if isinstance(c, Filter) and _reads(c, here.code) and c.modifier is None), None)
    if asked is None or len(asked.values) > MOST_PARTS:
        return None
    split = [parted(value) for value in asked.values]
    if not all(code for _, _, code in split):
        return None
    leading = str(here.code)
    named = {(leading, own, code) for system, bar, code in split for own in ([system] if bar else scope.bind.facts.systems(leading, code))}
    is_whole = all(len(own) < INDEXED for _, own, _ in named)
    return (asked, sorted(named)) if len(named) <= MOST_PARTS and is_whole else None


def _reads(condition: Condition, code: str | None) -> bool:
    """Whether the condition is answered by the rows of `code` and no other parameter."""
    return isinstance(condition, Filter) and code is not None and _owners(condition.parameter) == [code]


def _owners(parameter: SearchParameter) -> Sequence[str]:
    return [owner.code for owner in owned(parameter.base, parameter.code)]
