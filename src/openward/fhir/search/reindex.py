"""Indexing what is already there by a new search parameter, a few hundred resources a transaction, while everything else goes on.

Each step is a transaction of its own that moves the place it got to, so that whoever runs the next step goes on there: a worker that was killed
lost nothing but its last step. `openward.fhir.search.told` asks for it; `progress` says how far it is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from openward.fhir.definitions import type_number
from openward.fhir.search.index import IndexRow, extract, extract_only
from openward.fhir.search.own import LOOK_EVERY, OWN, OwnParameter, made_of
from openward.fhir.search.parameters import number, plan
from openward.fhir.search.rows import COLUMNS, version_in_part
from openward.fhir.search.tables import write_index
from openward.fhir.search.told import NOW

AT_ONCE = 500
# Every process has looked by then, and what it wrote before it looked is committed.
SETTLED = LOOK_EVERY * 2
BREATH = 0.2  # seconds between two looks whether it is time

NEXT = """select tenant, url, base, definition, state, at_tenant, at_key, done, total, extract(epoch from clock_timestamp() - told_at)::float8,
    (select count(*) from pg_stat_activity a where a.datname = current_database() and a.backend_xid is not null and a.pid <> pg_backend_pid()
      and a.xact_start < p.told_at + make_interval(secs => %(settled)s))
  from fhir.own_parameter p where state in ('waiting', 'running') order by told_at limit 1 for update skip locked"""
WHOSE = "where tenant = %(tenant)s and url = %(url)s and base = %(base)s"
BEGIN = f"""update fhir.own_parameter set state = 'running', done = 0, version = {NOW},
  total = (select count(*) from fhir.current c where c.rtype = %(rtype)s) {WHOSE}"""  # noqa: S608
MOVE = f"update fhir.own_parameter set at_tenant = %(at_tenant)s, at_key = %(at_key)s, done = done + %(count)s {WHOSE}"  # noqa: S608
FINISH = f"update fhir.own_parameter set state = 'active', total = done, version = {NOW} {WHOSE}"  # noqa: S608
FAIL = f"update fhir.own_parameter set state = 'failed', trouble = %(trouble)s, version = {NOW} {WHOSE}"  # noqa: S608
SHOW = "select url, base, code, state, done, total, trouble from fhir.own_parameter where state <> 'gone' order by told_at, base"
PURGE = [
    f"delete from fhir.{table} where rtype = %(rtype)s and param = %(param)s"  # noqa: S608
    for table in ("string_value", "date_value", "quantity_value")
]
BATCH = f"""select c.tenant, c.tok, c.has, {COLUMNS} from (
    select * from fhir.current where rtype = %(rtype)s and (tenant, rkey) > (%(at_tenant)s, %(at_key)s)
    order by tenant, rkey limit {AT_ONCE} for update) c join fhir.body b using (tenant, rtype, rkey, ver) order by c.tenant, c.rkey"""  # noqa: S608
UPDATE = """update fhir.current set tok = %(tok)s::bigint[], has = %(has)s::int[]
  where tenant = %(tenant)s and rtype = %(rtype)s and rkey = %(rkey)s"""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the indexing by one parameter of one type is: `done` of `total` resources. `state` as in 0003_search.sql."""

    url: str
    type: str
    code: str
    state: str
    done: int
    total: int
    trouble: str | None = None


def progress(connection: Connection[Any]) -> list[Progress]:
    return [Progress(*row) for row in _cursor(connection).execute(SHOW).fetchall()]


def run(connection: Connection[Any], told: Callable[[Progress], None] = lambda _: None, *, patience: float = float("inf")) -> None:
    """Index until nothing is left to do that nobody else is at. `connection` commits by itself.

    `patience`: seconds to wait for writers who began before a parameter was told of; who comes later goes on.
    """
    waited = 0.0
    while (state := step(connection)) is not None and waited < patience:
        for one in _unfinished(connection):
            told(one)
        if state == "waiting":
            waited += BREATH
            time.sleep(BREATH)


