"""A seal as it is kept and what it says of its batch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.rows import tuple_row
from psycopg.types.datetime import TimestamptzLoader

from openward.audit.sealing import merkle
from openward.audit.sealing.keys import Signer
from openward.audit.sealing.rows import Agent, Position, Row

FIRST_PREVIOUS = bytes(32)
PRINT = 8
EARLIEST, LATEST = dt.datetime(1000, 1, 1, tzinfo=dt.UTC), dt.datetime(9000, 1, 1, tzinfo=dt.UTC)
NO_TIME = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
# A number of a transaction that somebody made larger than any is read as the largest: what is wrong with the seal is told, not that it cannot be read.
COLUMNS = """tenant, number, least(from_tx::text::numeric, 9223372036854775807)::bigint, from_id,
  least(until_tx::text::numeric, 9223372036854775807)::bigint, until_id, count, first_at, last_at, root, previous, at, key_id, digest, signature, prints"""
INSERT = """insert into audit.seal (tenant, number, from_tx, from_id, until_tx, until_id, count, first_at, last_at, root, previous, at, key_id, digest,
  signature, prints) values (%s, %s, %s::text::xid8, %s, %s::text::xid8, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""


@dataclass(frozen=True)
class Seal:
    """Number `number` of the tenant's chain. Every time is UTC to the microsecond; `previous` is the digest of the seal before."""

    tenant: int
    number: int
    since: Position
    until: Position
    count: int
    first_at: dt.datetime
    last_at: dt.datetime
    root: bytes
    previous: bytes
    at: dt.datetime
    key_id: str
    digest: bytes = b""
    signature: bytes = b""
    prints: bytes = b""

    def computed_digest(self) -> bytes:
        """Over everything the seal says but the prints, which prove nothing."""
        facts = (self.tenant, self.number, *self.since, *self.until, self.count, _micro(self.first_at), _micro(self.last_at), _micro(self.at))
        told = ",".join(map(str, facts)) + f",{self.root.hex()},{self.previous.hex()},{self.key_id}"
        return sha256(b"openward seal\0" + told.encode()).digest()

    def signed(self, signer: Signer) -> Seal:
        digest = self.computed_digest()
        return replace(self, digest=digest, signature=signer.sign(digest))


def leaves(rows: Sequence[Row], named: Sequence[Agent]) -> tuple[list[bytes], list[bytes]]:
    """The hashes of the entries in their order, and of the agents they name in the order of their keys."""
    return [merkle.leaf(row.content) for row in rows], [merkle.leaf(b"agent" + agent.content) for agent in sorted(named)]


def prints(hashes: Sequence[bytes]) -> bytes:
    return b"".join(hash[:PRINT] for hash in hashes)


def last(wire: psycopg.Connection[Any], tenant: int) -> Seal | None:
    return next(seals(wire, tenant, "order by number desc limit 1"), None)


def after(wire: psycopg.Connection[Any], tenant: int, number: int, limit: int) -> list[Seal]:
    return list(seals(wire, tenant, "and number > %s order by number limit %s", number, limit))


class _AnyTime(TimestamptzLoader):
    """A time outside Python's years, which only tampering makes, as one that no seal has."""

    def load(self, data: Buffer) -> dt.datetime:
        try:
            return super().load(data)
        except psycopg.DataError:
            return NO_TIME


def seals(wire: psycopg.Connection[Any], tenant: int, which: str, *params: Any) -> Iterator[Seal]:
    cursor = psycopg.Cursor(wire, row_factory=tuple_row)
    cursor.adapters.register_loader("timestamptz", _AnyTime)
    for row in cursor.execute(f"select {COLUMNS} from audit.seal where tenant = %s {which}", (tenant, *params)):  # noqa: S608
        of, number, from_tx, from_id, until_tx, until_id, count, first, latest, root, previous, at, key, digest, signature, marks = row
        range = Position(from_tx, from_id), Position(until_tx, until_id)
        yield Seal(of, number, *range, count, first, latest, bytes(root), bytes(previous), at, key, bytes(digest), bytes(signature), bytes(marks))


def insert(wire: psycopg.Connection[Any], seal: Seal) -> None:
    range = str(seal.since.tx), seal.since.id, str(seal.until.tx), seal.until.id
    told = seal.count, seal.first_at, seal.last_at, seal.root, seal.previous, seal.at, seal.key_id, seal.digest, seal.signature, seal.prints
    psycopg.Cursor(wire).execute(INSERT, (seal.tenant, seal.number, *range, *told))


def moment(microseconds: int) -> dt.datetime:
    """Since 1970, UTC; what lies outside the years that can be told is the nearest of them, so that an entry with a false time is sealed like any other."""
    try:
        return min(max(dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=microseconds), EARLIEST), LATEST)
    except OverflowError:
        return EARLIEST if microseconds < 0 else LATEST


def _micro(at: dt.datetime) -> int:
    return (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
