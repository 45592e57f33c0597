"""Writing the trail: one row per interaction, in the transaction of what it describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import getrandbits
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from openward.access.actor import Actor
from openward.audit.agents import Agents
from openward.fhir import packed
from openward.fhir.definitions import type_number
from openward.fhir.protocols import AuditInsert, Event

# Any number of events is one statement; a row's patients, a list of its own length, travel as text.
RECORD = """
insert into audit.entry (tenant, agent, request_id, id, interaction, rtype, rkey, version, patient, patients, outcome, detail)
select %(tenant)s::int, %(agent)s::uuid, %(request_id)s::text, e.id, e.interaction, e.rtype, e.rkey, e.version, e.patient, e.patients::uuid[], e.outcome, e.detail
from unnest(%(ids)s::bigint[], %(interactions)s::text[], %(rtypes)s::smallint[], %(rkeys)s::uuid[], %(versions)s::int[], %(of)s::uuid[], %(patients)s::text[],
            %(outcomes)s::smallint[], %(details)s::text[]) e(id, interaction, rtype, rkey, version, patient, patients, outcome, detail)
"""

# The same for reads alone, in a transaction of its own that does not wait for the disk.
RECORD_READS = f"with hurried as materialized (select set_config('synchronous_commit', 'off', true)) {RECORD} cross join hurried"
READS = frozenset({"read", "vread", "search", "history"})

# A read and its audit are one statement: `seen` is the engine's CTE of the rows that are about to be answered. Few parameters: each has its price.
INSERT = """
insert into audit.entry (tenant, agent, request_id, id, interaction, rtype, rkey, version, patient, outcome)
select %(tenant)s::int, %(audit_agent)s::uuid, %(audit_request_id)s::text, %(audit_id)s::bigintNTH, 'INTERACTION', rtype, rkey, ver, patient, 0::smallint
from seen
"""


def _inserts(nth: str) -> Mapping[str, str]:
    kinds = ("read", "vread", "search", "create", "update", "delete")
    return {interaction: INSERT.replace("NTH", nth).replace("INTERACTION", interaction) for interaction in kinds}


OF_ONE = _inserts("")
OF_MANY = _inserts(" + row_number() over ()")


class TableAuditor:
    """The auditor of this installation, over `audit.agent` and `audit.entry`. https://hl7.org/fhir/R4/auditevent.html"""

    def __init__(self) -> None:
        self._agents = Agents()

    def record(self, connection: psycopg.Connection[Any], tenant: int, actor: Actor, events: Sequence[Event]) -> None:
        if not events:
            return
        params = {"tenant": tenant, "agent": self._agents.key(connection, tenant, actor), "request_id": actor.request_id or None, **_what(events)}
        packed.cursor(connection).execute(RECORD_READS if _may_hurry(connection, events) else RECORD, params, prepare=True)

    def insert(self, connection: psycopg.Connection[Any], tenant: int, actor: Actor, interaction: str, type: str, *, many: bool) -> AuditInsert:
        return AuditInsert(
            (OF_MANY if many else OF_ONE)[interaction],
            {"audit_agent": self._agents.key(connection, tenant, actor), "audit_request_id": actor.request_id or None, "audit_id": _number()},
        )


def _number() -> int:
    """Tells the entries of one transaction apart. Two bits are left free, so that those that follow can be counted on from it."""
    return getrandbits(61)


def _may_hurry(connection: psycopg.Connection[Any], events: Sequence[Event]) -> bool:
    """Whether nothing but reads that were allowed commits here: what was written, and what was refused, waits for the disk."""
    alone = connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE
    return alone and all(event.outcome == 0 and event.interaction in READS for event in events)


def _what(events: Sequence[Event]) -> dict[str, Any]:
    """The events, column by column."""
    first = _number()
    return {
        "ids": packed.bigints([first + nth for nth in range(len(events))]),
        "interactions": packed.texts([event.interaction for event in events]),
        "rtypes": packed.smallints([type_number(event.type) if event.type else None for event in events]),
        "rkeys": packed.uuids([event.key for event in events]),
        "versions": packed.ints([event.version for event in events]),
        "of": packed.uuids([event.patients[0] if len(event.patients) == 1 else None for event in events]),
        "patients": packed.texts(["{" + ",".join(map(str, event.patients)) + "}" if len(event.patients) > 1 else None for event in events]),
        "outcomes": packed.smallints([event.outcome for event in events]),
        "details": packed.texts([event.detail for event in events]),
    }


AUDITOR = TableAuditor()


def note(connection: psycopg.Connection[Any], actor: Actor, interaction: str, *, detail: str | None = None, outcome: int = 0) -> None:
    """An event that is not about one resource: a sign-in, a refused door, an export. `detail` never names a patient."""
    AUDITOR.record(connection, actor.tenant, actor, [Event(interaction, None, detail=detail, outcome=outcome)])  # type: ignore[arg-type]
