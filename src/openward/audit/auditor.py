"""Writing the trail: one row per interaction, in the transaction of what it describes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from openward.access.actor import Actor
from openward.fhir.definitions import type_number
from openward.fhir.ids import new_id
from openward.fhir.protocols import AuditInsert, Event

WHO = ("actor", "actor_name", "actor_role", "on_behalf_of", "purpose", "request_id", "address")

RECORD = """
insert into audit.event (tenant, id, actor, actor_name, actor_role, on_behalf_of, purpose, request_id, address,
                         interaction, rtype, rkey, version, patients, outcome, detail)
values (%(tenant)s, %(id)s, %(actor)s, %(actor_name)s, %(actor_role)s, %(on_behalf_of)s, %(purpose)s, %(request_id)s, %(address)s::inet,
        %(interaction)s, %(rtype)s, %(rkey)s, %(version)s, %(patients)s::uuid[], %(outcome)s, %(detail)s)
"""

# A read and its audit are one statement: `seen` is the engine's CTE of the rows that are about to be answered.
INSERT = """
insert into audit.event (tenant, id, actor, actor_name, actor_role, on_behalf_of, purpose, request_id, address,
                         interaction, rtype, rkey, version, patients, outcome)
select %(audit_tenant)s::int, gen_random_uuid(), %(audit_actor)s::text, %(audit_actor_name)s::text, %(audit_actor_role)s::text,
       %(audit_on_behalf_of)s::text, %(audit_purpose)s::text, %(audit_request_id)s::text, %(audit_address)s::inet,
       %(audit_interaction)s::text, %(audit_rtype)s::smallint, seen.rkey, seen.ver, case when seen.patient is null then '{}' else array[seen.patient] end, 0
from seen
"""


class TableAuditor:
    """The auditor of this installation, over `audit.event`. https://hl7.org/fhir/R4/auditevent.html"""

    def record(self, connection: psycopg.Connection[Any], tenant: int, actor: Actor, events: Sequence[Event]) -> None:
        if not events:
            return
        who = _who(actor)
        rows = [who | {"tenant": tenant, "id": new_id()} | _what(event) for event in events]
        with psycopg.Cursor(connection) as cursor:
            if len(rows) == 1:
                cursor.execute(RECORD, rows[0])
            else:
                cursor.executemany(RECORD, rows)

    def insert(self, tenant: int, actor: Actor, interaction: str, type: str) -> AuditInsert:
        params = {f"audit_{name}": value for name, value in _who(actor).items()}
        return AuditInsert(INSERT, params | {"audit_tenant": tenant, "audit_interaction": interaction, "audit_rtype": type_number(type)})


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


def _what(event: Event) -> dict[str, Any]:
    return {
        "interaction": event.interaction,
        "rtype": type_number(event.type) if event.type else None,
        "rkey": event.key,
        "version": event.version,
        "patients": list(event.patients),
        "outcome": event.outcome,
        "detail": event.detail,
    }


def note(connection: psycopg.Connection[Any], actor: Actor, interaction: str, *, detail: str | None = None, outcome: int = 0) -> None:
    """An event that is not about one resource: a sign-in, a refused door, an export. `detail` never names a patient."""
    TableAuditor().record(connection, actor.tenant, actor, [Event(interaction, None, detail=detail, outcome=outcome)])  # type: ignore[arg-type]
