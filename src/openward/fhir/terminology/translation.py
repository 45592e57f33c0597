"""From a code to the codes it maps to. https://hl7.org/fhir/R4/conceptmap-operation-translate.html"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from psycopg import Cursor
from psycopg.rows import tuple_row

from openward.fhir.json import loads
from openward.fhir.terminology.catalogue import Catalogue
from openward.fhir.terminology.shipping.archive import entries
from openward.fhir.terminology.versions import fits, split

UNMATCHED = frozenset({"unmatched", "disjoint"})
REVERSED = {"wider": "narrower", "narrower": "wider", "subsumes": "specializes", "specializes": "subsumes"}
STORED = """select source, target, code, to_code, equivalence, rest::text from fhir.mapping
  where tenant = %(tenant)s and cm = %(id)s and (code = %(code)s or to_code = %(code)s) order by ord"""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a map. `to_code` None: there is no such code in the target. `rest` as in the resource."""

    source: str
    target: str
    code: str
    to_code: str | None
    equivalence: str
    rest: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """`origin` is the canonical of the map it comes from."""

    equivalence: str
    system: str
    code: str | None
    display: str | None
    origin: str
    products: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Map:
    """A concept map: where its mappings can be had, and what it says of codes it does not list."""

    url: str
    version: str | None
    source: str | None
    target: str | None
    resource: Mapping[str, Any] | None
    stored: tuple[int, int] | None = None


def mappings(resource: Mapping[str, Any]) -> Iterator[Line]:
    """Every line of a ConceptMap. Lines without codes say nothing."""
    for group in resource.get("group", ()):
        source, target = split(group.get("source", ""))[0], split(group.get("target", ""))[0]
        for element in group.get("element", ()):
            for line in element.get("target", ()) if element.get("code") else ():
                rest = {key: line[key] for key in ("display", "comment", "dependsOn", "product") if key in line}
                yield Line(source, target, element["code"], line.get("code"), line.get("equivalence", "relatedto"), rest)


def maps(catalogue: Catalogue, url: str | None = None, version: str | None = None, source: str | None = None, target: str | None = None) -> list[Map]:
    """The maps of that address, or all between those value sets."""
    found = [*_stored(catalogue, url), *_shipped(url)]
    return [
        one
        for one in found
        if (version is None or fits(one.version, version))
        and (source is None or one.source is None or split(one.source)[0] == split(source)[0])
        and (target is None or one.target is None or split(one.target)[0] == split(target)[0])
    ]


def translated(
    catalogue: Catalogue,
    map: Map,
    system: str,
    code: str,
    *,
    reverse: bool = False,
    target_system: str | None = None,
    dependencies: Mapping[str, str],
    passed: frozenset[str] = frozenset(),
) -> Iterator[Match]:
    """What the map says of the code; read backwards when `reverse`. A line that depends on something the request does not say is left out.

    `passed`: the maps that had nothing to say and pointed on to this one.
    """
    origin = f"{map.url}|{map.version}" if map.version else map.url
    lines = list(_lines(catalogue, map, code))
    for line in lines:
        here, there = ((line.target, line.to_code), (line.source, line.code)) if reverse else ((line.source, line.code), (line.target, line.to_code))
        if here != (system, code) or (target_system and there[0] != target_system) or not _is_met(line, dependencies):
            continue
        equivalence = REVERSED.get(line.equivalence, line.equivalence) if reverse else line.equivalence
        display = None if reverse else line.rest.get("display")
        yield Match(equivalence, there[0], there[1], display or _display(catalogue, *there), origin, line.rest.get("product", ()))
    if not reverse and not any(line.code == code and line.source == system for line in lines):
        yield from _unmapped(catalogue, map, system, code, target_system, origin, dependencies, passed | {map.url})


def _lines(catalogue: Catalogue, map: Map, code: str) -> Iterator[Line]:
    if map.stored:
        tenant, id = map.stored
        cursor = Cursor(catalogue.rows.connection, row_factory=tuple_row)
        yield from (Line(*(*row[:-1], loads(row[-1]))) for row in cursor.execute(STORED, {"tenant": tenant, "id": id, "code": code}))
    elif map.resource is not None:
        yield from (one for one in mappings(map.resource) if code in (one.code, one.to_code))


def _unmapped(
    catalogue: Catalogue,
    map: Map,
    system: str,
    code: str,
    target_system: str | None,
    origin: str,
    dependencies: Mapping[str, str],
    passed: frozenset[str],
) -> Iterator[Match]:
    """What a group says of the codes it does not list; maps that point at one another end where they have been asked before.

    https://hl7.org/fhir/R4/conceptmap.html#unmapped
    """
    resource = map.resource if map.resource is not None else _resource(catalogue, map)
    for group in resource.get("group", ()):
        target = split(group.get("target", ""))[0]
        rule = group.get("unmapped", {})
        if split(group.get("source", ""))[0] != system or (target_system and target != target_system):
            continue
        if rule.get("mode") == "provided":
            yield Match("equal", target, code, _display(catalogue, target, code), origin)
        elif rule.get("mode") == "fixed" and rule.get("code"):
            yield Match("inexact", target, rule["code"], rule.get("display"), origin)
        elif rule.get("mode") == "other-map" and split(rule.get("url", ""))[0] not in passed:
            for other in maps(catalogue, *split(rule["url"]))[:1]:
                yield from translated(catalogue, other, system, code, target_system=target_system, dependencies=dependencies, passed=passed)


def _is_met(line: Line, dependencies: Mapping[str, str]) -> bool:
    return all(dependencies.get(one.get("property", "")) == one.get("value") for one in line.rest.get("dependsOn", ()))


def _display(catalogue: Catalogue, system: str, code: str | None) -> str | None:
    found = catalogue.system(system) if code and system else None
    concept = found.find(code) if found and code else None
    return concept.display if concept else None


def _stored(catalogue: Catalogue, url: str | None) -> Iterator[Map]:
    rows = catalogue.state.rows["M"]
    for row in rows.get(url, ()) if url else (one for listed in rows.values() for one in listed):
        yield Map(row.url, row.version, row.about.get("source"), row.about.get("target"), None, (row.tenant, row.id))


def _resource(catalogue: Catalogue, map: Map) -> Mapping[str, Any]:
    rows = [row for row in catalogue.state.rows["M"].get(map.url, ()) if (row.tenant, row.id) == map.stored]
    return (catalogue.rows.resource(rows[0]) if rows else None) or {}


def _shipped(url: str | None) -> Iterator[Map]:
    listed = entries("maps")
    for entry in listed.get(url, ()) if url else (one for found in listed.values() for one in found):
        yield Map(entry.url, entry.version, entry.more[0], entry.more[1], _read(entry.url, entry.version))


@lru_cache(maxsize=100)
def _read(url: str, version: str | None) -> Mapping[str, Any]:
    return next(entry.read() for entry in entries("maps")[url] if entry.version == version)
