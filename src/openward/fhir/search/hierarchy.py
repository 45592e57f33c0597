"""`:below` and `:above` of references: places within places, parts of parts. https://hl7.org/fhir/R4/search.html#recursive

`Procedure?location:below=1` finds what happened in location 1 or anywhere within it.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from openward.fhir.definitions import SearchParameter
from openward.fhir.definitions import extract as values_at
from openward.fhir.errors import BadRequest
from openward.fhir.search.parameters import plan, target_types
from openward.fhir.search.query import Filter
from openward.fhir.search.reference import keys_by_type, link_hash, pointer, points_at
from openward.fhir.search.rows import COLUMNS, version_in_part
from openward.fhir.search.sql import FALSE, Bindings, any_of, rtype

PARTS = ("partof", "part-of", "parent")
DEEPEST = 32

# The WHERE of `fhir.current c` for the resources of a type that the actor may see.
Visible = Callable[[Bindings, str], str]


def condition(wanted: Filter, bind: Bindings, visible: Visible) -> str:
    """The rows `c` whose reference points at one of the values, or at what lies below (above) it. Raises BadRequest where there is no hierarchy."""
    found = []
    for type, keys in keys_by_type(wanted.parameter, wanted.values).items():
        part = part_of(type)
        if part:
            reached = _down(part, keys, bind, visible) if wanted.modifier == "below" else _up(part, keys, bind, visible)
            found.append(points_at(wanted.parameter, {type: reached}, bind))
    if not found:
        raise BadRequest(f"{wanted.parameter.code}:{wanted.modifier}: name a resource of a type whose resources are parts of each other.")
    return any_of(found)


def part_of(type: str) -> SearchParameter | None:
    """The parameter by which a resource of this type names the one it is a part of."""
    known = plan(type).parameters
    return next((known[code] for code in PARTS if code in known and type in target_types(known[code])), None)


def _down(part: SearchParameter, keys: list[UUID], bind: Bindings, visible: Visible) -> str:
    """The keys and, as far as the actor may see them, the parts of their parts."""
    seen = visible(bind, part.base)
    if seen == FALSE:
        return f"= any({bind.place([], '::uuid[]')})"
    step = (
        f"select c.rkey from below b join fhir.edge e on e.tenant = %(tenant)s and e.tgt = b.k and e.stype = {rtype(part.base)}"  # noqa: S608
        f" and e.link = {bind.place(link_hash(part.code, part.base))} join fhir.current c on c.rkey = e.src where {seen}"
    )
    return f"in (with recursive below(k) as (select unnest({bind.place(keys, '::uuid[]')}) union {step}) select k from below)"  # noqa: S608


def _up(part: SearchParameter, keys: list[UUID], bind: Bindings, visible: Visible) -> str:
    """The keys and what they are parts of, read one level at a time: an edge is found by its target only."""
    reached, level = set(keys), list(keys)
    for _ in range(DEEPEST):
        level = [key for key in _parents(part, level, bind, visible) if key not in reached]
        if not level:
            break
        reached.update(level)
    return f"= any({bind.place(sorted(reached), '::uuid[]')})"


def _parents(part: SearchParameter, keys: list[UUID], bind: Bindings, visible: Visible) -> list[UUID]:
    own = Bindings(bind.values["tenant"])
    seen = visible(own, part.base)
    if seen == FALSE:
        return []
    found = f"{seen} and c.rkey = any({own.place(keys, '::uuid[]')})"
    select = f"select {COLUMNS} from fhir.current c join fhir.body b using (tenant, rtype, rkey, ver) where {found}"  # noqa: S608
    versions = [version_in_part(row) for row in bind.facts.look(select, own.values)]
    references = [value.get("reference") or "" for v in versions for path in part.paths for _, value in values_at(path, v.content)]
    return [named[1] for named in map(pointer, references) if named and named[0] == part.base]
