"""`:missing`: resources that have a value for a parameter, or none. https://hl7.org/fhir/R4/search.html#missing

Every row has the numbers of the parameters it has a value for, and there are few different sets of them. So those sets are looked at first, by an
index that is read from one to the next, and then the rows of the sets that lack the parameter: none, where every resource has it.
"""

from __future__ import annotations

from openward.fhir.definitions import SearchParameter
from openward.fhir.search import composite
from openward.fhir.search.parameters import number, owned
from openward.fhir.search.sql import FALSE, Bindings, all_of, any_of, rtype

MOST_KINDS = 1000
KIND = "hash_array_extended(c.has, 0)"

KINDS = """with recursive k as (
  (select hash_array_extended(f.has, 0) as kind, f.has from fhir.current f where f.tenant = %(tenant)s and f.rtype = {rtype} order by 1 limit 1)
  union all
  select n.kind, n.has from k cross join lateral (select hash_array_extended(f.has, 0) as kind, f.has from fhir.current f
    where f.tenant = %(tenant)s and f.rtype = {rtype} and hash_array_extended(f.has, 0) > k.kind order by 1 limit 1) n
) select c.kind, {wanted} from (select * from k limit {most}) c"""


def condition(parameter: SearchParameter, *, missing: bool, bind: Bindings) -> str:
    """The rows `c` without a value, or with one."""
    kinds = None if bind.is_walked or not bind.can_look else _kinds(parameter, bind, missing=missing)
    if kinds is not None:
        return of_kinds(kinds, bind)
    return f"not {_present(parameter, bind)}" if missing else _present(parameter, bind)


def lacking(parameter: SearchParameter, bind: Bindings) -> str | None:
    """The rows `c` without a value, in a way an index answers; None where there are too many sets for that."""
    kinds = _kinds(parameter, bind, missing=True)
    return None if kinds is None else of_kinds(kinds, bind)


def of_kinds(kinds: list[int], bind: Bindings) -> str:
    return f"{KIND} = any({bind.numbers(kinds)})" if kinds else FALSE


def _kinds(parameter: SearchParameter, bind: Bindings, *, missing: bool) -> list[int] | None:
    """The sets there are without the parameter, or with it."""
    own = Bindings(bind.values["tenant"])
    statement = KINDS.format(rtype=rtype(parameter.base), most=MOST_KINDS + 1, wanted=_present(parameter, own))
    found = bind.facts.look(statement, own.values)
    return [kind for kind, present in found if present is not missing] if len(found) <= MOST_KINDS else None


def _present(parameter: SearchParameter, bind: Bindings) -> str:
    alternatives = [_by_rows(parameter, bind)]
    if parameter.components and any(not path.steps for path in parameter.paths):
        components = [composite.at_resource(parameter, component) for component in parameter.components]
        alternatives.append(all_of([_by_rows(component, bind) for component in components]))
    return f"({any_of(alternatives)})"


def _by_rows(parameter: SearchParameter, bind: Bindings) -> str:
    """A parameter bound to target types (`patient`) reads the rows of one that is not, so it asks for its types."""
    bound = sorted({path.target for path in parameter.paths if path.target})
    owners = owned(parameter.base, parameter.code)
    names = [f"{owner.code}:{target}" for owner in owners for target in bound] if bound else [owner.code for owner in owners]
    return f"c.has && {bind.place([number(name) for name in names], '::int[]')}"
