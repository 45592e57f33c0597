"""`_has` of few: what points here is looked up first, so that the statement starts from its handful of targets.

The planner cannot know how the targets of a rare condition lie among all; a page of twenty then costs a walk through every one. Of many
the statement itself finds the first ones soon.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from openward.fhir.search.own import values_of
from openward.fhir.search.parameters import owned
from openward.fhir.search.query import Has
from openward.fhir.search.reference import is_the_patient, not_elsewhere, pointer
from openward.fhir.search.rows import COLUMNS, version_in_part
from openward.fhir.search.sql import Bindings

FEW_PATIENTS = 5000  # resources, as the planner guesses, whose patients are looked up
FEW_BODIES = 200  # resources that are read for what they point at: an edge is found by its target only


def few(has: Has, bind: Bindings, sources: Callable[[Bindings], str]) -> list[UUID] | None:
    """The keys of the targets; None when there are too many sources to look them up, or nothing can be looked up here.

    `sources`: the WHERE of `fhir.current c` for what points, with its values in the bindings it is given.
    """
    if not bind.can_look:
        return None
    owners = owned(has.parameter.base, has.parameter.code)
    own = Bindings(bind.values["tenant"], bind.facts)
    if len(owners) == 1 and is_the_patient(owners[0], has.target):
        return _patients(f"{sources(own)} and {not_elsewhere(owners[0], 'c', own)}", own)
    return _pointed_at(has, sources(own), own)


def _patients(found: str, bind: Bindings) -> list[UUID] | None:
    if bind.facts.guess(f"select from fhir.current c where {found}", bind.values) > FEW_PATIENTS:  # noqa: S608
        return None
    inner = f"select c.patient from fhir.current c where {found} and c.patient is not null limit {FEW_PATIENTS * 4}"  # noqa: S608
    count, keys = bind.facts.look(f"select count(*), array_agg(distinct x.patient) from ({inner}) x", bind.values)[0]  # noqa: S608
    return None if count == FEW_PATIENTS * 4 else list(keys or ())


def _pointed_at(has: Has, found: str, bind: Bindings) -> list[UUID] | None:
    if bind.facts.guess(f"select from fhir.current c where {found}", bind.values) > FEW_BODIES:  # noqa: S608
        return None
    select = f"select {COLUMNS} from fhir.current c join fhir.body b using (tenant, rtype, rkey, ver) where {found} limit {FEW_BODIES + 1}"  # noqa: S608
    versions = [version_in_part(row) for row in bind.facts.look(select, bind.values)]
    if len(versions) > FEW_BODIES:
        return None
    values = [value for version in versions for _, value in values_of(has.parameter, version.content)]
    named = [pointer(value if isinstance(value, str) else value.get("reference") or "") for value in values]
    return sorted({found[1] for found in named if found and found[0] == has.target})
