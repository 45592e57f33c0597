"""The index tables: the difference between the old and the new index of many resources, one statement a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection

from openward.fhir import packed
from openward.fhir.packed import Column
from openward.fhir.search.person import Executes, write_people
from openward.fhir.search.row import IndexRow

Pair = tuple[IndexRow | None, IndexRow | None]
# (resource type, resource key, value): one row of an index table
Kept = tuple[int, UUID, Any]
Statement = tuple[bytes, Mapping[str, Any]]
EMPTY: frozenset[Any] = frozenset()

ADD_EDGES = b"""insert into fhir.edge (tenant, stype, src, tgt, link) select %(tenant)s, * from
  unnest(%(rtype)s::smallint[], %(rkey)s::uuid[], %(tgt)s::uuid[], %(link)s::bigint[])"""
DROP_EDGES = b"""delete from fhir.edge x using unnest(%(rtype)s::smallint[], %(rkey)s::uuid[], %(tgt)s::uuid[], %(link)s::bigint[]) o(r, k, t, l)
  where x.tenant = %(tenant)s and x.stype = o.r and x.src = o.k and x.tgt = o.t and x.link = o.l"""

ADD_DATES = b"""insert into fhir.date_value (tenant, rtype, rkey, param, lo, hi) select %(tenant)s, * from
  unnest(%(rtype)s::smallint[], %(rkey)s::uuid[], %(param)s::int[], %(lo)s::timestamptz[], %(hi)s::timestamptz[])"""
DROP_DATES = b"""delete from fhir.date_value x
  using unnest(%(rtype)s::smallint[], %(rkey)s::uuid[], %(param)s::int[], %(lo)s::timestamptz[], %(hi)s::timestamptz[]) o(r, k, p, lo, hi)
  where x.tenant = %(tenant)s and x.rtype = o.r and x.rkey = o.k and x.param = o.p and x.lo = o.lo and x.hi = o.hi"""

ADD_QUANTITIES = b"""insert into fhir.quantity_value (tenant, rtype, rkey, param, lo, hi, units) select %(tenant)s, r, k, p, lo, hi, u::bigint[] from
  unnest(%(rtype)s::smallint[], %(rkey)s::uuid[], %(param)s::int[], %(lo)s::float8[], %(hi)s::float8[], %(units)s::text[]) n(r, k, p, lo, hi, u)"""
DROP_QUANTITIES = b"""delete from fhir.quantity_value x using
  unnest(%(rtype)s::smallint[], %(rkey)s::uuid[], %(param)s::int[], %(lo)s::float8[], %(hi)s::float8[], %(units)s::text[]) o(r, k, p, lo, hi, u)
  where x.tenant = %(tenant)s and x.rtype = o.r and x.rkey = o.k and x.param = o.p and x.lo = o.lo and x.hi = o.hi and x.units = o.u::bigint[]"""

ADD_STRINGS = b"""insert into fhir.string_value (tenant, rtype, rkey, param, norm, value) select %(tenant)s, * from
  unnest(%(rtype)s::smallint[], %(rkey)s::uuid[], %(param)s::int[], %(norm)s::text[], %(value)s::text[])"""
DROP_STRINGS = b"""delete from fhir.string_value x
  using unnest(%(rtype)s::smallint[], %(rkey)s::uuid[], %(param)s::int[], %(norm)s::text[], %(value)s::text[]) o(r, k, p, n, v)
  where x.tenant = %(tenant)s and x.rtype = o.r and x.rkey = o.k and x.param = o.p and left(x.norm, 100) = left(o.n, 100) and x.value = o.v"""

ADD_GROUPS = b"""insert into fhir.composite_value (tenant, rtype, rkey, param, tok, lo1, hi1, lo2, hi2)
  select %(tenant)s, r, k, p, tok::bigint[], lo1, hi1, lo2, hi2 from unnest(%(rtype)s::smallint[], %(rkey)s::uuid[], %(param)s::int[],
    %(tok)s::text[], %(lo1)s::float8[], %(hi1)s::float8[], %(lo2)s::float8[], %(hi2)s::float8[]) n(r, k, p, tok, lo1, hi1, lo2, hi2)"""
DROP_GROUPS = b"""delete from fhir.composite_value x using unnest(%(rtype)s::smallint[], %(rkey)s::uuid[]) o(r, k)
  where x.tenant = %(tenant)s and x.rtype = o.r and x.rkey = o.k"""

# Looked for first: a known code costs a probe and no write. A code has as many rows as it has names.
ADD_TOKENS = b"""insert into fhir.token (tenant, h, param, system, code, display)
  select %(tenant)s, n.* from unnest(%(h)s::bigint[], %(param)s::int[], %(system)s::text[], %(code)s::text[], %(display)s::text[])
    n(h, param, system, code, display)
  where not exists (select from fhir.token t where t.tenant = %(tenant)s and t.h = n.h and (t.display = n.display or n.display = ''))"""


def write_index(connection: Connection[Any], tenant: int, pairs: Iterable[Pair]) -> None:
    """Bring the index tables from each pair's old index to its new one; None stands for a resource that was not, or is no longer, there.

    Inside the caller's transaction, and in one round trip; fhir.current is the caller's.
    """
    with connection.pipeline():
        send_index(connection, tenant, pairs)


def send_index(connection: Connection[Any], tenant: int, pairs: Iterable[Pair]) -> None:
    """The statements of `write_index`, for a caller whose pipeline they join: the driver may hang where one is opened within another."""
    cursor = packed.cursor(connection)
    for sql, params in index_statements(tenant, pairs):
        cursor.execute(sql, params, prepare=True)


def index_statements(tenant: int, pairs: Iterable[Pair]) -> list[Statement]:
    """What `write_index` sends: each statement with its parameters, in an order that matters to none of them."""
    changes = list(pairs)
    people = [(old.person if old else None, new.person if new else None) for old, new in changes]
    gathered = _Gathered()
    _tokens(gathered, tenant, changes)
    write_people(gathered, tenant, [pair for pair in people if pair != (None, None)])
    return [*value_statements(tenant, changes), *gathered.statements]


def value_statements(tenant: int, changes: Sequence[Pair]) -> list[Statement]:
    """Those of the tables that hold a resource's own rows, neither names of codes nor people; each ends in its WHERE, where it has one."""
    gathered = _Gathered()
    for write in (_edges, _dates, _quantities, _strings, _groups):
        write(gathered, tenant, changes)
    return gathered.statements


