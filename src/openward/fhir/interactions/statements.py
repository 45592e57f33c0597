"""A version and its index as statements: the body, the current row, and the rows of the index tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from openward.fhir import packed
from openward.fhir.definitions import type_number
from openward.fhir.ids import stored_id
from openward.fhir.packed import Packed
from openward.fhir.search.index import IndexRow
from openward.fhir.search.tables import Statement, index_statements
from openward.fhir.versions import Version

INSERT_BODIES = b"""insert into fhir.body (tenant, rtype, rkey, ver, ts, op, patient, id, body)
  select %(tenant)s, r, k, v, t, o::"char", p, i, b
  from unnest(%(rtype)s::smallint[], %(rkey)s::uuid[], %(ver)s::int[], %(ts)s::timestamptz[], %(op)s::text[], %(patient)s::uuid[],
              %(id)s::text[], %(body)s::text[]) n(r, k, v, t, o, p, i, b)"""

CURRENT = """unnest(%(rtype)s::smallint[], %(rkey)s::uuid[], %(ver)s::int[], %(ts)s::timestamptz[], %(patient)s::uuid[],
              %(lo)s::timestamptz[], %(hi)s::timestamptz[], %(code)s::bigint[], %(tok)s::text[], %(has)s::text[]) n(r, k, v, t, p, lo, hi, code, tok, has)"""

INSERT_CURRENT = f"""insert into fhir.current (tenant, rtype, rkey, ver, last_updated, patient, date_lo, date_hi, code, tok, has)
  select %(tenant)s, r, k, v, t, p, lo, hi, code, tok::bigint[], has::int[]
  from {CURRENT}""".encode()  # noqa: S608

UPDATE_CURRENT = f"""update fhir.current c set ver = n.v, last_updated = n.t, patient = n.p, date_lo = n.lo, date_hi = n.hi, code = n.code,
    tok = n.tok::bigint[], has = n.has::int[]
  from {CURRENT} where c.tenant = %(tenant)s and c.rtype = n.r and c.rkey = n.k"""  # noqa: S608

DELETE_CURRENT = """delete from fhir.current c using unnest(%(rtype)s::smallint[], %(rkey)s::uuid[]) n(r, k)
  where c.tenant = %(tenant)s and c.rtype = n.r and c.rkey = n.k"""


@dataclass(slots=True)
class Write:
    """One version about to be written. `row` is what search finds it by; None when it is a deletion. `stored`: the body as it is to stand."""

    version: Version
    row: IndexRow | None
    before: IndexRow | None
    stored: str | None


def statements(tenant: int, writes: Sequence[Write]) -> list[Statement]:
    """What stores these versions: the bodies first, the rest in an order that matters to none of them."""
    bodies = INSERT_BODIES, {"tenant": tenant, **_bodies(writes)}
    return [bodies, *_currents(tenant, writes), *index_statements(tenant, [(write.before, write.row) for write in writes])]


def _bodies(writes: Sequence[Write]) -> dict[str, Any]:
    versions = [write.version for write in writes]
    return {
        "rtype": packed.smallints([type_number(v.type) for v in versions]),
        "rkey": packed.uuids([v.key for v in versions]),
        "ver": packed.ints([v.number for v in versions]),
        "ts": packed.instants([v.at for v in versions]),
        "op": packed.texts([v.op for v in versions]),
        "patient": packed.uuids([v.patient for v in versions]),
        "id": packed.texts([stored_id(v.id) for v in versions]),
        "body": packed.texts([write.stored for write in writes]),
    }


def _currents(tenant: int, writes: Sequence[Write]) -> list[Statement]:
    made: list[Statement] = []
    for is_update in (False, True):
        live = [(write.version, write.row) for write in writes if write.row is not None and (write.before is not None) is is_update]
        if live:
            types = {row.type for _, row in live}
            sql = told_type(UPDATE_CURRENT, types.pop() if len(types) == 1 else None) if is_update else INSERT_CURRENT
            made.append((sql, {"tenant": tenant, **_current(live)}))
    gone = [write.version for write in writes if write.row is None]
    if gone:
        numbers = [type_number(v.type) for v in gone]
        sql = told_type(DELETE_CURRENT, numbers[0] if len(set(numbers)) == 1 else None)
        made.append((sql, {"tenant": tenant, "rtype": packed.smallints(numbers), "rkey": packed.uuids([v.key for v in gone])}))
    return made


@cache
def told_type(sql: str, rtype: int | None) -> bytes:
    """With the type told in its text the plan knows the one partition; without, it must be ready for all of them."""
    return (sql if rtype is None else f"{sql} and c.rtype = {rtype:d}").encode()


def _current(live: Sequence[tuple[Version, IndexRow]]) -> dict[str, Packed]:
    return {
        "rtype": packed.smallints([row.type for _, row in live]),
        "rkey": packed.uuids([row.key for _, row in live]),
        "ver": packed.ints([v.number for v, _ in live]),
        "ts": packed.instants([v.at for v, _ in live]),
        "patient": packed.uuids([row.patient for _, row in live]),
        "lo": packed.texts([row.date_lo for _, row in live]),
        "hi": packed.texts([row.date_hi for _, row in live]),
        "code": packed.bigints([row.code for _, row in live]),
        "tok": packed.lists([row.tok for _, row in live]),
        "has": packed.lists([row.has for _, row in live]),
    }
