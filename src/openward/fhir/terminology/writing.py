"""CodeSystem, ValueSet and ConceptMap resources → the tables, and out of them again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any
from uuid import UUID, uuid5

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from openward.fhir.json import dumps
from openward.fhir.terminology.catalogue import written
from openward.fhir.terminology.shipping.compile_systems import table
from openward.fhir.terminology.translation import mappings

KINDS = {"CodeSystem": "S", "ValueSet": "V", "ConceptMap": "M"}
ABOUT = ("content", "sensitive", "meaning", "set", "supplements", "name", "title")
FLAGS = ("inactive", "notSelectable")
ELSEWHERE = UUID("6f1f3c5e-5a0b-5d0e-9c35-0f3f6c1b7a52")
"""The namespace of what is no resource of the record: releases and packages."""

CANONICAL = """insert into fhir.canonical (tenant, kind, id, url, version, rkey, source, state, concepts, about, body)
  values (%(tenant)s, %(kind)s, %(id)s, %(url)s, %(version)s, %(rkey)s, %(source)s, %(state)s, %(concepts)s, %(about)s, %(body)s)
  on conflict (tenant, kind, id) do update set url = excluded.url, version = excluded.version, source = excluded.source, state = excluded.state,
    concepts = excluded.concepts, about = excluded.about, body = excluded.body, tx = pg_current_xact_id(), at = now()"""
ROWS = {"S": ("concept", "designation", "concept_property", "concept_parent"), "M": ("mapping",), "V": ()}


def number(of: UUID) -> int:
    """The key of a canonical resource in the tables."""
    return int.from_bytes(blake2b(of.bytes, digest_size=8).digest(), "big", signed=True)


def put(connection: Connection[Any], tenant: int, resource: Mapping[str, Any], rkey: UUID | None, source: str = "") -> None:
    """Write a resource in place of what was there. `rkey` is its key in the record; None: it is kept here whole."""
    kind = KINDS[resource["resourceType"]]
    url = resource.get("url")
    id = number(rkey or uuid5(ELSEWHERE, f"{source} {kind} {url}|{resource.get('version', '')}"))
    _clear(connection, tenant, kind, id)
    if not url:
        _forget(connection, tenant, kind, id)
        return
    facts = table(resource, source) if kind == "S" else {}
    row = {
        "tenant": tenant, "kind": kind, "id": id, "url": url, "version": resource.get("version"), "rkey": rkey, "source": source, "state": "r",
        "concepts": len(facts.get("codes", ())), "about": json.dumps(_about(kind, resource, facts)), "body": None if rkey else dumps(resource).decode(),
    }  # fmt: skip
    connection.execute(CANONICAL, row)
    if kind == "S":
        _copy_system(connection, tenant, id, facts)
    if kind == "M":
        _copy(
            connection,
            "mapping",
            ("tenant", "cm", "ord", "source", "target", "code", "to_code", "equivalence", "rest"),
            _mappings(tenant, id, resource),
        )
    written()


def take_out(connection: Connection[Any], tenant: int, type: str, rkey: UUID) -> None:
    """Forget a resource of the record."""
    _clear(connection, tenant, KINDS[type], number(rkey))
    _forget(connection, tenant, KINDS[type], number(rkey))
    written()


def install(connection: Connection[Any], tenant: int, resources: Iterable[Mapping[str, Any]], *, source: str) -> int:
    """Take in the CodeSystems, ValueSets and ConceptMaps of a package, such as an implementation guide; the number taken.

    They count for `tenant` (0: for all) but are not resources of the record. `source` names the package and undoes it: `uninstall`.
    """
    taken = 0
    for resource in resources:
        if resource.get("resourceType") in KINDS and resource.get("url"):
            put(connection, tenant, resource, None, source)
            taken += 1
    return taken


def uninstall(connection: Connection[Any], tenant: int, *, source: str) -> int:
    """Take out what `install` took in from that source; the number taken out."""
    sql = "select kind, id from fhir.canonical where tenant = %s and source = %s and rkey is null"
    rows = Cursor(connection, row_factory=tuple_row).execute(sql, (tenant, source)).fetchall()
    for kind, id in rows:
        _clear(connection, tenant, kind, id)
        _forget(connection, tenant, kind, id)
    written()
    return len(rows)


def _about(kind: str, resource: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "S":
        return {name: facts[name] for name in ABOUT if name in facts}
    if kind == "M":
        return {end: resource.get(f"{end}Uri") or resource.get(f"{end}Canonical") for end in ("source", "target")}
    return {}


def _clear(connection: Connection[Any], tenant: int, kind: str, id: int) -> None:
    column = "cm" if kind == "M" else "cs"
    for name in ROWS[kind]:
        connection.execute(f"delete from fhir.{name} where tenant = %s and {column} = %s".encode(), (tenant, id))  # noqa: S608 - fixed names


def _forget(connection: Connection[Any], tenant: int, kind: str, id: int) -> None:
    connection.execute("delete from fhir.canonical where tenant = %s and kind = %s and id = %s", (tenant, kind, id))


def _copy_system(connection: Connection[Any], tenant: int, id: int, facts: Mapping[str, Any]) -> None:
    codes: Sequence[str] = facts.get("codes", ())
    _copy(connection, "concept", ("tenant", "cs", "code", "ord", "display", "definition", "inactive", "abstract"), _concepts(tenant, id, facts))
    edges = ((tenant, id, codes[int(child)], codes[parent]) for child, parents in facts.get("parents", {}).items() for parent in parents)
    _copy(connection, "concept_parent", ("tenant", "cs", "code", "parent"), edges)
    names = (
        (tenant, id, codes[at], f"{place:06}", language, system, use, title, value)
        for place, (at, language, system, use, value, title) in enumerate(facts.get("designations", ()))
    )
    _copy(connection, "designation", ("tenant", "cs", "code", "key", "language", "use_system", "use_code", "use_display", "value"), names)
    _copy(connection, "concept_property", ("tenant", "cs", "code", "property", "kind", "value"), _properties(tenant, id, facts))


def _concepts(tenant: int, id: int, facts: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    from openward.fhir.terminology.systems.memory import MemorySystem

    for place, one in enumerate(MemorySystem(facts).each()):
        yield tenant, id, one.code, place, one.display, one.definition, one.inactive, one.abstract


def _properties(tenant: int, id: int, facts: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    codes = facts.get("codes", ())
    for name, (kind, column) in facts.get("properties", {}).items():
        for at, values in column.items() if name not in FLAGS else ():
            for value in dict.fromkeys(str(value).lower() if isinstance(value, bool) else str(value) for value in values):
                yield tenant, id, codes[int(at)], name, kind, value


def _mappings(tenant: int, id: int, resource: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    for place, one in enumerate(mappings(resource)):
        yield tenant, id, place, one.source, one.target, one.code, one.to_code, one.equivalence, json.dumps(one.rest)


def _copy(connection: Connection[Any], name: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor().copy(f"copy fhir.{name} ({', '.join(columns)}) from stdin".encode()) as copy:
        for row in rows:
            copy.write_row(row)
