"""Writing the trail: one row per interaction, in the transaction of what it describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from openward.access.actor import Actor
from openward.fhir import packed
from openward.fhir.definitions import type_number
from openward.fhir.ids import new_id
from openward.fhir.protocols import AuditInsert, Event

WHO = ("actor", "actor_name", "actor_role", "on_behalf_of", "purpose", "request_id", "address")

# Any number of events is one statement; a row's patients, a list of its own length, travel as text.
RECORD = """
insert into audit.event (tenant, id, actor, actor_name, actor_role, on_behalf_of, purpose, request_id, address,
                         interaction, rtype, rkey, version, patients, outcome, detail)
select %(tenant)s::int, e.id, %(actor)s::text, %(actor_name)s::text, %(actor_role)s::text, %(on_behalf_of)s::text, %(purpose)s::text,
       %(request_id)s::text, %(address)s::inet, e.interaction, e.rtype, e.rkey, e.version, e.patients::uuid[], e.outcome, e.detail
from unnest(%(ids)s::uuid[], %(interactions)s::text[], %(rtypes)s::smallint[], %(rkeys)s::uuid[], %(versions)s::int[], %(patients)s::text[],
            %(outcomes)s::smallint[], %(details)s::text[]) e(id, interaction, rtype, rkey, version, patients, outcome, detail)
"""

# The same for reads alone, in a transaction of its own that does not wait for the disk.
RECORD_READS = f"with hurried as materialized (select set_config('synchronous_commit', 'off', true)) {RECORD} cross join hurried"
READS = frozenset({"read", "vread", "search", "history"})

# A read and its audit are one statement: `seen` is the engine's CTE of the rows that are about to be answered. Few parameters: each has its price.
INSERT = """
insert into audit.event (tenant, id, actor, actor_name, actor_role, on_behalf_of, purpose, request_id, address,
                         interaction, rtype, rkey, version, patients, outcome)
select %(audit_tenant)s::int, gen_random_uuid(), %(audit_actor)s::text, %(audit_actor_name)s::text, %(audit_actor_role)s::text,
       %(audit_on_behalf_of)s::text, %(audit_purpose)s::text, %(audit_request_id)s::text, %(audit_address)s::inet,
       'INTERACTION', seen.rtype, seen.rkey, seen.ver, case when seen.patient is null then '{}' else array[seen.patient] end, 0
from seen
"""
INSERTS: Mapping[str, str] = {interaction: INSERT.replace("INTERACTION", interaction) for interaction in ("read", "vread", "history")}


class TableAuditor:
    """The auditor of this installation, over `audit.event`. https://hl7.org/fhir/R4/auditevent.html"""

    def record(self, connection: psycopg.Connection[Any], tenant: int, actor: Actor, events: Sequence[Event]) -> None:
        if not events:
            return
        params = {**_who(actor), "tenant": tenant, **_what(events)}
        packed.cursor(connection).execute(RECORD_READS if _may_hurry(connection, events) else RECORD, params, prepare=True)

    def insert(self, tenant: int, actor: Actor, interaction: str, type: str) -> AuditInsert:
        return AuditInsert(
            INSERTS[interaction],
            {
                "audit_tenant": tenant,
                "audit_actor": actor.id,
                "audit_actor_name": actor.name,
                "audit_actor_role": actor.role,
                "audit_on_behalf_of": actor.on_behalf_of,
                "audit_purpose": actor.purpose,
                "audit_request_id": actor.request_id or None,
                "audit_address": actor.address or None,
            },
        )


def _may_hurry(connection: psycopg.Connection[Any], events: Sequence[Event]) -> bool:
    """Whether nothing but reads that were allowed commits here: what was written, and what was refused, waits for the disk."""
    alone = connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE
    return alone and all(event.outcome == 0 and event.interaction in READS for event in events)


def _who(actor: Actor) -> dict[str, Any]:
    return {
        "actor": actor.id,
        "actor_name": actor.name,
        "actor_role": actor.role,
        "on_behalf_of": actor.on_behalf_of,
        "purpose": actor.purpose,
        "request_id": actor.request_id or None,
        "address": actor.address or None,
    }


def _what(events: Sequence[Event]) -> dict[str, Any]:
    """The events, column by column."""
    return {
        "ids": packed.texts([new_id() for _ in events]),
        "interactions": packed.texts([event.interaction for event in events]),
        "rtypes": packed.smallints([type_number(event.type) if event.type else None for event in events]),
        "rkeys": packed.uuids([event.key for event in events]),
        "versions": packed.ints([event.version for event in events]),
        "patients": packed.texts(["{" + ",".join(map(str, event.patients)) + "}" for event in events]),
        "outcomes": packed.smallints([event.outcome for event in events]),
        "details": packed.texts([event.detail for event in events]),
    }


def note(connection: psycopg.Connection[Any], actor: Actor, interaction: str, *, detail: str | None = None, outcome: int = 0) -> None:
    """An event that is not about one resource: a sign-in, a refused door, an export. `detail` never names a patient."""
    TableAuditor().record(connection, actor.tenant, actor, [Event(interaction, None, detail=detail, outcome=outcome)])  # type: ignore[arg-type]
