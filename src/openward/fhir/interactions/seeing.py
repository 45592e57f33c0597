"""The SQL by which every interaction looks at the record: policy, body and audit in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.pq import TransactionStatus

from openward.fhir.definitions import is_resource_type, type_number
from openward.fhir.errors import Forbidden, Gone, NotFound, UnknownType
from openward.fhir.ids import key as key_of
from openward.fhir.protocols import Event, Interaction, Where
from openward.fhir.sealing.port import UNOPENED
from openward.fhir.search.rows import COLUMNS
from openward.fhir.versions import Version

if TYPE_CHECKING:
    from openward.fhir.store import Store

# The current row, or for a deleted resource a row like it made from its last version, so that one policy condition decides for both.
STANDING = """(
  select tenant, rtype, rkey, ver, last_updated, patient, date_lo, date_hi, code, tok
  from fhir.current where tenant = %(tenant)s and rtype = %(rtype)s and rkey = %(rkey)s
  union all
  (select tenant, rtype, rkey, ver, ts, patient, null, null, null, '{}' from fhir.body
   where tenant = %(tenant)s and rtype = %(rtype)s and rkey = %(rkey)s
   and not exists (select from fhir.current where tenant = %(tenant)s and rtype = %(rtype)s and rkey = %(rkey)s)
   order by ver desc limit 1)
) c"""

# A read's audit row is written before the answer leaves but need not wait for the disk; only when nothing else is in the transaction.
HURRIED = ", hurried as materialized (select set_config('synchronous_commit', 'off', true))"


def known_type(type: str) -> int:
    if not is_resource_type(type):
        raise UnknownType(type=type)
    return type_number(type)


def address(store: Store, type: str, id: str) -> dict[str, Any]:
    return {"tenant": store.tenant, "rtype": known_type(type), "rkey": key_of(type, id)}


def watched(
    store: Store, select: str, params: Mapping[str, Any], *, where: Where, interaction: Interaction, type: str, many: bool = False
) -> list[Version]:
    """Run a SELECT of `COLUMNS` and write one audit event for each row, in one statement.

    `select` must hold the policy's condition itself; its parameters come from `where`. `many`: whether it may find more than one row; then one that
    does not open comes in part, else Locked is raised.
    """
    if not store.reads_only:
        store.flush()
    audit = store.auditor.insert(store.connection, store.tenant, store.actor, interaction, type, many=many)
    hurry = not store.reads_only and store.connection.info.transaction_status == TransactionStatus.IDLE
    extra = audit.params if audit else {}
    sql = _audited(select, audit.sql, hurry) if audit else select
    versions = store.wire.versions(sql, {**params, **where.params, **extra})
    locked = [version for version in versions if version.locked]
    if locked and many:
        record_locked(store, interaction, locked)
    elif locked:
        store.refuse(unopened(interaction, type, locked[0].key, locked[0].number, locked[0].patient))
        _ = locked[0].whole
    if audit is None and versions:
        store.record_reading([Event(interaction, type, v.key, v.number, (v.patient,) if v.patient else ()) for v in versions])
    return versions


def record_locked(store: Store, interaction: Interaction, versions: Sequence[Version]) -> None:
    """Those of a page of which something did not open, one event each."""
    if events := [unopened(interaction, v.type, v.key, v.number, v.patient) for v in versions if v.locked]:
        store.record_reading(events)


def unopened(interaction: Interaction, type: str, key: UUID, number: int, patient: UUID | None) -> Event:
    return Event(interaction, type, key, number, (patient,) if patient else (), outcome=8, detail=UNOPENED)


@lru_cache(maxsize=1000)
def _audited(select: str, audit: str, hurry: bool) -> str:
    hurried, using = (HURRIED, ", hurried") if hurry else ("", "")
    return f"with seen as materialized ({select}), audited as ({audit}){hurried} select seen.* from seen{using}"  # noqa: S608


def visible(store: Store, interaction: Interaction, type: str, id: str | None = None) -> Where:
    """The policy's condition, or the refusal: what may not be seen does not exist. Of a whole type nothing is revealed by saying so."""
    where = store.policy.where(store.actor, interaction, type)
    if where is None:
        store.refuse(Event(interaction, type, key_of(type, id) if id else None, outcome=4))
        asked = "read the history of" if interaction == "history" else interaction
        raise NotFound(type=type, id=id) if id else Forbidden(f"You may not {asked} {type}.")
    return where


def may_see(store: Store, interaction: Interaction, type: str, id: str) -> bool:
    """Whether the actor may know of it, as it stands or stood before it was deleted. What is not there is asked for in the same words."""
    where = store.policy.where(store.actor, interaction, type)
    if where is None or where.everything:
        return where is not None
    select = f"select 1 from {STANDING} where ({where.sql})"  # noqa: S608
    return store.execute(select, {**address(store, type, id), **where.params}).fetchone() is not None


def refuse_missing(store: Store, interaction: Interaction, type: str, id: str, where: Where, asked: str | None = None) -> Exception:
    """Gone for a resource the actor could see before its deletion, else NotFound; leaves the audit event. `asked`: what is not found, if not all of it."""
    params = address(store, type, id)
    select = f"select {COLUMNS} from {STANDING} join fhir.body b using (tenant, rtype, rkey, ver) where b.op = 'D' and ({where.sql})"  # noqa: S608
    gone = store.execute(select, {**params, **where.params}).fetchone()
    store.refuse(Event(interaction, type, params["rkey"], outcome=4))
    return Gone(type=type, id=id) if gone else NotFound(type=type, id=asked or id)
