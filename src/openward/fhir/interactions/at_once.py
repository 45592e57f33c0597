"""A single write as one statement: body, current row, index, the look at its references, and audit in one round trip.

Its parts are those that `writing` would send one by one. With nothing before it in its transaction the statement is all of that, and commits by
itself; what cannot be sent so, or fails for a reference that leads nowhere, has changed nothing then, and is for a transaction to do or to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID
from weakref import WeakKeyDictionary

from psycopg import Connection, OperationalError
from psycopg.errors import InvalidSqlStatementName, InvalidTextRepresentation, error_from_result
from psycopg.pq import ExecStatus, Format, TransactionStatus

from openward.fhir import packed
from openward.fhir.definitions import type_number
from openward.fhir.interactions import in_values
from openward.fhir.interactions.statements import Write, statements
from openward.fhir.packed import Packed
from openward.fhir.protocols import AuditInsert
from openward.fhir.search.rows import COLUMNS, version_sent
from openward.fhir.search.tables import Statement
from openward.fhir.search.token import Entry
from openward.fhir.versions import Version
from openward.fhir.wire import AS_TEXT, PLACEHOLDER

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from openward.fhir.store import Store

OWN = re.compile(r"p(\d+)_(\w+)")
Place = tuple[int | None, str]
"""Which part's parameter it is, None where all parts have it, and its name there."""
KEPT = 300  # statements prepared on a connection in this way

INT = 23  # PostgreSQL's number of the type

LAST = f"select {COLUMNS} from fhir.body b where b.tenant = $1 and b.rtype = $2 and b.rkey = $3 order by b.ver desc limit 1"  # noqa: S608

SEEN = """seen(rtype, rkey, ver, patient) as materialized (
  select * from unnest(%(p0_rtype)s::smallint[], %(p0_rkey)s::uuid[], %(p0_ver)s::int[], %(p0_patient)s::uuid[]))"""

# A body's last version is asked for, for the current rows stand in many partitions that would all have to be opened.
MISSING = """missing as (select n.r, n.k from unnest(%(to_rtype)s::smallint[], %(to_rkey)s::uuid[]) n(r, k)
  left join lateral (select b.op from fhir.body b where b.tenant = %(tenant)s and b.rtype = n.r and b.rkey = n.k order by b.ver desc limit 1) t on true
  where t.op is null or t.op = 'D')"""
LISTING = "select r::int, k from missing"
NOTHING = "select 0, null::uuid where false"
# For what commits by itself: a text that is no number stops the statement, and so all of its parts.
REFUSING = "select (case when exists (select from missing) then 'a reference leads nowhere'::text else '0'::text end)::int"

_numbers = count()
# What the dictionary of codes is known to hold: tenant and entry. Nothing is ever taken out of it.
NAMES = 5000
_named: WeakKeyDictionary[Connection[Any], set[tuple[int, Entry]]] = WeakKeyDictionary()
_prepared: WeakKeyDictionary[Connection[Any], dict[str, bytes]] = WeakKeyDictionary()


def may(store: Store, *, alone: bool) -> bool:
    """Whether a single new version waits. `alone`: one that nothing came before may commit by itself."""
    pending = store.pending
    if len(pending.writes) != 1 or len(pending.events) != 1 or (pending.writes[0].row is None and not pending.is_hoping):
        return False
    status = store.connection.pgconn.transaction_status
    return status == TransactionStatus.INTRANS or (alone and status == TransactionStatus.IDLE)


def send(store: Store, write: Write, targets: Sequence[tuple[int, UUID]]) -> list[tuple[int, UUID]] | None:
    """Store it. Gives those of the targets that are not there, for which the transaction must not commit; None when nothing was done.

    Outside a transaction, and without a lock, it is stored for good, or nothing was done. `targets`: type number and key of every resource that
    must be there. Raises psycopg.Error.
    """
    event = store.pending.events[0]
    audit = store.auditor.insert(store.connection, store.tenant, store.actor, event.interaction, write.version.type, many=False)
    if audit is None:
        return None
    is_alone = store.connection.pgconn.transaction_status == TransactionStatus.IDLE
    is_hoping = store.pending.is_hoping
    if (is_alone or is_hoping) and (done := _plainly(store, write, targets, audit)) is not None:
        return [] if done else None
    if is_hoping:
        return None
    parts = statements(store.tenant, [write])
    common: dict[str, Any] = {"tenant": store.tenant, **audit.params}
    if targets:
        types, keys = zip(*targets, strict=True)
        common |= {"to_rtype": packed.smallints(types), "to_rkey": packed.uuids(keys)}
    sqls = tuple(sql for sql, _ in parts)
    if not is_alone:
        return _inside(store.connection, _merged(sqls, audit.sql, LISTING if targets else NOTHING), parts, common)
    try:
        _alone(store.connection, *_numbered(_merged(sqls, audit.sql, REFUSING if targets else NOTHING)), parts, common)
    except InvalidTextRepresentation:
        return None
    return []


