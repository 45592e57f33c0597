"""A value set with its codes. https://hl7.org/fhir/R4/valueset.html#expansion"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from uuid import uuid4

from openward.fhir.terminology.catalogue import Catalogue, Definition
from openward.fhir.terminology.compose import Composition
from openward.fhir.terminology.concepts import Concept, Designation, ExpansionTooCostly, Sought
from openward.fhir.terminology.options import LIMIT, Options
from openward.fhir.terminology.versions import fits, split

UNCLOSED = "http://hl7.org/fhir/StructureDefinition/valueset-unclosed"
COUNTED = 20_000
"""Codes that are counted at most, for `total`; above that the total is not said."""


def expanded(catalogue: Catalogue, definition: Definition, options: Options) -> dict[str, Any]:
    """The ValueSet with its expansion. Raises what Composition raises, and ExpansionTooCostly for more than 10,000 codes at once."""
    composition = Composition(catalogue, options.versions)
    found = _wanted(composition, definition, options)
    if options.is_page:
        concepts, total = _page(found, options, definition)
    else:
        concepts = list(islice(found, LIMIT + 1))
        if len(concepts) > LIMIT:
            raise ExpansionTooCostly(url=definition.url or "the value set", limit=LIMIT)
        total = len(concepts)
    expansion = _head(composition, definition, options, total)
    if concepts:
        expansion["contains"] = _contains(catalogue, definition, concepts, options)
    left_out = {"expansion", "package", "text"} if options.definition else {"expansion", "package", "text", "compose"}
    kept = {key: value for key, value in definition.resource.items() if key not in left_out}
    return {"resourceType": "ValueSet", "status": "active", **kept, "expansion": expansion}


def _wanted(composition: Composition, definition: Definition, options: Options) -> Iterator[Concept]:
    without = [split(url) for url in options.exclude_systems]
    for one in composition.concepts(definition, Sought.of(options.filter), active_only=options.active_only):
        is_without = any(one.system == url and (version is None or fits(one.version, version)) for url, version in without)
        if not is_without and not (options.exclude_not_for_ui and one.abstract):
            yield one


def _page(found: Iterator[Concept], options: Options, definition: Definition) -> tuple[list[Concept], int | None]:
    """One page, and how many there are where that can be counted in good time."""
    count = LIMIT if options.count is None else options.count
    if count > LIMIT:
        raise ExpansionTooCostly(url=definition.url or "the value set", limit=LIMIT)
    skipped = sum(1 for _ in islice(found, options.offset))
    concepts = list(islice(found, count))
    seen = skipped + len(concepts)
    rest = sum(1 for _ in islice(found, max(COUNTED - seen, 0) + 1))
    return concepts, seen + rest if seen + rest <= COUNTED else None


def _head(composition: Composition, definition: Definition, options: Options, total: int | None) -> dict[str, Any]:
    expansion: dict[str, Any] = {"identifier": uuid4().urn, "timestamp": dt.datetime.now(dt.UTC).isoformat(timespec="seconds")}
    if not composition.is_whole:
        expansion["extension"] = [{"url": UNCLOSED, "valueBoolean": True}]
    if total is not None:
        expansion["total"] = total
    if options.is_page:
        expansion["offset"] = options.offset
    versions = [{"name": "version", "valueUri": f"{url}|{version}"} for url, version in sorted(composition.used, key=str) if version]
    return {**expansion, "parameter": [*options.said, *versions]} if options.said or versions else expansion


def _contains(catalogue: Catalogue, definition: Definition, concepts: Sequence[Concept], options: Options) -> list[dict[str, Any]]:
    rows = [_row(one, options) for one in concepts]
    if not options.nested or options.is_page or options.filter:
        return rows
    return _nested(catalogue, definition, concepts, rows)


def _row(one: Concept, options: Options) -> dict[str, Any]:
    row: dict[str, Any] = {"system": one.system}
    if one.abstract:
        row["abstract"] = True
    if one.inactive:
        row["inactive"] = True
    row["code"] = one.code
    display = one.named(options.language)
    if display:
        row["display"] = display
    if options.designations or options.designation:
        names = [name.to_fhir() for name in one.designations if _is_asked(name, options.designation)]
        if names:
            row["designation"] = names
    return row


def _is_asked(name: Designation, asked: Sequence[str]) -> bool:
    if not asked:
        return True
    use = f"{name.use[0] or ''}|{name.use[1]}" if name.use else ""
    return any(one == use or name.is_in(one.removeprefix("urn:ietf:bcp:47|")) for one in asked)


def _nested(catalogue: Catalogue, definition: Definition, concepts: Sequence[Concept], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each row under its nearest ancestor that is in the expansion too; a concept with several parents stands under the first."""
    by_code = {(one.system, one.code): row for one, row in zip(concepts, rows, strict=True)}
    lineages = _lineages(catalogue, definition, concepts)
    parents = {id(row): _parent(one, lineages[one.system, one.version], by_code) for one, row in zip(concepts, rows, strict=True)}
    top: list[dict[str, Any]] = []
    for row in rows:
        parent = parents[id(row)]
        if parent is None or _is_circular(row, parents):
            top.append(row)
        else:
            parent.setdefault("contains", []).append(row)
    return top


Lineage = Mapping[str, Sequence[str]]


def _lineages(catalogue: Catalogue, definition: Definition, concepts: Sequence[Concept]) -> Mapping[tuple[str, str | None], Lineage]:
    """Of each code system, in its version: the parents of its codes and of what is above them."""
    codes: dict[tuple[str, str | None], list[str]] = {}
    for one in concepts:
        codes.setdefault((one.system, one.version), []).append(one.code)
    found: dict[tuple[str, str | None], Lineage] = {}
    for (url, version), listed in codes.items():
        system = catalogue.system(url, version, definition.package)
        found[url, version] = system.lineage(listed) if system is not None and system.has_hierarchy else {}
    return found


def _parent(one: Concept, lineage: Lineage, rows: Mapping[Any, dict[str, Any]]) -> dict[str, Any] | None:
    """The row of the nearest ancestor that has one."""
    level, seen = list(lineage.get(one.code, ())), {one.code}
    while level:
        for code in level:
            if code not in seen and (one.system, code) in rows:
                return rows[one.system, code]
        seen.update(level)
        level = list(dict.fromkeys(above for code in level for above in lineage.get(code, ()) if above not in seen))
    return None


def _is_circular(row: dict[str, Any], parents: Mapping[int, dict[str, Any] | None]) -> bool:
    above, steps = parents[id(row)], 0
    while above is not None and above is not row and steps <= len(parents):
        above, steps = parents[id(above)], steps + 1
    return above is not None
