"""Resources put on the shelf without the store: body, current row and index, so that search is tested by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg

from openward.fhir.ids import key, stored_id
from openward.fhir.json import dumps
from openward.fhir.protocols import Where
from openward.fhir.search import Page, search
from openward.fhir.search.index import IndexRow, extract, write_index
from openward.fhir.wire import Wire

MORNING = dt.datetime(2026, 11, 3, 8, 0, tzinfo=dt.UTC)

BODY = """insert into fhir.body (tenant, rtype, rkey, ver, ts, op, patient, id, body)
  select %(tenant)s, r, k, v, t, o::"char", p, i, b from unnest(%(rtype)s::smallint[], %(rkey)s::uuid[], %(ver)s::int[], %(ts)s::timestamptz[],
    %(op)s::text[], %(patient)s::uuid[], %(id)s::text[], %(body)s::text[]) n(r, k, v, t, o, p, i, b)"""
CURRENT = """insert into fhir.current (tenant, rtype, rkey, ver, last_updated, patient, date_lo, date_hi, code, tok, has)
  select %(tenant)s, r, k, v, t, p, lo, hi, c, tok::bigint[], has::int[] from unnest(%(rtype)s::smallint[], %(rkey)s::uuid[], %(ver)s::int[],
    %(ts)s::timestamptz[], %(patient)s::uuid[], %(lo)s::timestamptz[], %(hi)s::timestamptz[], %(code)s::bigint[], %(tok)s::text[],
    %(has)s::text[]) n(r, k, v, t, p, lo, hi, c, tok, has)
  on conflict (tenant, rtype, rkey) do update set ver = excluded.ver, last_updated = excluded.last_updated, patient = excluded.patient,
    date_lo = excluded.date_lo, date_hi = excluded.date_hi, code = excluded.code, tok = excluded.tok, has = excluded.has"""


class Shelf:
    """The record of one tenant, by the quickest way in. `at` is the time the next resource is written; every put is a second later."""

    def __init__(self, connection: psycopg.Connection[Any], tenant: int = 1) -> None:
        self.connection = connection
        self.tenant = tenant
        self.wire = Wire(connection, straight=True)
        self.at = MORNING
        self.versions: dict[tuple[str, str], int] = {}
        self.rows: dict[tuple[str, str], IndexRow] = {}
        self.resources: dict[tuple[str, str], Mapping[str, Any]] = {}

    def put(self, *resources: Mapping[str, Any]) -> None:
        """Create or update, all in one transaction."""
        with self.connection.transaction():
            pairs = [self._changed(resource) for resource in resources]
            self._insert([(resource, row) for resource, (_, row) in zip(resources, pairs, strict=True)])
            write_index(self.connection, self.tenant, pairs)

    def take(self, type: str, id: str) -> None:
        """Delete."""
        row = self.rows.pop((type, id))
        self.resources.pop((type, id))
        with self.connection.transaction():
            self.connection.execute("delete from fhir.current where tenant = %s and rtype = %s and rkey = %s", (self.tenant, row.type, row.key))
            write_index(self.connection, self.tenant, [(row, None)])

    def _changed(self, resource: Mapping[str, Any]) -> tuple[IndexRow | None, IndexRow]:
        name = resource["resourceType"], resource["id"]
        self.versions[name] = self.versions.get(name, 0) + 1
        before, after = self.rows.get(name), extract(resource, tenant=self.tenant)
        self.rows[name], self.resources[name] = after, resource
        return before, after

    def _insert(self, live: Sequence[tuple[Mapping[str, Any], IndexRow]]) -> None:
        moments = [self.at + dt.timedelta(seconds=number) for number in range(len(live))]
        self.at += dt.timedelta(seconds=len(live))
        numbers = [self.versions[resource["resourceType"], resource["id"]] for resource, _ in live]
        params: dict[str, Any] = {"tenant": self.tenant, "rtype": [row.type for _, row in live], "rkey": [row.key for _, row in live]}
        params |= {"ver": numbers, "ts": moments, "op": ["C" if n == 1 else "U" for n in numbers], "patient": [row.patient for _, row in live]}
        params |= {"id": [stored_id(r["id"]) for r, _ in live], "body": [dumps(r).decode() for r, _ in live]}
        params |= {"lo": [row.date_lo for _, row in live], "hi": [row.date_hi for _, row in live], "code": [row.code for _, row in live]}
        params |= {"tok": [_array(row.tok) for _, row in live], "has": [_array(row.has) for _, row in live]}
        self.connection.execute(BODY.encode(), params)
        self.connection.execute(CURRENT.encode(), params)

    def search(self, query: str, *, where: Any = None, strict: bool = True) -> Page[Any]:
        """`Observation?code=1&_count=5`, as someone who may see everything unless `where` says otherwise."""
        type, _, rest = query.partition("?")
        params = [tuple(part.split("=", 1)) for part in rest.split("&") if part]
        return search(self.connection, self.tenant, type, params, where=where or everything, strict=strict, wire=self.wire)  # type: ignore[arg-type]

    def ids(self, query: str, **how: Any) -> list[str]:
        return [version.id for version in self.search(query, **how).matches]


def everything(type: str) -> Where | None:
    return Where()


def only_patient(id: str) -> Any:
    """What one patient may see: their compartment."""
    where = Where("c.patient = %(policy_patient)s", {"policy_patient": key("Patient", id)})
    return lambda _: where


def _array(numbers: Iterable[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


def key_of(type: str, id: str) -> UUID:
    return key(type, id)
