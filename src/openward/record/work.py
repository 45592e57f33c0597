"""Opening the store for an actor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from openward.access.actor import Actor
from openward.access.policy import AccessPolicy
from openward.audit.auditor import AUDITOR
from openward.fhir.errors import FhirError
from openward.fhir.store import Store
from openward.fhir.work import UnitOfWork
from openward.record.connection import DjangoTransaction, connection, reading_transaction, reading_wire

POLICY = AccessPolicy()


def open_store(actor: Actor) -> Store:
    """The record as this actor may see it, on this thread's connection."""
    return Store(connection(), actor.tenant, actor, policy=POLICY, auditor=AUDITOR, transaction=DjangoTransaction())


def open_reading_store(actor: Actor) -> Store:
    """The record as this actor may see it and not change it, on a connection of its own: what a transaction under way wrote is not in it."""
    wire = reading_wire()
    return Store(wire.connection, actor.tenant, actor, policy=POLICY, auditor=AUDITOR, transaction=reading_transaction(), reads_only=True, wire=wire)


@contextmanager
def unit_of_work(*, by: Actor) -> Iterator[UnitOfWork]:
    """One transaction: what is written in it, in the record and in shadow tables, commits together or not at all.

    What was refused in it stays on the audit trail although the transaction is rolled back.
    """
    store = open_store(by)
    try:
        with transaction.atomic():
            yield UnitOfWork(store)
            store.flush()
    except FhirError:
        if store.refusals:
            open_store(by).record(store.refusals)
        raise