def run_out(connection: Connection[Any], told: Callable[[Progress], None] = lambda _: None) -> None:
    """Index until nothing is left to do, also what another process is at. `connection` commits by itself."""
    run(connection, told)
    while _unfinished(connection):
        time.sleep(BREATH)
        run(connection, told)


def _unfinished(connection: Connection[Any]) -> list[Progress]:
    return [one for one in progress(connection) if one.state in ("waiting", "running")]


def step(connection: Connection[Any], settled: float | None = None) -> str | None:
    """One transaction's worth of work: `waiting` (too early), `running`, `active` (done with one), `failed`; None when there is nothing to do.

    `settled`: seconds after which every process knows of a parameter.
    """
    settled = SETTLED if settled is None else settled
    OWN.keep_fresh(connection, now=True)
    with connection.transaction():
        cursor = _cursor(connection)
        row = cursor.execute(NEXT, {"settled": settled}).fetchone()
        if row is None:
            return None
        tenant, url, base, definition, state, at_tenant, at_key, _, _, age, unsettled = row
        whose = {"tenant": tenant, "url": url, "base": base, "rtype": type_number(base)}
        parameter = _parameter(definition, base)
        if parameter is None:
            cursor.execute(FAIL.encode(), {**whose, "trouble": "The expression can no longer be read."})
            return "failed"
        if state == "waiting":
            return _begin(cursor, parameter, whose) if age >= settled and not unsettled else "waiting"
        return _go_on(connection, parameter, {**whose, "at_tenant": at_tenant, "at_key": at_key})


def _parameter(definition: str, base: str) -> OwnParameter | None:
    return next((parameter for parameter in made_of(json.loads(definition)) if parameter.base == base), None)


def _begin(cursor: Cursor[Any], parameter: OwnParameter, whose: dict[str, Any]) -> str:
    """Take away what an earlier definition of the same code has left."""
    for statement in PURGE:
        cursor.execute(statement.encode(), {**whose, "param": number(parameter.code)})
    cursor.execute(BEGIN.encode(), whose)
    return "running"


def _go_on(connection: Connection[Any], parameter: OwnParameter, whose: dict[str, Any]) -> str:
    cursor = _cursor(connection)
    found = cursor.execute(BATCH.encode(), whose).fetchall()
    if not found:
        cursor.execute(FINISH.encode(), whose)
        return "active"
    for tenant in sorted({row[0] for row in found}):
        _index(connection, tenant, parameter, [row for row in found if row[0] == tenant])
    last = found[-1]
    cursor.execute(MOVE.encode(), {**whose, "at_tenant": last[0], "at_key": last[5], "count": len(found)})
    return "running"


def _index(connection: Connection[Any], tenant: int, parameter: OwnParameter, found: Sequence[Sequence[Any]]) -> None:
    """Some may have been indexed by whoever changed them meanwhile: what is there already is taken away before it is added."""
    only: list[IndexRow] = []
    changed: list[dict[str, Any]] = []
    for _, tok, has, *row in found:
        version = version_in_part(row)
        if version.locked:  # it is found as it was: what does not open cannot be taken from it
            continue
        only.append(extract_only(version.content, version.type, parameter.code, tenant=tenant))
        whole = extract(version.content, version.type, tenant=tenant)
        if whole.tok != list(tok) or whole.has != sorted(has):
            changed.append({"tenant": tenant, "rtype": whole.type, "rkey": whole.key, "tok": whole.tok, "has": whole.has})
    write_index(connection, tenant, [(row, None) for row in only])
    write_index(connection, tenant, [(None, row) for row in only])
    if changed:
        _cursor(connection).executemany(UPDATE, changed)


def _cursor(connection: Connection[Any]) -> Cursor[Any]:
    return Cursor(connection, row_factory=tuple_row)


def owned_here(type: str) -> list[str]:
    """The codes of the own parameters a search of this type may ask for."""
    return [code for code, parameter in plan(type).parameters.items() if isinstance(parameter, OwnParameter) and parameter.is_ready]
