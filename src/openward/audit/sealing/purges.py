"""Removing what is past its retention: whole sealed months, never while a hold stands. The database itself refuses anything else."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import psycopg

from openward.audit.sealing.keys import Signer, Trusted
from openward.audit.sealing.rows import Position
from openward.audit.sealing.seals import Seal, seals

READ = "select through, until_tx::text::bigint, until_id, removed, at, actor, key_id, signature from audit.purge where tenant = %s order by through desc limit 1"
INSERT = """insert into audit.purge (tenant, through, until_tx, until_id, removed, at, actor, key_id, signature)
  values (%s, %s, %s::text::xid8, %s, %s, %s, %s, %s, %s)"""
REMOVE = "delete from audit.entry where tenant = %s and (tx, id) < (%s::text::xid8, %s)"
COUNT = "select count(*) from audit.entry where tenant = %s and (tx, id) < (%s::text::xid8, %s)"


@dataclass(frozen=True)
class Purge:
    """Everything up to and with seal `through` was removed by `actor`, an actor's id."""

    tenant: int
    through: int
    until: Position
    removed: int
    at: dt.datetime
    actor: str
    key_id: str
    signature: bytes = b""

    def told(self) -> bytes:
        at = self.at.astimezone(dt.UTC).isoformat()
        return json.dumps(["openward purge", self.tenant, self.through, *self.until, self.removed, at, self.actor, self.key_id]).encode()

    def is_signed(self, trusted: Trusted) -> bool:
        return trusted.signed(self.key_id, self.signature, self.told())


def last_purge(wire: psycopg.Connection[Any], tenant: int) -> Purge | None:
    row = psycopg.Cursor(wire).execute(READ, (tenant,)).fetchone()
    if row is None:
        return None
    through, tx, id, removed, at, actor, key, signature = row
    return Purge(tenant, through, Position(tx, id), removed, at, actor, key, bytes(signature))


def purgeable(wire: psycopg.Connection[Any], tenant: int, days: int, now: dt.datetime) -> Seal | None:
    """The last seal of the last whole month (UTC) that is past its retention, unless it was purged already."""
    edge = (now.astimezone(dt.UTC) - dt.timedelta(days=days)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    done = last_purge(wire, tenant)
    late = "and number < coalesce((select min(number) from audit.seal where tenant = %s and last_at >= %s), 9223372036854775807)"
    found = next(seals(wire, tenant, f"{late} order by number desc limit 1", tenant, edge), None)
    return found if found is not None and found.number > (done.through if done else 0) else None


def purge(wire: psycopg.Connection[Any], seal: Seal, signer: Signer, *, actor: str) -> Purge:
    """Remove the entries up to and with this seal; the seals stay. Raises psycopg.errors.RestrictViolation when the database forbids it."""
    where = seal.tenant, str(seal.until.tx), seal.until.id
    with wire.transaction():
        row = psycopg.Cursor(wire).execute(COUNT, where).fetchone()
        made = Purge(seal.tenant, seal.number, seal.until, int(row[0]) if row else 0, dt.datetime.now(dt.UTC), actor, signer.id)
        values = str(made.until.tx), made.until.id, made.removed, made.at, actor, signer.id, signer.sign(made.told())
        psycopg.Cursor(wire).execute(INSERT, (made.tenant, made.through, *values))
        psycopg.Cursor(wire).execute(REMOVE, where)
    return made
