"""Who acts, as the trail keeps them: once, under a key made of the facts themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from psycopg.pq import TransactionStatus

from openward.access.actor import Actor

KEEP = """insert into audit.agent (tenant, id, actor, actor_name, actor_role, on_behalf_of, purpose, address)
  values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing"""

Facts = tuple[str | None, ...]
REMEMBER_AT_MOST = 2_000  # of one connection
FACTS = attrgetter("id", "name", "role", "on_behalf_of", "purpose", "address")


class Agents:
    """The agents that are known to be in the table, connection by connection: none is forgotten by a rollback, or taken over to another database."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[psycopg.Connection[Any], dict[tuple[int, Facts], UUID]] = WeakKeyDictionary()

    def key(self, connection: psycopg.Connection[Any], tenant: int, actor: Actor) -> UUID:
        """The key of the actor's row, which is there from now on whatever becomes of a transaction under way. Raises psycopg.Error."""
        facts = FACTS(actor)
        known = self._known.get(connection)
        if known is None:
            known = self._known[connection] = {}
        key = known.get((tenant, facts))
        if key is None:
            key = agent_key(*facts)
            with _apart(connection) as alone:
                psycopg.Cursor(alone).execute(KEEP, (tenant, key, *facts[:-1], facts[-1] or None))
            if len(known) >= REMEMBER_AT_MOST:
                known.clear()
            known[tenant, facts] = key
        return key


def agent_key(*facts: str | None) -> UUID:
    """Actor, name, role, on behalf of, purpose, address: half of a SHA-256 over them, each with its length before it."""
    *others, address = facts
    told = ",".join("-" if fact is None else f"{len(fact)}:{fact}" for fact in (*others, address or None))
    return UUID(bytes=hashlib.sha256(told.encode()).digest()[:16])


@contextmanager
def _apart(connection: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    """The connection itself when nothing is under way on it. Otherwise another: a row that every transaction of this actor
    wants to insert would make them wait for the first one's end."""
    if connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE:
        yield connection
        return
    own = connection.info.get_parameters()
    with psycopg.connect(**own, password=connection.info.password or None, autocommit=True) as alone:  # type: ignore[arg-type] # libpq's own names
        yield alone
