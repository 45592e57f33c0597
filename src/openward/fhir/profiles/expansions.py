"""Value sets as the codes they hold, as far as they can be listed here. https://hl7.org/fhir/R4/valueset.html#compositions

`Codes` is system → the codes, or ANY (the whole of a system that is not listed here), or UNKNOWN (a part of it that cannot be told).
The system "" with UNKNOWN stands for a nested set that nobody here knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

ANY, UNKNOWN = "*", "?"
Codes = dict[str, Any]

# Systems written down by grammar, or too large to list: any code of theirs is taken.
BY_GRAMMAR = frozenset({"http://unitsofmeasure.org", "urn:ietf:bcp:47", "urn:ietf:bcp:13", "http://snomed.info/sct", "http://loinc.org"})
LARGE = 5_000  # codes; a larger system is not listed in a set that includes all of it

Find = Callable[[str], Mapping[str, Any] | None]


def expand(value_set: Mapping[str, Any], value_sets: Find, systems: Find, within: tuple[str, ...] = ()) -> Codes:
    """The codes of a ValueSet resource. `value_sets` and `systems` find definitions by canonical address without version."""
    compose = value_set.get("compose")
    if compose is None:
        return _of_expansion(value_set.get("expansion"))
    codes: Codes = {}
    for include in compose.get("include", ()):
        _unite(codes, _part(include, value_sets, systems, (*within, value_set.get("url", ""))))
    for exclude in compose.get("exclude", ()):
        _subtract(codes, _part(exclude, value_sets, systems, (*within, value_set.get("url", ""))))
    return {system: sorted(found) if isinstance(found, set) else found for system, found in codes.items() if found}


def member(codes: Mapping[str, Any], system: str | None, code: str) -> bool | None:
    """Whether the set holds the code; None when it cannot be told. Without a system: by the code alone."""
    parts = codes.values() if system is None else [codes.get(system, ())]
    if any(code in part for part in parts if not isinstance(part, str)):
        return True
    if any(part in (ANY, UNKNOWN) for part in parts if isinstance(part, str)):
        return None
    return None if "" in codes else False


def as_value_set(url: str, codes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Codes known otherwise, as a ValueSet that others may include."""

    def include(system: str, found: Any) -> dict[str, Any]:
        if isinstance(found, str):
            return {"system": system} | ({"filter": [{"property": "-", "op": "=", "value": "-"}]} if found == UNKNOWN else {})
        return {"system": system, "concept": [{"code": code} for code in found]}

    return {"url": url, "compose": {"include": [include(*item) for item in codes.items()]}}


def _of_expansion(expansion: Mapping[str, Any] | None) -> Codes:
    if expansion is None:
        return {"": UNKNOWN}
    codes: Codes = {}
    for entry in _entries(expansion):
        codes.setdefault(entry.get("system", ""), set()).add(entry.get("code", ""))
    return {system: sorted(found) for system, found in codes.items()}


def _entries(parent: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for entry in parent.get("contains", ()):
        yield entry
        yield from _entries(entry)


def _part(include: Mapping[str, Any], value_sets: Find, systems: Find, within: tuple[str, ...]) -> Codes:
    """One include or exclude: its system's codes and every value set named must all hold."""
    found = [_nested(url.split("|")[0], value_sets, systems, within) for url in include.get("valueSet", ())]
    if "system" in include:
        system = include["system"].split("|")[0]
        found.append({system: _of_system(include, system, systems)})
    first, *rest = found or [{"": UNKNOWN}]
    for other in rest:
        first = _common(first, other)
    return first


def _nested(url: str, value_sets: Find, systems: Find, within: tuple[str, ...]) -> Codes:
    definition = None if url in within else value_sets(url)
    return (
        {"": UNKNOWN}
        if definition is None
        else {k: set(v) if isinstance(v, list) else v for k, v in expand(definition, value_sets, systems, within).items()}
    )


def _of_system(include: Mapping[str, Any], system: str, systems: Find) -> set[str] | str:
    if "concept" in include:
        return {concept["code"] for concept in include["concept"]}
    definition = None if system in BY_GRAMMAR else systems(system)
    if definition is None or definition.get("content") != "complete":
        return UNKNOWN if "filter" in include else ANY
    concepts = list(_concepts(definition.get("concept", ()), ()))
    if "filter" not in include:
        return {code for code, _, _ in concepts} if len(concepts) <= LARGE else ANY
    kept = {code for code, _, _ in concepts}
    for one in include["filter"]:
        matching = _filtered(one, concepts)
        if matching is None:
            return UNKNOWN
        kept &= matching
    return kept


def _concepts(concepts: Iterable[Mapping[str, Any]], above: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...], Mapping[str, Any]]]:
    """(code, codes above it, concept); parents may also be stated by the property subsumedBy."""
    for concept in concepts:
        stated = tuple(p.get("valueCode", "") for p in concept.get("property", ()) if p.get("code") in ("subsumedBy", "parent"))
        yield concept["code"], (*above, *stated), concept
        yield from _concepts(concept.get("concept", ()), (*above, concept["code"]))


def _filtered(one: Mapping[str, Any], concepts: list[tuple[str, tuple[str, ...], Mapping[str, Any]]]) -> set[str] | None:
    if one["property"] != "concept" or one["op"] not in ("is-a", "descendent-of", "is-not-a"):
        return None
    parents: dict[str, set[str]] = {}
    for code, above, _ in concepts:
        parents.setdefault(code, set()).update(above)
    below = {code for code in parents if one["value"] in _ancestors(code, parents)}
    if one["op"] == "is-not-a":
        return set(parents) - below - {one["value"]}
    return below | {one["value"]} if one["op"] == "is-a" else below - {one["value"]}


def _ancestors(code: str, parents: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(parents.get(code, ()))
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += parents.get(one, ())
    return found


def _unite(codes: Codes, more: Codes) -> None:
    for system, found in more.items():
        have = codes.get(system)
        if have is None:
            codes[system] = found
        elif isinstance(have, set) and isinstance(found, set):
            codes[system] = have | found
        else:
            codes[system] = ANY if ANY in (have if isinstance(have, str) else "", found if isinstance(found, str) else "") else UNKNOWN


def _subtract(codes: Codes, less: Codes) -> None:
    for system, gone in less.items():
        have = codes.get(system)
        if isinstance(have, set) and isinstance(gone, set):
            codes[system] = have - gone
        elif have is not None and isinstance(gone, str) and gone != ANY:
            codes[system] = UNKNOWN
        elif gone == ANY:
            codes.pop(system, None)
        elif have == ANY:
            codes[system] = UNKNOWN


def _common(one: Codes, other: Codes) -> Codes:
    if "" in one or "" in other:
        return {"": UNKNOWN}
    both: Codes = {}
    for system in one.keys() & other.keys():
        a, b = one[system], other[system]
        both[system] = a & b if isinstance(a, set) and isinstance(b, set) else (UNKNOWN if UNKNOWN in (a, b) else (b if a == ANY else a))
    return both
