"""Reference parameters: who points at whom. https://hl7.org/fhir/R4/search.html#reference

A reference to a resource of this server is an edge, or `current.patient` where the type names one patient; any other (absolute, urn:,
canonical, by identifier) is a hash in `current.tok`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from openward.fhir.definitions import SearchParameter, is_resource_type
from openward.fhir.errors import BadRequest
from openward.fhir.ids import is_id, key
from openward.fhir.sealing.rules import asked_for, found_by
from openward.fhir.search.escape import parted
from openward.fhir.search.parameters import owned, plan, target_types
from openward.fhir.search.sql import FALSE, Bindings, all_of, any_of, rtype
from openward.fhir.search.token import token_hash

LOCAL = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?")
ELSEWHERE = "patient-elsewhere"
IDENTIFIER = "@"

# (type, key of the target)
Pointer = tuple[str, UUID]


@lru_cache(maxsize=16384)
def link_hash(parameter: str, target: str) -> int:
    """`edge.link`: the hash of a reference parameter and its target's type, signed 64 bits."""
    return token_hash("->" + parameter, target, "")


@lru_cache(maxsize=4096)
def pointer(reference: str) -> Pointer | None:
    """The resource of this server a literal reference names; None for every other."""
    match = LOCAL.fullmatch(reference)
    return (match.group(1), key(match.group(1), match.group(2))) if match and is_resource_type(match.group(1)) else None


def extract(parameter: str, datatype: str, value: Any, tokens: set[int], tenant: int) -> Pointer | None:
    """The target of one reference; what is not a resource of this server becomes a hash in `tokens`."""
    if datatype == "Reference":
        if "identifier" in value:
            _identifier(parameter, value["identifier"], tokens, tenant)
        literal = value.get("reference")
    else:
        literal = value.get("url") if isinstance(value, Mapping) else value
    if not literal or literal.startswith("#"):
        return None
    if found := pointer(literal):
        return found
    tokens.add(token_hash(parameter, "", literal))
    if "|" in literal:
        tokens.add(token_hash(parameter, "", literal.rpartition("|")[0]))
    return None


def _identifier(parameter: str, value: Mapping[str, Any] | None, tokens: set[int], tenant: int) -> None:
    if value and value.get("value"):
        text = found_by(value, value["value"], tenant)
        tokens.update(token_hash(IDENTIFIER + parameter, system, text) for system in (None, value.get("system", "")))
        tokens.add(token_hash(IDENTIFIER + parameter, value.get("system", ""), None))


def condition(parameter: SearchParameter, values: Sequence[str], modifier: str | None, bind: Bindings) -> str:
    """`id`, `Type/id` or a url, any of `values`; the modifiers :identifier and :[type]."""
    if modifier == "identifier":
        return _by_identifier(parameter, values, bind)
    targets = target_types(parameter)
    if modifier and modifier not in targets:
        raise BadRequest(f"{parameter.code} never points at a {modifier}; it may point at {', '.join(targets[:8]) or 'nothing'}.")
    local, others = _sorted(parameter, values, (modifier,) if modifier else targets)
    conditions = [points_at(parameter, _keys(local, bind), bind)] if local else []
    if others:
        hashes = [token_hash(owner.code, "", value) for owner in owned(parameter.base, parameter.code) for value in others]
        conditions.append(f"c.tok && {bind.numbers(hashes)}")
    return any_of(conditions)


def _keys(local: Mapping[str, Sequence[UUID]], bind: Bindings) -> dict[str, str]:
    """Each type's keys as SQL; types with the same keys (a UUID without its type) get the same text, and so one index scan."""
    places: dict[tuple[UUID, ...], str] = {}
    for keys in map(tuple, local.values()):
        if keys not in places:
            places[keys] = f"= any({bind.place(list(keys), '::uuid[]')})" if len(keys) > 1 else f"= {bind.place(keys[0])}"
    return {type: places[tuple(keys)] for type, keys in local.items()}


def _sorted(parameter: SearchParameter, values: Sequence[str], targets: Sequence[str]) -> tuple[dict[str, list[UUID]], list[str]]:
    """Keys by target type, and the values that name nothing of this server."""
    local: dict[str, list[UUID]] = {}
    others: list[str] = []
    for value in values:
        found = pointer(value)
        if found and found[0] in targets:
            local.setdefault(found[0], []).append(found[1])
        elif found or not is_id(value):
            others.append(value)
        else:
            for type in targets:
                local.setdefault(type, []).append(key(type, value))
    return local, others


def keys_by_type(parameter: SearchParameter, values: Sequence[str]) -> dict[str, list[UUID]]:
    """What the values name of this server."""
    return _sorted(parameter, values, target_types(parameter))[0]


def _by_identifier(parameter: SearchParameter, values: Sequence[str], bind: Bindings) -> str:
    hashes = []
    for owner in owned(parameter.base, parameter.code):
        for value in values:
            system, bar, code = parted(value)
            wanted = system if bar else None
            hashes += [token_hash(IDENTIFIER + owner.code, wanted, text) for text in (asked_for(wanted, code, bind.tenant) if code else (None,))]
    return f"c.tok && {bind.numbers(hashes)}"


def names_canonicals(parameter: SearchParameter) -> bool:
    return parameter.type == "reference" and bool(parameter.paths) and all(path.datatype == "canonical" for path in parameter.paths)


def canonical_below(parameter: SearchParameter, values: Sequence[str], bind: Bindings) -> str:
    """A canonical in any version, or in those that begin with the one named. https://hl7.org/fhir/R4/search.html#versions"""
    return any_of([_canonical_below(parameter, value, bind) for value in values])


