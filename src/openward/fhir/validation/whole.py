"""A whole resource: its type's check, then what only the whole can tell — contained resources and the references to them.

https://hl7.org/fhir/R4/references.html#contained
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from openward.fhir.validation.compiled import CHECKS, MANY
from openward.fhir.validation.found import Found
from openward.fhir.validation.glance import GLANCES, Held, by_type, held_by
from openward.fhir.validation.primitives import kind
from openward.fhir.validation.targets import CONTAINED, TYPES


def check_resource(data: Any) -> list[Found] | None:
    return None if _is_sound(data) else _looked_at(data)


def _is_sound(data: Any) -> bool:
    if data.__class__ is not dict:
        return False
    if "contained" not in data:
        return by_type(data, {})
    held = held_by(data["contained"])
    return by_type(data, held) and next(_contained_rules(data, held[None]), None) is None


def _looked_at(data: Any) -> list[Found] | None:
    found = _by_type(data)
    if found is None and (data.__class__ is not dict or "contained" not in data):
        return None
    found = found or []
    if data.__class__ is dict:
        rules = _contained_rules(data, {message.split(" ", 1)[0] for _, code, message in found if code == CONTAINED})
        found += islice(rules, MANY)
        types = {one.get("id"): one.get("resourceType") for one in reversed(_contained(data)) if isinstance(one.get("id"), str)}
        found = [settled for one in found for settled in _settled(one, types)]
    return found or None


def _by_type(data: Any) -> list[Found] | None:
    if data.__class__ is not dict:
        return [("", "structure", f"must be an object, not {kind(data)}")]
    type = data.get("resourceType")
    if type.__class__ is not str or type not in TYPES:
        problem = "is not a FHIR R4 resource type" if "resourceType" in data else "is missing"
        return [(".resourceType", "structure", problem)]
    return CHECKS[type](data)


def _contained(data: dict[str, Any]) -> list[dict[str, Any]]:
    contained = data.get("contained")
    return [one for one in contained if isinstance(one, dict)] if isinstance(contained, list) else []


def _contained_rules(data: dict[str, Any], referred: set[str]) -> Iterator[Found]:
    """`referred` are the ids that references name."""
    seen: set[Any] = set()
    named: set[str] | None = None  # by canonicals and extensions too, which only a walk through everything tells
    for index, one in enumerate(_contained(data)):
        where, id = f".contained[{index}]", one.get("id")
        if "contained" in one:
            yield where, "invariant", "a contained resource contains no others (dom-2)"
        if not id:
            yield where + ".id", "required", "a contained resource needs an id"
        elif isinstance(id, str) and id in seen:
            yield where + ".id", "duplicate", "another contained resource has this id"
        seen.add(id if isinstance(id, str) else None)
        if isinstance(id, str) and id and id not in referred and "#" not in _local_references(one):
            named = _local_references(data) if named is None else named
            if "#" + id not in named:
                yield where, "invariant", "nothing in the resource refers to this contained resource (dom-3)"
        meta = one.get("meta")
        if isinstance(meta, dict) and meta.keys() & {"versionId", "lastUpdated"}:
            yield where + ".meta", "invariant", "a contained resource has no versionId or lastUpdated (dom-4)"


def _local_references(value: Any) -> set[str]:
    """Every text anywhere below that begins with #, as references and canonicals to what is contained do."""
    found: set[str] = set()
    rest = [value]
    while rest:
        one = rest.pop()
        if one.__class__ is dict:
            rest += one.values()
        elif one.__class__ is list:
            rest += one
        elif one.__class__ is str and one[:1] == "#":
            found.add(one)
    return found


def _settled(found: Found, types: Mapping[str, Any]) -> Iterator[Found]:
    """A `#id` reference is right when the resource contains that id, of a type the element may point at."""
    where, code, message = found
    if code != CONTAINED:
        yield found
        return
    id, *allowed = message.split(" ")
    type = types.get(id)
    if type is None:
        yield where, "not-found", f"nothing contained has the id {id[:64]} (ref-1)"
    elif type not in allowed:
        yield where, "invalid", f"may not refer to a {type}"


def _glance(data: Any, held: Held) -> bool:
    return _is_sound(data)


CHECKS["Resource"] = check_resource
GLANCES["Resource"] = _glance
CHECKS["contained"] = _by_type