class _Gathered:
    """Takes statements as a cursor does, and keeps them."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []

    def execute(self, sql: bytes, params: Mapping[str, Any], *, prepare: bool = True) -> None:
        self.statements.append((sql, params))


def _lost_and_new(changes: Sequence[Pair], name: str) -> tuple[list[Kept], list[Kept]]:
    """Rows to take away and rows to add."""
    lost: list[Kept] = []
    new: list[Kept] = []
    for before, after in changes:
        if before is None and after is not None:
            new += [(after.type, after.key, value) for value in getattr(after, name)]
            continue
        old_values = getattr(before, name) if before else EMPTY
        new_values = getattr(after, name) if after else EMPTY
        row = after or before
        if row and old_values != new_values:
            lost += [(row.type, row.key, value) for value in old_values - new_values]
            new += [(row.type, row.key, value) for value in new_values - old_values]
    return lost, new


def _run(cursor: Executes, tenant: int, sql: bytes, rows: Sequence[Kept], columns: Mapping[str, Column]) -> None:
    """`columns`: the parts of each row's value by name, and how each is packed."""
    if not rows:
        return
    types, keys, values = zip(*rows, strict=True)
    params: dict[str, Any] = {"tenant": tenant, "rtype": packed.smallints(types), "rkey": packed.uuids(keys)}
    for (name, column), part in zip(columns.items(), zip(*values, strict=True), strict=False):
        params[name] = column(part)
    cursor.execute(sql, params, prepare=True)