def _plainly(store: Store, write: Write, targets: Sequence[tuple[int, UUID]], audit: AuditInsert) -> bool | None:
    """Its values told one by one. Whether it is stored; None when it is not for this way."""
    known = _named.setdefault(store.connection, set())
    codes = [entry for _, entry in sorted(write.row.dictionary.items()) if (store.tenant, entry) not in known] if write.row else []
    told = in_values.told(store.tenant, write, targets, audit, codes)
    if told is None:
        return None
    text, values = told
    try:
        _execute(store.connection, text.sql, text.types, values, text.forms)
    except InvalidTextRepresentation:
        return False
    if codes:
        if len(known) > NAMES:
            known.clear()
        known.update((store.tenant, entry) for entry in codes)
    return True


def last(connection: Connection[Any], tenant: int, type: str, key: UUID) -> Version | None:
    """The last version of a resource, a deletion as well, by a statement that neither locks nor begins a transaction. Raises psycopg.Error, Locked."""
    values = [b"%d" % tenant, b"%d" % type_number(type), b"%032x" % key.int]
    result = _execute(connection, LAST, (INT, 21, 2950), values, (Format.TEXT,) * 3, Format.BINARY)
    return version_sent(result.get_value, 0).whole if result.ntuples else None


def _inside(connection: Connection[Any], sql: str, parts: Sequence[Statement], common: Mapping[str, Any]) -> list[tuple[int, UUID]]:
    """As a statement of the transaction under way, through the driver, which knows what a rollback took of the statements it had prepared."""
    params = dict(common)
    for nth, (_, own) in enumerate(parts):
        params.update({f"p{nth}_{name}": value for name, value in own.items() if name != "tenant"})
    return packed.cursor(connection).execute(sql.encode(), params, prepare=True, binary=True).fetchall()


@lru_cache(maxsize=2000)
def _merged(parts: tuple[bytes, ...], audit: str, ending: str) -> str:
    """One statement of all the parts."""
    named = [f"w{nth} as ({_renamed(part.decode(), nth)})" for nth, part in enumerate(parts)]
    checks = [] if ending == NOTHING else [MISSING]
    return f"with {', '.join([SEEN, *checks, *named, f'audited as ({audit})'])} {ending}"


@lru_cache(maxsize=2000)
def _numbered(sql: str) -> tuple[str, tuple[Place, ...]]:
    """The statement with its parameters numbered, and where the value of each is found."""
    names = tuple(dict.fromkeys(PLACEHOLDER.findall(sql)))
    numbered = PLACEHOLDER.sub(lambda found: f"${names.index(found[1]) + 1}", sql).replace("%%", "%")
    return numbered, tuple(map(_place, names))


def _place(name: str) -> Place:
    own = OWN.fullmatch(name)
    return (int(own[1]), own[2]) if own else (None, name)


def _renamed(sql: str, nth: int) -> str:
    return PLACEHOLDER.sub(lambda found: found[0] if found[1] == "tenant" else f"%(p{nth}_{found[1]})s", sql)


def _alone(connection: Connection[Any], sql: str, places: Sequence[Place], parts: Sequence[Statement], common: Mapping[str, Any]) -> None:
    """As a transaction of its own, straight to libpq. A rollback of another may have taken the prepared statement away: then it is made anew."""
    values = [common[name] if nth is None else parts[nth][1][name] for nth, name in places]
    sent = [value.data if value.__class__ is Packed else AS_TEXT[value.__class__](value) for value in values]
    formats = [Format.BINARY if value.__class__ is Packed else Format.TEXT for value in values]
    _execute(connection, sql, [_type(name, value) for (_, name), value in zip(places, values, strict=True)], sent, formats)


def _execute(
    connection: Connection[Any], sql: str, types: Sequence[int], sent: Sequence[bytes | None], formats: Sequence[Format], rows: Format = Format.TEXT
) -> PGresult:
    """`rows`: the form in which they are to come."""
    for _ in range(2):
        known = _prepared.setdefault(connection, {})
        name = known.get(sql) or _prepare(connection, known, sql, types)
        result = connection.pgconn.exec_prepared(name, sent, formats, rows)  # type: ignore[arg-type] # NULL is None
        if result.status == ExecStatus.TUPLES_OK:
            return result
        error = error_from_result(result)
        if not isinstance(error, InvalidSqlStatementName):
            break
        known.clear()
    raise OperationalError(str(error)) if connection.closed and not isinstance(error, OperationalError) else error


def _type(name: str, value: Any) -> int:
    """What PostgreSQL is to take a parameter for; 0 where the statement must say it."""
    return INT if name == "tenant" else value.type if value.__class__ is Packed else in_values.TYPES.get(value.__class__, 0)


def _prepare(connection: Connection[Any], known: dict[str, bytes], sql: str, types: Sequence[int]) -> bytes:
    if len(known) >= KEPT:
        for name in known.values():
            connection.pgconn.exec_(b"deallocate " + name)
        known.clear()
    name = b"at_once_%d" % next(_numbers)
    result = connection.pgconn.prepare(name, sql.encode(), types)
    if result.status != ExecStatus.COMMAND_OK:
        raise error_from_result(result)
    known[sql] = name
    return name
