"""Sealing what stands unsealed. Any number of processes may try at once: one does it, the others find it done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg

from openward.audit.sealing import merkle
from openward.audit.sealing.keys import Signer
from openward.audit.sealing.rows import START, Position, agents, entries
from openward.audit.sealing.seals import FIRST_PREVIOUS, Seal, insert, last, leaves, moment, prints

BATCH = 10_000
LOCK = 0x5EA1  # the first half of the advisory lock, the tenant is the second
TENANTS = """with recursive t(tenant) as (
  (select tenant from audit.entry order by tenant limit 1)
  union all select (select tenant from audit.entry e where e.tenant > t.tenant order by tenant limit 1) from t where t.tenant is not null)
  select tenant from t where tenant is not null"""


class CounterWentBack(Exception):
    """The transaction counter of this PostgreSQL stands at {counter}, before the last seal's {sealed}: the database was restored from a dump."""

    def __init__(self, counter: int, sealed: int) -> None:
        super().__init__((type(self).__doc__ or "").format(counter=counter, sealed=sealed))


def prepare(wire: psycopg.Connection[Any]) -> None:
    """Text is read as UTF-8 whatever the database is kept in: the same bytes are hashed everywhere."""
    psycopg.Cursor(wire).execute("set client_encoding to 'UTF8'")


def tenants(wire: psycopg.Connection[Any]) -> list[int]:
    return [int(tenant) for (tenant,) in psycopg.Cursor(wire).execute(TENANTS)]


def horizon(wire: psycopg.Connection[Any]) -> int:
    """Every transaction before it has ended, and whatever it committed is seen by the statements that follow."""
    row = psycopg.Cursor(wire).execute("select pg_snapshot_xmin(pg_current_snapshot())::text").fetchone()
    assert row is not None
    return int(row[0])


def seal_all(wire: psycopg.Connection[Any], signer: Signer, *, batch: int = BATCH) -> Iterator[Seal]:
    """Seal everything that can be sealed now, tenant by tenant, batch by batch, each in a transaction of its own. Raises CounterWentBack."""
    for tenant in tenants(wire):
        while (made := seal_next(wire, tenant, signer, batch=batch)) is not None:
            yield made
            if made.count < batch:
                break


def seal_next(wire: psycopg.Connection[Any], tenant: int, signer: Signer, *, batch: int = BATCH) -> Seal | None:
    """The next seal; None when there is nothing to seal or another process is at it. Raises CounterWentBack."""
    with wire.transaction():
        (mine,) = psycopg.Cursor(wire).execute("select pg_try_advisory_xact_lock(%s, %s)", (LOCK, tenant)).fetchone() or (False,)
        if not mine:
            return None
        before = last(wire, tenant)
        line = Position(horizon(wire))
        since = before.until if before else START
        if line < since:
            raise CounterWentBack(line.tx, since.tx)
        made = _sealed(wire, tenant, before, line, signer, batch)
        if made is not None:
            insert(wire, made)
        return made


def _sealed(wire: psycopg.Connection[Any], tenant: int, before: Seal | None, line: Position, signer: Signer, batch: int) -> Seal | None:
    since = before.until if before else START
    rows = list(entries(wire, tenant, since, line, batch))
    if not rows:
        return None
    until = line if len(rows) < batch else Position(rows[-1].position.tx, rows[-1].position.id + 1)
    hashes, named = leaves(rows, agents(wire, tenant, list({row.agent for row in rows})))
    return Seal(
        tenant, (before.number if before else 0) + 1, since, until, len(rows), moment(min(row.at for row in rows)), moment(max(row.at for row in rows)),
        merkle.root([*hashes, *named]), before.digest if before else FIRST_PREVIOUS, dt.datetime.now(dt.UTC), signer.id, prints=prints(hashes),
    ).signed(signer)  # fmt: skip
