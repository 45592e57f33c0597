"""One version and its index as a statement of plain values, which PostgreSQL carries out in a third of the time it takes to unpack arrays.

The text depends on the shape alone: how many rows each index table gets and how many references are looked at. Resources are much alike, so
a connection keeps the plans of a few hundred shapes. What is new and has many rows is for `statements`.

What changes or goes is changed where it still is the version before: nobody else's lock is waited for but that of its one current row, and every other
part follows from that one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from struct import Struct
from typing import Any
from uuid import UUID

from psycopg.pq import Format

from openward.fhir import packed
from openward.fhir.definitions import type_number
from openward.fhir.ids import stored_id
from openward.fhir.interactions.statements import Write
from openward.fhir.packed import EPOCH, MICROSECOND
from openward.fhir.protocols import AuditInsert
from openward.fhir.search.row import IndexRow
from openward.fhir.search.tables import ADD_TOKENS, TOKEN, value_statements
from openward.fhir.wire import AS_TEXT, PLACEHOLDER

MOST = 4  # rows of one index table, and references, that are still told as values

Sent = bytes | None
Sender = Callable[[Any], Sent]

_smallint, _int, _bigint, _float = Struct("!h").pack, Struct("!i").pack, Struct("!q").pack, Struct("!d").pack


def _optional(pack: Callable[[Any], bytes]) -> Sender:
    return lambda value: None if value is None else pack(value)


@lru_cache(maxsize=2000)
def _ints(numbers: frozenset[int]) -> bytes:
    """`int[]`, in order: which parameters a resource has is soon met again."""
    return packed.of_numbers(sorted(numbers), 23)


def _bigints(numbers: Any) -> bytes:
    return packed.of_numbers(sorted(numbers), 20)


@dataclass(frozen=True, slots=True)
class Column:
    """`type`: PostgreSQL's number of it; `form`: whether it is sent as text or in binary; `sent`: how."""

    name: str
    type: int
    form: Format
    sent: Sender


def _uuid(key: UUID) -> bytes:
    return key.bytes


INT = (23, Format.BINARY, _int)
BIGINT = (20, Format.BINARY, _bigint)
FLOAT = (701, Format.BINARY, _optional(_float))
KEY = (2950, Format.BINARY, _uuid)
TEXT = (25, Format.TEXT, str.encode)
INSTANT = (1184, Format.TEXT, str.encode)
BIGINTS = (1016, Format.BINARY, _bigints)


@dataclass(frozen=True, slots=True)
class Table:
    """An index table: the columns beside the resource's own, in the order of the values the index has for it."""

    name: str
    own: str
    columns: tuple[Column, ...]

    @property
    def senders(self) -> tuple[Sender, ...]:
        return tuple(column.sent for column in self.columns)


def _table(name: str, own: str, **columns: tuple[int, Format, Sender]) -> Table:
    return Table(name, own, tuple(Column(column, *how) for column, how in columns.items()))


TABLES = (
    _table("fhir.edge", "tenant, stype, src", tgt=KEY, link=BIGINT),
    _table("fhir.date_value", "tenant, rtype, rkey", param=INT, lo=INSTANT, hi=INSTANT),
    _table("fhir.quantity_value", "tenant, rtype, rkey", param=INT, lo=FLOAT, hi=FLOAT, units=BIGINTS),
    _table("fhir.string_value", "tenant, rtype, rkey", param=INT, norm=TEXT, value=TEXT),
    _table("fhir.composite_value", "tenant, rtype, rkey", param=INT, tok=BIGINTS, lo1=FLOAT, hi1=FLOAT, lo2=FLOAT, hi2=FLOAT),
)
SENDERS = tuple(table.senders for table in TABLES)

# What every statement begins with, in this order; `tenant`, `rtype` and `rkey` are the first three of every table.
HEAD: Sequence[tuple[int, Format]] = (
    (23, Format.BINARY), (21, Format.BINARY), (2950, Format.BINARY), (23, Format.BINARY), (1184, Format.BINARY), (18, Format.TEXT),
    (2950, Format.BINARY), (25, Format.TEXT), (25, Format.TEXT), (1184, Format.TEXT), (1184, Format.TEXT), (20, Format.BINARY),
    (1016, Format.BINARY), (1007, Format.BINARY),
)  # fmt: skip
BODY, BODY_VALUES = "insert into fhir.body (tenant, rtype, rkey, ver, ts, op, patient, id, body)", "$1, $2, $3, $4, $5, $6, $7, $8, $9"
CURRENT = """insert into fhir.current (tenant, rtype, rkey, ver, last_updated, patient, date_lo, date_hi, code, tok, has)
  values ($1, $2, $3, $4, $5, $7, $10, $11, $12, $13, $14)"""
