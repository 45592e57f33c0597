"""The engine on this thread's connections: Django's for what is written, one of its own for what is only read.

On Django's, resources, shadow rows, audit and jobs share one transaction. On the other nothing is written but the audit of reads, which must
stand before an answer leaves and need not wait for the disk.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db import connection as django_connection
from psycopg.pq import ConnStatus, TransactionStatus

from openward.fhir.wire import Wire
from openward.fhir.work import PlainTransaction
from openward.record.jobs import Job
from openward.record.room import ensure_room

# Statements are prepared when the engine says so, never by being counted: a search is planned anew for its values.
ONLY_WHEN_TOLD = 2**31
READING = "-c synchronous_commit=off -c jit=off -c lock_timeout=15s -c timezone=UTC"
DJANGOS_OWN = frozenset({"cursor_factory", "context", "prepare_threshold", "client_encoding", "options"})

_own = threading.local()


def connection() -> psycopg.Connection[Any]:
    """The psycopg connection under Django's, opened if need be; anew when the last one broke, which Django does not see when the engine used it."""
    this = connections[DEFAULT_DB_ALIAS]  # once: Django's proxy looks for it at every attribute
    if this.connection is not None and this.connection.closed and not this.in_atomic_block:
        this.close()
    this.ensure_connection()
    wire: psycopg.Connection[Any] = this.connection
    wire.prepare_threshold = ONLY_WHEN_TOLD
    return wire


def reading_wire() -> Wire:
    """This thread's connection for reading and what it knows of its statements, opened anew when the last one broke."""
    wire: Wire | None = getattr(_own, "wire", None)
    if wire is None or wire.connection.pgconn.status == ConnStatus.BAD:
        parameters = {name: value for name, value in django_connection.get_connection_params().items() if name not in DJANGOS_OWN}
        opened = psycopg.connect(**parameters, options=READING, autocommit=True, prepare_threshold=ONLY_WHEN_TOLD)
        _own.wire = wire = Wire(opened, straight=True)
        _own.alone = PlainTransaction(opened)
    return wire


def reading_transaction() -> PlainTransaction:
    """That of this thread's connection for reading."""
    alone: PlainTransaction = _own.alone
    return alone


class _Atomic(transaction.Atomic):
    """Django's `atomic()`, which costs a tenth of a write that then commits by itself: here what opens and ends with nothing sent is quick."""

    def __init__(self) -> None:
        super().__init__(None, savepoint=True, durable=False)

    def __enter__(self) -> None:
        this: Any = connections[DEFAULT_DB_ALIAS]
        if not this.in_atomic_block:
            this.close_if_health_check_failed()
        if this.in_atomic_block or not this.autocommit or not _is_idle(this):
            super().__enter__()
            return
        this.commit_on_exit, this.needs_rollback = True, False
        this.connection.autocommit = this.autocommit = False
        this.in_atomic_block = True
        this.atomic_blocks.append(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        this: Any = connections[DEFAULT_DB_ALIAS]
        if kind or this.savepoint_ids or this.needs_rollback or this.run_on_commit or not this.commit_on_exit or not _is_idle(this):
            super().__exit__(kind, error, trace)
            return
        this.atomic_blocks.pop()
        this.in_atomic_block = False
        this.connection.autocommit = this.autocommit = True


def _is_idle(this: Any) -> bool:
    """Whether the server has no transaction under way on Django's connection."""
    return this.connection is not None and this.connection.pgconn.transaction_status == TransactionStatus.IDLE


class DjangoTransaction:
    """`atomic()` for the engine: a transaction, or a savepoint inside one. Raises Full when there is no room for what is to be written."""

    def __call__(self) -> _Atomic:
        ensure_room()
        return _Atomic()

    def later(self, job: Job, /, **arguments: Any) -> None:
        """Queue the job in this transaction."""
        job.defer(**arguments)

    def on_commit(self, then: Callable[[], None]) -> None:
        transaction.on_commit(then)
