"""A single write as one statement that commits by itself: body, current row, index, the look at its references, and audit in one round trip.

Its parts are those that `writing` would send one by one in a transaction. What cannot be sent so, or fails for a reference that leads nowhere, has
changed nothing, and is for the transaction to do or to refuse.
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
from openward.fhir.interactions.statements import Write, statements
from openward.fhir.packed import Packed
from openward.fhir.wire import AS_TEXT

if TYPE_CHECKING:
    from openward.fhir.store import Store

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
KEPT = 300  # statements prepared on a connection in this way

# PostgreSQL's numbers of the types of what is not packed.
INT = 23
TYPES: Mapping[type, int] = {int: 20, str: 25, UUID: 2950}

SEEN = """seen(rtype, rkey, ver, patient) as materialized (
  select * from unnest(%(p0_rtype)s::smallint[], %(p0_rkey)s::uuid[], %(p0_ver)s::int[], %(p0_patient)s::uuid[]))"""

# A body's last version is asked for, for the current rows stand in many partitions that would all have to be opened.
MISSING = """missing as (select n.k from unnest(%(to_rtype)s::smallint[], %(to_rkey)s::uuid[]) n(r, k)
  left join lateral (select b.op from fhir.body b where b.tenant = %(tenant)s and b.rtype = n.r and b.rkey = n.k order by b.ver desc limit 1) t on true
  where t.op is null or t.op = 'D')"""
# A text that is no number stops the statement, and so all of its parts.
REFUSING = "select (case when exists (select from missing) then 'a reference leads nowhere'::text else '0'::text end)::int"

_numbers = count()
_prepared: WeakKeyDictionary[Connection[Any], dict[str, bytes]] = WeakKeyDictionary()


def may(store: Store) -> bool:
    """Whether a single new version waits, with nothing before it in the transaction, so that one statement can be all of it."""
    pending = store.pending
    if len(pending.writes) != 1 or len(pending.events) != 1 or pending.writes[0].row is None:
        return False
    return store.connection.info.transaction_status == TransactionStatus.IDLE


def send(store: Store, write: Write, targets: Sequence[tuple[int, Any]]) -> bool:
    """Store it for good; False where a reference leads nowhere or the auditor has no SQL, and nothing was stored. Raises psycopg.Error.

    `targets`: type number and key of every resource that must be there.
    """
    event = store.pending.events[0]
    audit = store.auditor.insert(store.connection, store.tenant, store.actor, event.interaction, write.version.type, many=False)
    if audit is None:
        return False
    parts = statements(store.tenant, [write])
    params: dict[str, Any] = {"tenant": store.tenant, **audit.params}
    for nth, (_, own) in enumerate(parts):
        params.update({f"p{nth}_{name}": value for name, value in own.items() if name != "tenant"})
    if targets:
        types, keys = zip(*targets, strict=True)
        params |= {"to_rtype": packed.smallints(types), "to_rkey": packed.uuids(keys)}
    sql, places = _merged(tuple(sql for sql, _ in parts), audit.sql, bool(targets))
    try:
        _run(store.connection, sql, places, params)
    except InvalidTextRepresentation:
        return False
    return True


@lru_cache(maxsize=2000)
def _merged(parts: tuple[bytes, ...], audit: str, has_targets: bool) -> tuple[str, tuple[str, ...]]:
    """One statement of all the parts, its parameters numbered, and their names in that order."""
    named = [f"w{nth} as ({_renamed(part.decode(), nth)})" for nth, part in enumerate(parts)]
    checks = [MISSING] if has_targets else []
    sql = f"with {', '.join([SEEN, *checks, *named, f'audited as ({audit})'])} {REFUSING if has_targets else 'select 0'}"
    places = tuple(dict.fromkeys(PLACEHOLDER.findall(sql)))
    return PLACEHOLDER.sub(lambda found: f"${places.index(found[1]) + 1}", sql).replace("%%", "%"), places


def _renamed(sql: str, nth: int) -> str:
    return PLACEHOLDER.sub(lambda found: found[0] if found[1] == "tenant" else f"%(p{nth}_{found[1]})s", sql)


def _run(connection: Connection[Any], sql: str, places: Sequence[str], params: Mapping[str, Any]) -> None:
    """Straight to libpq: it is the one statement of its transaction, which ends with it. A rollback takes prepared statements with it."""
    values = [params[place] for place in places]
    for _ in range(2):
        known = _prepared.setdefault(connection, {})
        name = known.get(sql) or _prepare(connection, known, sql, [_type(place, params[place]) for place in places])
        sent = [value.data if value.__class__ is Packed else AS_TEXT[value.__class__](value) for value in values]
        formats = [Format.BINARY if value.__class__ is Packed else Format.TEXT for value in values]
        result = connection.pgconn.exec_prepared(name, sent, formats)  # type: ignore[arg-type] # NULL is None
        if result.status == ExecStatus.TUPLES_OK:
            return
        error = error_from_result(result)
        if not isinstance(error, InvalidSqlStatementName):
            break
        known.clear()
    raise OperationalError(str(error)) if connection.closed and not isinstance(error, OperationalError) else error


def _type(place: str, value: Any) -> int:
    """What PostgreSQL is to take a parameter for; 0 where the statement must say it."""
    return INT if place == "tenant" else value.type if value.__class__ is Packed else TYPES.get(value.__class__, 0)


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