def _canonical_below(parameter: SearchParameter, value: str, bind: Bindings) -> str:
    url, bar, version = value.partition("|")
    found = f"c.tok && {bind.numbers([token_hash(owner.code, '', url) for owner in owned(parameter.base, parameter.code)])}"
    if not version:
        return found
    named = msgspec.json.encode(value).decode()
    spelled = " or ".join(f"position({bind.place(text)} in b.body) > 0" for text in (named, f"{named[:-1]}."))
    body = f"b.tenant = c.tenant and b.rtype = c.rtype and b.rkey = c.rkey and b.ver = c.ver and ({spelled})"
    return f"({found} and exists (select from fhir.body b where {body}))"  # noqa: S608


def points_at(parameter: SearchParameter, targets: Mapping[str, str], bind: Bindings) -> str:
    """The rows `c` whose `parameter` points at one of the targets.

    `targets`: type → SQL that follows the key of a resource of that type: `= %(p)s`, `in (select …)`.
    """
    pairs = [(owner, type) for owner in owned(parameter.base, parameter.code) for type in targets]
    patients = [owner for owner, type in pairs if is_the_patient(owner, type)]
    if len(patients) == len(pairs) == 1:
        return all_of([f"c.patient {targets['Patient']}", not_elsewhere(patients[0], "c", bind)])
    return f"c.rkey in ({' union all '.join(_selects(pairs, targets, bind))})"


def point_at(parameters: Sequence[SearchParameter], target: str, key: UUID, bind: Bindings, *, itself: bool) -> str:
    """The rows `c` of which any of the parameters points at one resource; `itself`: and that resource."""
    owners = dict.fromkeys(owner for parameter in parameters for owner in owned(parameter.base, parameter.code))
    place = bind.place(key)
    selects = _selects([(owner, target) for owner in owners], {target: f"= {place}"}, bind)
    selects += [f"select {place}::uuid"] if itself else []
    return f"c.rkey in ({' union all '.join(selects)})" if selects else FALSE


def any_points_at(parameters: Sequence[SearchParameter], targets: Mapping[str, str], bind: Bindings) -> str:
    """The rows `c` of which any of the parameters (of one type) points at one of the targets; as `points_at`, and one list for them all."""
    found = ((p, type) for p in parameters for type in target_types(p) if type in targets)
    pairs = list(dict.fromkeys((owner, type) for p, type in found for owner in owned(p.base, p.code)))
    return f"c.rkey in ({' union all '.join(_selects(pairs, targets, bind))})" if pairs else FALSE


def _selects(pairs: Sequence[tuple[SearchParameter, str]], targets: Mapping[str, str], bind: Bindings) -> list[str]:
    """The lists of keys that together are the rows wanted: one list, never an `or` of them, which the planner could only test row by row."""
    patients = [owner for owner, type in pairs if is_the_patient(owner, type)]
    links: dict[str, list[int]] = {}
    for owner, type in pairs:
        if not is_the_patient(owner, type):
            links.setdefault(targets[type], []).append(link_hash(owner.code, type))
    selects = [_of_patient(owner, targets["Patient"], bind) for owner in patients]
    return selects + [_of_edges(pairs[0][0].base, keys, bind.numbers(hashes)) for keys, hashes in links.items()]


def _of_patient(owner: SearchParameter, keys: str, bind: Bindings) -> str:
    return (
        f"select k.rkey from fhir.current k where k.tenant = %(tenant)s and k.rtype = {rtype(owner.base)} and k.patient {keys}"  # noqa: S608
        f" and {not_elsewhere(owner, 'k', bind)}"
    )


def _of_edges(source: str, keys: str, links: str) -> str:
    return f"select e.src from fhir.edge e where e.tenant = %(tenant)s and e.tgt {keys} and e.link = any({links}) and e.stype = {rtype(source)}"  # noqa: S608


def sources(parameter: SearchParameter, target: str, rows: str, bind: Bindings) -> str:
    """The rows `c` of type `target` that are pointed at, by `parameter`, from one of the resources in `rows`.

    `rows` is a SELECT of `c.rkey, c.patient` from resources of the parameter's type that ends in its WHERE.
    """
    return any_of([_sources(owner, target, rows, bind) for owner in owned(parameter.base, parameter.code)])


def _sources(owner: SearchParameter, target: str, rows: str, bind: Bindings) -> str:
    if is_the_patient(owner, target):
        return f"c.rkey in (select s.patient from ({rows} and {not_elsewhere(owner, 'c', bind)}) s)"  # noqa: S608
    return (
        f"c.rkey in (select e.tgt from fhir.edge e join ({rows}) s on s.rkey = e.src where e.tenant = %(tenant)s"  # noqa: S608
        f" and e.link = {bind.place(link_hash(owner.code, target))} and e.stype = {rtype(owner.base)})"
    )


def is_the_patient(owner: SearchParameter, target: str) -> bool:
    """Whether this reference is held by `current.patient` and not by an edge."""
    return target == "Patient" and plan(owner.base).patient == owner.code


def not_elsewhere(owner: SearchParameter, alias: str, bind: Bindings) -> str:
    """Where the best path names no patient, `current.patient` comes from another one, which this parameter must not see."""
    if len(plan(owner.base).compartment) == 1:
        return "true"
    return f"not {alias}.tok @> {bind.numbers([elsewhere_hash()])}"


def elsewhere_hash() -> int:
    return token_hash(ELSEWHERE, "", "")