EDGE: Mapping[str, Column] = {"tgt": packed.uuids, "link": packed.bigints}
DATE: Mapping[str, Column] = {"param": packed.ints, "lo": packed.texts, "hi": packed.texts}
QUANTITY: Mapping[str, Column] = {"param": packed.ints, "lo": packed.floats, "hi": packed.floats, "units": packed.lists}
STRING: Mapping[str, Column] = {"param": packed.ints, "norm": packed.texts, "value": packed.texts}
GROUP: Mapping[str, Column] = {"param": packed.ints, "tok": packed.lists, **dict.fromkeys(("lo1", "hi1", "lo2", "hi2"), packed.floats)}
TOKEN: Mapping[str, Column] = {"h": packed.bigints, "param": packed.ints, **dict.fromkeys(("system", "code", "display"), packed.texts)}


def _edges(cursor: Executes, tenant: int, changes: Sequence[Pair]) -> None:
    lost, new = _lost_and_new(changes, "edges")
    _run(cursor, tenant, DROP_EDGES, lost, EDGE)
    _run(cursor, tenant, ADD_EDGES, new, EDGE)


def _dates(cursor: Executes, tenant: int, changes: Sequence[Pair]) -> None:
    lost, new = _lost_and_new(changes, "dates")
    _run(cursor, tenant, DROP_DATES, lost, DATE)
    _run(cursor, tenant, ADD_DATES, new, DATE)


def _quantities(cursor: Executes, tenant: int, changes: Sequence[Pair]) -> None:
    for sql, rows in zip((DROP_QUANTITIES, ADD_QUANTITIES), _lost_and_new(changes, "quantities"), strict=True):
        spelled = [(rtype, rkey, (param, lo, hi, sorted(units))) for rtype, rkey, (param, lo, hi, units) in rows]
        _run(cursor, tenant, sql, spelled, QUANTITY)


def _strings(cursor: Executes, tenant: int, changes: Sequence[Pair]) -> None:
    lost, new = _lost_and_new(changes, "strings")
    _run(cursor, tenant, DROP_STRINGS, lost, STRING)
    _run(cursor, tenant, ADD_STRINGS, new, STRING)


def _groups(cursor: Executes, tenant: int, changes: Sequence[Pair]) -> None:
    """Groups may repeat, so a resource whose groups changed gets all of them anew."""
    changed = [(b, a) for b, a in changes if (b.groups if b else []) != (a.groups if a else [])]
    _run(cursor, tenant, DROP_GROUPS, [(b.type, b.key, ()) for b, _ in changed if b and b.groups], {})
    _run(cursor, tenant, ADD_GROUPS, [(a.type, a.key, _group(group)) for _, a in changed if a for group in a.groups], GROUP)


def _group(group: Any) -> tuple[Any, ...]:
    (lo1, hi1), (lo2, hi2) = (*group.numbers, (None, None), (None, None))[:2]
    return group.param, group.tokens, lo1, hi1, lo2, hi2


def _tokens(cursor: Executes, tenant: int, changes: Sequence[Pair]) -> None:
    entries = sorted({(h, entry[-1]): entry for h, entry in _new_entries(changes)}.items())
    if entries:
        columns = zip(TOKEN.items(), zip(*(entry for _, entry in entries), strict=True), strict=True)
        cursor.execute(ADD_TOKENS, {"tenant": tenant} | {name: column(values) for (name, column), values in columns}, prepare=True)


def _new_entries(changes: Sequence[Pair]) -> Iterator[tuple[int, Any]]:
    for before, after in changes:
        if after:
            known = before.dictionary if before else {}
            yield from ((h, entry) for h, entry in after.dictionary.items() if known.get(h) != entry)
