"""A small house around the engine, for its own tests: a policy by table, an auditor that remembers, a database without Django."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any
from uuid import UUID

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from openward.fhir.guards import Guards
from openward.fhir.protocols import AuditInsert, Auditor, Event, Interaction, Where
from openward.fhir.sealing import port
from openward.fhir.sealing.port import About, CannotOpen, Purpose
from openward.fhir.store import Store
from openward.fhir.terminology.catalogue import written
from openward.fhir.wire import Wire
from openward.fhir.work import PlainTransaction

AUDIT = """create table heard (tenant int, actor text, interaction text, type text, rkey uuid, ver int, patient uuid, outcome int)"""


@dataclass(frozen=True)
class Visitor:
    """An actor of the tests. `patient`: sees only that patient's compartment; `types`: may touch only these."""

    id: str = "visitor"
    name: str = "Visitor"
    reference: str | None = None
    patient: UUID | None = None
    types: frozenset[str] | None = None
    interactions: frozenset[str] | None = None


class TablePolicy:
    def where(self, actor: Visitor, interaction: Interaction, type: str) -> Where | None:
        if not self._may(actor, interaction, type):
            return None
        return Where("c.patient = %(policy_patient)s", {"policy_patient": actor.patient}) if actor.patient else Where()

    def allows(self, actor: Visitor, interaction: Interaction, type: str, resource: Mapping[str, Any], patient: UUID | None) -> bool:
        return self._may(actor, interaction, type) and actor.patient in (None, patient)

    def _may(self, actor: Visitor, interaction: str, type: str) -> bool:
        return (actor.types is None or type in actor.types) and (actor.interactions is None or interaction in actor.interactions)


class LazyTransaction:
    """As Django's: the server hears of it with the first statement."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._depth = 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        self._depth += 1
        if self._depth == 1:
            self._connection.autocommit = False
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        else:
            if self._depth == 1:
                self._connection.commit()
        finally:
            self._depth -= 1
            if not self._depth:
                self._connection.autocommit = True

    def later(self, job: Any, /, **arguments: Any) -> None:
        job(**arguments)

    def on_commit(self, then: Callable[[], None]) -> None:
        then()


class TableAuditor:
    """Hears every event into the table `heard` of the same database."""

    def record(self, connection: Any, tenant: int, actor: Visitor, events: Sequence[Event]) -> None:
        sql = """insert into heard select %s, %s, n.* from
          unnest(%s::text[], %s::text[], %s::uuid[], %s::int[], %s::uuid[], %s::int[]) n"""
        rows = [(e.interaction, e.type, e.key, e.version, patient, e.outcome) for e in events for patient in e.patients or (None,)]
        psycopg.Cursor(connection).execute(sql, (tenant, actor.id, *(list(column) for column in zip(*rows, strict=True))))

    def insert(self, connection: Any, tenant: int, actor: Visitor, interaction: str, type: str, *, many: bool) -> AuditInsert | None:
        sql = """insert into heard select %(tenant)s, %(audit_actor)s, %(audit_interaction)s, %(audit_type)s,
          seen.rkey, seen.ver, seen.patient, 0 from seen"""
        return AuditInsert(sql, {"audit_actor": actor.id, "audit_interaction": interaction, "audit_type": type})


class PlainKeys:
    """Keys that live as long as the process, in no database."""

    def __init__(self) -> None:
        self._secret = AESGCM(b"k" * 32)

    def seal(self, purpose: Purpose, content: bytes, about: About, tenant: int) -> str:
        nonce = os.urandom(12)
        return "test." + base64.urlsafe_b64encode(nonce + self._secret.encrypt(nonce, content, "/".join(about).encode())).decode()

    def unseal(self, sealed: str, about: About) -> bytes:
        try:
            given = base64.urlsafe_b64decode(sealed.removeprefix("test."))
            return self._secret.decrypt(given[:12], given[12:], "/".join(about).encode())
        except (InvalidTag, ValueError):
            raise CannotOpen("The value was changed.") from None

    def absent(self) -> str:
        return "cannot be opened"

    def blinded(self, text: str, tenant: int) -> tuple[str, ...]:
        return (hashlib.sha256(f"{tenant} blind {text}".encode()).hexdigest(),)


@contextmanager
def plain_keys() -> Iterator[None]:
    """Those of the installation are in Django's database, which the engine's tests do not use."""
    before = list(port._held)
    port.install(PlainKeys())
    try:
        yield
    finally:
        port._held[:] = before


@dataclass
class House:
    """Opens stores on one database, each on a connection of its own unless told otherwise."""

    url: str
    guards: Guards = field(default_factory=Guards)
    connections: list[psycopg.Connection[Any]] = field(default_factory=list)

    def connect(self) -> psycopg.Connection[Any]:
        self.connections.append(psycopg.connect(self.url, autocommit=True))
        return self.connections[-1]

    def store(
        self, actor: Visitor | None = None, *, tenant: int = 1, connection: psycopg.Connection[Any] | None = None, strict: bool = True
    ) -> Store:
        held = connection or self.connect()
        return Store(
            held,
            tenant,
            actor or Visitor(),
            policy=TablePolicy(),
            auditor=TableAuditor(),
            transaction=PlainTransaction(held),
            guards=self.guards,
            strict_references=strict,
        )

    def reading_store(self, actor: Visitor | None = None, *, wire: Wire | None = None, auditor: Auditor | None = None) -> Store:
        """As the REST surface reads: on a connection for that alone, past the driver."""
        wire = wire or self.reading_wire()
        held = wire.connection
        auditor = auditor or TableAuditor()
        return Store(
            held, 1, actor or Visitor(), policy=TablePolicy(), auditor=auditor, transaction=PlainTransaction(held), reads_only=True, wire=wire
        )

    def reading_wire(self) -> Wire:
        return Wire(self.connect(), straight=True)

    def heard(self) -> list[tuple[Any, ...]]:
        """(interaction, type, version, outcome) of every audit event so far."""
        return self.connections[0].execute("select interaction, type, ver, outcome from heard").fetchall()

    def count(self, table: str) -> int:
        row = self.connections[0].execute(f"select count(*) from {table}").fetchone()
        assert row
        return int(row[0])

    def close(self) -> None:
        for connection in self.connections:
            connection.close()


def make_schema(connection: psycopg.Connection[Any]) -> None:
    """The engine's tables, as openward.record's migration makes them."""
    for script in sorted(files("openward.fhir.schema").iterdir(), key=lambda path: path.name):
        if script.name.endswith(".sql"):
            connection.execute(script.read_text().encode())
    connection.execute(AUDIT)


# Emptying all of the record's tables, most of which nobody wrote to, costs more than most tests: one never written to since has no page.
WRITTEN = """select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and (n.nspname = 'fhir' or c.relname = 'heard') and pg_relation_size(c.oid) > 0"""


def empty(connection: psycopg.Connection[Any]) -> None:
    tables = [row[0] for row in connection.execute(WRITTEN).fetchall()]
    if tables:
        connection.execute(f"truncate {', '.join(tables)}".encode())
    written()  # what terminology remembers of the tables is no longer there
