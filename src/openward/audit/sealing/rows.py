"""The rows of the trail as bytes that are the same on every PostgreSQL: what COPY sends in its binary format.

https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from openward.audit.agents import agent_key

ENTRY = "tenant, tx, id, at, agent, interaction, rtype, rkey, version, patient, patients, outcome, detail, request_id"
AGENT = "tenant, id, actor, actor_name, actor_role, on_behalf_of, purpose, address"
SIGNATURE = b"PGCOPY\n\xff\r\n\0"
END = b"\xff\xff"
LEAST_ID = -(2**63)

_FIELDS = struct.Struct(">qxxxxqxxxxqxxxx16s")  # tx, id, at, agent: none of them is ever null, so that they stand where they stand
_FIRST = 14
_EPOCH_MICROSECONDS = 946_684_800_000_000  # 2000-01-01, from which PostgreSQL counts


class Position(NamedTuple):
    """A place in the order of the trail: before the entry (tx, id)."""

    tx: int
    id: int = LEAST_ID


START = Position(0)


class Row(NamedTuple):
    """One entry; `at` in microseconds since 1970, UTC."""

    position: Position
    at: int
    agent: UUID
    content: bytes

    @property
    def name(self) -> str:
        """As a person finds it again: transaction, number, time."""
        try:
            at = f"{dt.datetime.fromtimestamp(self.at // 10**6, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
        except (ValueError, OverflowError):
            at = "an impossible time"
        return f"{self.position.tx}-{self.position.id} of {at}"


def entries(wire: psycopg.Connection[Any], tenant: int, since: Position, until: Position, limit: int | None = None) -> Iterator[Row]:
    """The entries from `since` up to, not including, `until`, in order. Must be read to its end."""
    sql = f"""copy (select {ENTRY} from audit.entry where tenant = %s and (tx, id) >= (%s::xid8, %s) and (tx, id) < (%s::xid8, %s)
      order by tenant, tx, id limit %s) to stdout (format binary)"""  # noqa: S608 - names of our own
    for content in _copied(wire, sql, (tenant, str(since.tx), since.id, str(until.tx), until.id, limit)):
        tx, id, at, agent = _FIELDS.unpack_from(content, _FIRST)
        yield Row(Position(tx, id), at + _EPOCH_MICROSECONDS, _uuid(agent), content)


@lru_cache(maxsize=1000)
def _uuid(sent: bytes) -> UUID:
    """A few agents make most entries."""
    return UUID(bytes=sent)


class Agent(NamedTuple):
    """`fits`: whether the facts still give the key under which they stand."""

    id: UUID
    fits: bool
    content: bytes


def agents(wire: psycopg.Connection[Any], tenant: int, ids: Sequence[UUID]) -> list[Agent]:
    sql = f"copy (select {AGENT} from audit.agent where tenant = %s and id = any(%s::uuid[])) to stdout (format binary)"  # noqa: S608
    return [_agent(content) for content in _copied(wire, sql, (tenant, [str(id) for id in ids]))]


def all_agents(wire: psycopg.Connection[Any], tenant: int) -> Iterator[Agent]:
    """Must be read to its end."""
    sql = f"copy (select {AGENT} from audit.agent where tenant = %s) to stdout (format binary)"  # noqa: S608
    yield from map(_agent, _copied(wire, sql, (tenant,)))


def _agent(content: bytes) -> Agent:
    _, id, *facts = _values(content)
    assert id is not None
    key = UUID(bytes=id)
    return Agent(key, agent_key(*(None if fact is None else fact.decode() for fact in facts)) == key, content)


def _values(content: bytes) -> Iterator[bytes | None]:
    at = 2
    while at < len(content):
        (length,) = struct.unpack_from(">i", content, at)
        at += 4
        yield None if length < 0 else content[at : at + length]
        at += max(length, 0)


def _copied(wire: psycopg.Connection[Any], sql: str, params: Sequence[Any]) -> Iterator[bytes]:
    """Row by row. The head of the stream comes before the first row, alone or together with it."""
    with psycopg.Cursor(wire) as cursor, cursor.copy(sql, params) as copy:
        for block in copy:
            content = bytes(block)
            if content.startswith(SIGNATURE):
                content = content[len(SIGNATURE) + 8 :]
            if content and content != END:
                yield content