SEEN = "seen(rtype, rkey, ver, patient) as (select $2::smallint, $3::uuid, $4::int, $7::uuid)"
TARGET = """coalesce((select b.op from fhir.body b where b.tenant = $1 and b.rtype = ${} and b.rkey = ${} order by b.ver desc limit 1), 'D') = 'D'"""
# A text that is no number stops the statement, and so all of its parts.
REFUSING = "select (case when {} then 'a reference leads nowhere, or another writer was first'::text else '0'::text end)::int"
IS_LAST = "c.tenant = $1 and c.rtype = {} and c.rkey = $3 and c.ver = $4 - 1 returning c.ver"
MOVED = {
    "U": f"""update fhir.current c set ver = $4, last_updated = $5, patient = $7, date_lo = $10, date_hi = $11, code = $12, tok = $13, has = $14
  where {IS_LAST}""",  # noqa: S608
    "D": f"delete from fhir.current c where {IS_LAST}",  # noqa: S608
}
IF_MOVED = "exists (select from moved)"
TYPES: Mapping[type, int] = {int: 20, str: 25, UUID: 2950}
"""PostgreSQL's numbers of the types of what is sent as text; any other the statement must say."""


@dataclass(frozen=True, slots=True)
class Shape:
    """`rows`: of each of TABLES; `codes`: whether there are new entries for the dictionary; `audited`: the classes of the audit's values.

    Of a change: what it is, the type's number, and the statements of what its index loses and gains, each with the names and types of its values.
    """

    rows: tuple[int, ...]
    codes: bool
    targets: int
    audit: str
    audited: tuple[type, ...]
    change: str = ""
    rtype: int = 0
    parts: tuple[tuple[bytes, tuple[tuple[str, int], ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A statement to prepare: its types, and the forms its values are sent in."""

    sql: str
    types: tuple[int, ...]
    forms: tuple[Format, ...]


def told(tenant: int, write: Write, targets: Sequence[tuple[int, UUID]], audit: AuditInsert, codes: Sequence[Any]) -> tuple[Text, list[Sent]] | None:
    """The statement that stores a version and its values; None for what is not told so.

    `targets`: what it refers to and must be there; `codes`: those of its dictionary's entries that may be new.
    """
    if len(targets) > MOST or any(row is not None and row.person is not None for row in (write.before, write.row)):
        return None
    found = _changed(tenant, write) if write.before is not None else _new(write)
    if found is None:
        return None
    begun, index = found
    values = _head(tenant, write) + index
    for rtype, key in targets:
        values += (_smallint(rtype), key.bytes)
    if codes:
        values += [column(part).data for column, part in zip(TOKEN.values(), zip(*codes, strict=True), strict=True)]
    said = tuple(audit.params.values())
    values += [AS_TEXT[value.__class__](value) for value in said]
    shape = begun(bool(codes), len(targets), audit.sql, tuple([value.__class__ for value in said]))
    return _text(shape, tuple(audit.params)), values


def _new(write: Write) -> tuple[Callable[..., Shape], list[Sent]] | None:
    """The beginning of the shape of what is new, and the values of its index."""
    row = write.row
    assert row is not None
    index: list[Collection[Any]] = [row.edges, row.dates, row.quantities, row.strings, [_group(group) for group in row.groups]]
    rows = tuple(map(len, index))
    if max(rows) > MOST:
        return None
    values: list[Sent] = []
    for senders, entries in zip(SENDERS, index, strict=True):
        for entry in entries:
            values += [send(value) for send, value in zip(senders, entry, strict=True)]
    return partial(Shape, rows), values


def _changed(tenant: int, write: Write) -> tuple[Callable[..., Shape], list[Sent]]:
    """The same of what changes or goes: the values of what its index loses and gains."""
    parts: list[tuple[bytes, tuple[tuple[str, int], ...]]] = []
    values: list[Sent] = []
    for sql, params in value_statements(tenant, [(write.before, write.row)]):
        columns = [(name, value) for name, value in params.items() if name != "tenant"]
        parts.append((sql, tuple([(name, value.type) for name, value in columns])))
        values += [value.data for _, value in columns]
    return partial(Shape, (), change=write.version.op, rtype=type_number(write.version.type), parts=tuple(parts)), values


def _head(tenant: int, write: Write) -> list[Sent]:
    version, row = write.version, write.row
    id, patient = stored_id(version.id), version.patient
    return [
        _int(tenant),
        _smallint(type_number(version.type)),
        version.key.bytes,
        _int(version.number),
        _bigint((version.at - EPOCH) // MICROSECOND),
        version.op.encode(),
        patient.bytes if patient else None,
        id.encode() if id else None,
        write.stored.encode() if write.stored is not None else None,
        *(_found_by(row) if row is not None else (None,) * 5),
    ]


def _found_by(row: IndexRow) -> tuple[Sent, ...]:
    """What its current row says of it."""
    code = _bigint(row.code) if row.code is not None else None
    return row.date_lo.encode(), row.date_hi.encode(), code, _bigints(row.tokens), _ints(frozenset(row.parameters))


def _group(group: Any) -> tuple[Any, ...]:
    (lo1, hi1), (lo2, hi2) = (*group.numbers, (None, None), (None, None))[:2]
    return group.param, group.tokens, lo1, hi1, lo2, hi2


@lru_cache(maxsize=2000)
def _text(shape: Shape, audited: tuple[str, ...]) -> Text:
    """`audited`: the names of the audit's values."""
    kinds = list(HEAD)
    parts = _parts_of_change(shape, kinds) if shape.change else _parts_of_new(shape, kinds)
    refusals = [TARGET.format(len(kinds) + 2 * nth + 1, len(kinds) + 2 * nth + 2) for nth in range(shape.targets)]
    refusals += [f"not {IF_MOVED}"] if shape.change else []
    kinds += [(21, Format.BINARY), (2950, Format.BINARY)] * shape.targets
    if shape.codes:
        columns = dict(zip(TOKEN, _places(kinds, [(number, Format.BINARY) for number in (1016, 1007, 1009, 1009, 1009)]), strict=True))
        parts.append(f"named as ({_filled(ADD_TOKENS.decode(), {'tenant': '$1', **columns})})")
    places = {"tenant": "$1"} | dict(zip(audited, _places(kinds, [(TYPES.get(kind, 0), Format.TEXT) for kind in shape.audited]), strict=True))
    parts.append(f"audited as ({_filled(shape.audit, places)})")
    ending = REFUSING.format(" or ".join(refusals)) if refusals else "select 0"
    return Text(f"with {', '.join(parts)} {ending}", tuple(kind for kind, _ in kinds), tuple(form for _, form in kinds))


def _parts_of_new(shape: Shape, kinds: list[tuple[int, Format]]) -> list[str]:
    parts = [SEEN, f"stored as ({BODY} values ({BODY_VALUES}))", f"found as ({CURRENT})"]
    for nth, (table, count) in enumerate(zip(TABLES, shape.rows, strict=True)):
        if count:
            rows = [", ".join(_places(kinds, [(column.type, column.form) for column in table.columns])) for _ in range(count)]
            names = ", ".join(column.name for column in table.columns)
            values = ", ".join(f"($1, $2, $3, {row})" for row in rows)
            parts.append(f"index_{nth} as (insert into {table.name} ({table.own}, {names}) values {values})")  # noqa: S608 - all of it stands in this file
    return parts


def _parts_of_change(shape: Shape, kinds: list[tuple[int, Format]]) -> list[str]:
    """None of them without `moved`, whose row is the first that is locked, as it is by whoever locks it before they write."""
    moved = MOVED[shape.change].format(shape.rtype)
    parts = [f"moved as ({moved})", f"{SEEN[:-1]} from moved)", f"stored as ({BODY} select {BODY_VALUES} from moved)"]  # noqa: S608
    for nth, (sql, columns) in enumerate(shape.parts):
        numbers = _places(kinds, [(type, Format.BINARY) for _, type in columns])
        places = {"tenant": "$1"} | {name: place for (name, _), place in zip(columns, numbers, strict=True)}
        also = "and" if sql.startswith(b"delete") else "where"
        parts.append(f"index_{nth} as ({_filled(sql.decode(), places)} {also} {IF_MOVED})")
    return parts


def _places(kinds: list[tuple[int, Format]], more: Sequence[tuple[int, Format]]) -> list[str]:
    """The numbers of the next parameters, of these kinds."""
    first = len(kinds) + 1
    kinds += more
    return [f"${first + nth}" for nth in range(len(more))]


def _filled(sql: str, places: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: places[found[1]], sql).replace("%%", "%")
