"""A single update or deletion without a lock: the last version is read, and the statement that stores the next one does so only where it still is the last.

Where another writer was there meanwhile nothing is stored, and everything is done once more with the row locked: what is refused, and why, is then told
by what stands. A guard that asks the database may wait for what another holds who waits for the row, so its change is made with the lock as well.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from psycopg.pq import TransactionStatus

from openward.fhir.guards import WriteInteraction
from openward.fhir.interactions import at_once
from openward.fhir.interactions.writing import Overtaken, lock
from openward.fhir.subscriptions.feed import is_listened
from openward.fhir.versions import Version, Written

if TYPE_CHECKING:
    from openward.fhir.store import Store

W = TypeVar("W", Written, Written | None)


def act_on_last(store: Store, interaction: WriteInteraction, type: str, key: UUID, act: Callable[[Version | None], W]) -> W:
    """What `act` does with the last version of a resource, None where there is none, in an attempt of its own. It may be called again."""
    if _may_hope(store, interaction, type):
        with suppress(Overtaken):
            return _hoping(store, interaction, type, key, act)
    if store.is_idle:  # what is not there cannot be locked: of two who create it the later one finds it at the next try
        with suppress(Overtaken), store.attempt(interaction, type, key):
            store.pending.is_repeated = True
            return _with_lock(store, type, key, act)
    with store.attempt(interaction, type, key):
        return _with_lock(store, type, key, act)


def _with_lock(store: Store, type: str, key: UUID, act: Callable[[Version | None], W]) -> W:
    return act(lock(store, [(type, key)]).get((type, key)))


def _may_hope(store: Store, interaction: WriteInteraction, type: str) -> bool:
    """Whether nothing is under way, and neither a guard nor a subscription is likely to ask the database. An update may turn out to be a create."""
    if not store.is_idle or type == "Patient":  # whose index of people is not told in one statement
        return False
    kinds = ("create", "update") if interaction == "update" else (interaction,)
    return all(guard.is_quiet for kind in kinds for guard in store.guards.of(type, kind)) and not is_listened(store, type)


def _hoping(store: Store, interaction: WriteInteraction, type: str, key: UUID, act: Callable[[Version | None], W]) -> W:
    pgconn = store.connection.pgconn
    with store.attempt(interaction, type, key):
        if pgconn.transaction_status != TransactionStatus.IDLE:  # a transaction that begins at once gains nothing
            return _with_lock(store, type, key, act)
        store.pending.is_hoping = store.pending.is_repeated = True
        written = act(at_once.last(store.connection, store.tenant, type, key))
        if pgconn.transaction_status != TransactionStatus.IDLE:
            raise Overtaken
        return written
