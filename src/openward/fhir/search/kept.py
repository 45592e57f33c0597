"""Searches whose plan can be kept: planned once for their shape, and not anew for every patient.

Led by one patient and ordered by the leading date, a page is a walk along the index of the patient's rows. That is the right plan however
many rows this or another patient has and however common a code is: it costs at most a look at each of one patient's rows of one type. So the
statement hides its values from the planner, which then finds the same plan for all, sees that planning again gives nothing, and stops.
What has another index to begin with (an identifier, a name, a date that does not lead) is planned for its values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from openward.fhir.definitions import SearchParameter
from openward.fhir.protocols import Where
from openward.fhir.search.parameters import FROM_ROW, owned, plan
from openward.fhir.search.query import Condition, Filter, Query
from openward.fhir.search.reference import is_the_patient, keys_by_type
from openward.fhir.search.sort import Order

VALUE = re.compile(r"%\((\w+)\)s((?:::[a-z]+(?:\[\])?)?)")
LEADING = ("c.date_lo", "c.rkey")
RARE = frozenset({"Identifier", "ContactPoint", "id"})  # a value of these is of one resource or two: its own index is the quickest way


def is_walked(query: Query, where: Callable[[str], Where | None]) -> bool:
    """Whether the page is found by walking along one patient's rows, or by their ids, for an actor who may see all of the type."""
    visible = where(query.type)
    if visible is None or not visible.everything:
        return False
    return all(map(_is_looked_at, query.conditions)) and any(_names_one_patient(one) or _names_ids(one) for one in query.conditions)


def is_plain(by: Order) -> bool:
    """Whether the order is one of the row itself."""
    return not by.reads_log and all(column.expression in LEADING for column in by.columns)


def _is_looked_at(condition: Condition) -> bool:
    """Whether a row of `current` tells by itself whether it holds."""
    if not isinstance(condition, Filter):
        return False
    parameter = condition.parameter
    if parameter.code in FROM_ROW or condition.modifier == "missing" or _names_one_patient(condition):
        return True
    if parameter.type == "date":
        return condition.modifier is None and [owner.code for owner in _owners(parameter)] == [plan(parameter.base).date]
    if parameter.type != "token" or condition.modifier not in (None, "not"):
        return False
    return all(not value.endswith("|") for value in condition.values) and not any(path.datatype in RARE for path in parameter.paths)


def _names_one_patient(condition: Condition) -> bool:
    """Whether it is answered by `current.patient` alone."""
    if not isinstance(condition, Filter) or condition.parameter.type != "reference" or condition.modifier not in (None, "Patient"):
        return False
    owners = _owners(condition.parameter)
    if len(owners) != 1 or not is_the_patient(owners[0], "Patient") or len(condition.values) != 1:
        return False
    targets = keys_by_type(condition.parameter, condition.values)
    return list(targets) == ["Patient"] and len(targets["Patient"]) == 1


def _names_ids(condition: Condition) -> bool:
    return isinstance(condition, Filter) and condition.parameter.code == "_id" and condition.modifier is None


def _owners(parameter: SearchParameter) -> tuple[SearchParameter, ...]:
    return owned(parameter.base, parameter.code)


@lru_cache(maxsize=1000)
def hidden(statement: str) -> str:
    """The statement with each value as a SELECT of its own, which the planner does not look into."""
    return VALUE.sub(_apart, statement)


def _apart(value: re.Match[str]) -> str:
    cast = value[2] or CASTS.get(value[1], "::uuid")
    return f"(select %({value[1]})s{cast}){cast}"


CASTS = {"tenant": "::int"}
"""Of values that stand without a cast; the others are keys."""
