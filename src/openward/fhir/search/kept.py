"""Searches whose plan can be kept: planned once for their shape, and not anew for every patient.

Led by one patient and ordered by the leading date, a page is a walk along the index of the patient's rows. That is the right plan however
many rows this or another patient has and however common a code is: it costs at most a look at each of one patient's rows of one type. So the
statement hides its values from the planner, which then finds the same plan for all, sees that planning again gives nothing, and stops. What
points at a few patients, such as appointments, is gathered and sorted.
What has another index to begin with (an identifier, a name, a date that does not lead) is planned for its values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from openward.fhir.definitions import SearchParameter
from openward.fhir.protocols import Where
from openward.fhir.search.conditions import Scope, sql
from openward.fhir.search.parameters import FROM_ROW, owned, plan
from openward.fhir.search.query import Condition, Filter, Query
from openward.fhir.search.reference import is_the_patient, keys_by_type
from openward.fhir.search.sort import LEADING_DATE, OLDEST_FIRST, Order
from openward.fhir.search.sql import Bindings, all_of, rtype
from openward.fhir.search.statement import Part, kept_statement

VALUE = re.compile(r"%\((\w+)\)s((?:::[a-z]+(?:\[\])?)?)")
ELSEWHERE = re.compile(r"\b(?:select|exists)\b", re.IGNORECASE)  # in a policy's condition: it looks beyond the row
LEADING = (LEADING_DATE, OLDEST_FIRST, "c.rkey")
FEW = 12  # patients, of whom all that points at them is looked at
RARE = frozenset({"Identifier", "ContactPoint", "id"})  # a value of these is of one resource or two: its own index is the quickest way


def is_walked(query: Query, where: Callable[[str], Where | None]) -> bool:
    """Whether the page is found among a few patients' rows, or by their ids, for an actor whose sight of each the row itself tells."""
    visible = where(query.type)
    if visible is None or ELSEWHERE.search(visible.sql):
        return False
    for condition in query.conditions:
        if not isinstance(condition, Filter) or not _is_looked_at(condition):
            return False
    return any(_is_few(one) for one in query.conditions if isinstance(one, Filter))


def walked_rows(bind: Bindings, type: str, visible: Where, conditions: Sequence[Condition]) -> str:
    """The WHERE of `fhir.current c`, as that of `conditions.rows`; what the actor may see is asked of each row that is met."""
    found = [f"c.tenant = %(tenant)s and c.rtype = {rtype(type)}"]
    if not visible.everything:
        found.append(f"{bind.policy(visible)} is true")  # so that no index is thought of
    for number, condition in enumerate(conditions):
        text, values = (_made if _moves(condition) else _remembered)(condition, f"v{number}_")
        found.append(text)
        bind.values.update(values)
    return all_of([part for part in found if part != "true"])


def _moves(condition: Condition) -> bool:
    """Whether it means something else tomorrow."""
    return isinstance(condition, Filter) and condition.parameter.type == "date" and any(value.startswith("ap") for value in condition.values)


def _made(condition: Condition, name: str) -> tuple[str, Mapping[str, Any]]:
    """The condition's SQL, and its values by names that begin with `name`."""
    bind = Bindings(0, name=name)
    bind.is_walked = True
    text = sql(Scope(bind, _nothing), condition)
    return text, {place: value for place, value in bind.values.items() if place != "tenant"}


_remembered = lru_cache(maxsize=4096)(_made)


def _nothing(type: str) -> Where | None:
    """A row that is looked at points at nothing else."""


def has_one_patient(query: Query) -> bool:
    """Whether all that is found is one patient's."""
    return any(isinstance(one, Filter) and _names_one_patient(one) for one in query.conditions)


def are_gathered(query: Query) -> bool:
    """Whether the rows of a kept plan come from lists of what points at somebody: no index has them in the order of the page."""
    return not any(isinstance(one, Filter) and (_names_one_patient(one) or one.parameter.code == "_id") for one in query.conditions)


def is_plain(by: Order) -> bool:
    """Whether the order is one of the row itself."""
    return not by.reads_log and all(column.expression in LEADING for column in by.columns)


@lru_cache(maxsize=4096)
def _is_looked_at(condition: Filter) -> bool:
    """Whether a row of `current` tells by itself whether it holds."""
    parameter = condition.parameter
    if parameter.code in FROM_ROW or condition.modifier == "missing" or _names_few_patients(condition):
        return True
    if parameter.type == "date":
        return condition.modifier is None and [owner.code for owner in _owners(parameter)] == [plan(parameter.base).date]
    if parameter.type != "token" or condition.modifier not in (None, "not"):
        return False
    return all(not value.endswith("|") for value in condition.values) and not any(path.datatype in RARE for path in parameter.paths)


@lru_cache(maxsize=4096)
def _is_few(condition: Filter) -> bool:
    """Whether it leads to a few patients' rows, or to those of some ids."""
    return _names_few_patients(condition) or (condition.parameter.code == "_id" and condition.modifier is None)


@lru_cache(maxsize=4096)
def _names_one_patient(condition: Filter) -> bool:
    """Whether it is answered by `current.patient` alone."""
    if condition.parameter.type != "reference" or condition.modifier not in (None, "Patient"):
        return False
    owners = _owners(condition.parameter)
    if len(owners) != 1 or not is_the_patient(owners[0], "Patient") or len(condition.values) != 1:
        return False
    targets = keys_by_type(condition.parameter, condition.values)
    return list(targets) == ["Patient"] and len(targets["Patient"]) == 1


def _names_few_patients(condition: Filter) -> bool:
    """Whether it is answered by one patient's rows, or by what points at a few: several patients' rows may be so many that they are better planned for."""
    if condition.parameter.type != "reference" or condition.modifier not in (None, "Patient") or len(condition.values) > FEW:
        return False
    targets = keys_by_type(condition.parameter, condition.values)
    if list(targets) != ["Patient"] or len(targets["Patient"]) != len(condition.values):
        return False
    return len(condition.values) == 1 or not any(is_the_patient(owner, "Patient") for owner in _owners(condition.parameter))


def _owners(parameter: SearchParameter) -> tuple[SearchParameter, ...]:
    return owned(parameter.base, parameter.code)


@lru_cache(maxsize=1000)
def walked(parts: tuple[Part, ...], count: int, audit: str | None = None, *, bare: bool = False) -> str:
    """The statement of a page whose plan is kept, `bare` as `Rows` have it.

    `audit` puts on record that it was read: one event, of the one patient whose rows they are if there are any.
    """
    page, bodies = map(hidden, kept_statement(parts, count, bare=bare))
    if audit is None:
        return f"with page as materialized ({page}) {bodies}"
    seen = (
        f"select {rtype(parts[0].type)}::smallint as rtype, null::uuid as rkey, null::int as ver, (select p.patient from page p limit 1) as patient"  # noqa: S608
    )
    return f"with page as materialized ({page}), seen as materialized ({seen}), audited as ({audit}) {bodies}"


@lru_cache(maxsize=1000)
def hidden(statement: str) -> str:
    """The statement with each value as a SELECT of its own, which the planner does not look into."""
    return VALUE.sub(_apart, statement)


def _apart(value: re.Match[str]) -> str:
    cast = value[2] or CASTS.get(value[1], "::uuid")
    return f"(select %({value[1]})s{cast}){cast}"


CASTS = {"tenant": "::int"}
"""Of values that stand without a cast; the others are keys."""
