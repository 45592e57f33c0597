"""The engine on this thread's connections: Django's for what is written, one of its own for what is only read.

On Django's, resources, shadow rows, audit and jobs share one transaction. On the other nothing is written but the audit of reads, which must
stand before an answer leaves and need not wait for the disk.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection as django_connection
from django.db import transaction

from openward.fhir.wire import Wire
from openward.record.jobs import Job
from openward.record.room import ensure_room

# Statements are prepared when the engine says so, never by being counted: a search is planned anew for its values.
ONLY_WHEN_TOLD = 2**31
READING = "-c synchronous_commit=off -c jit=off -c lock_timeout=15s -c timezone=UTC"
DJANGOS_OWN = frozenset({"cursor_factory", "context", "prepare_threshold", "client_encoding", "options"})

_own = threading.local()


def connection() -> psycopg.Connection[Any]:
    """The psycopg connection under Django's, opened if need be; anew when the last one broke, which Django does not see when the engine used it."""
    if django_connection.connection is not None and django_connection.connection.closed and not django_connection.in_atomic_block:
        django_connection.close()
    django_connection.ensure_connection()
    wire: psycopg.Connection[Any] = django_connection.connection
    wire.prepare_threshold = ONLY_WHEN_TOLD
    return wire


def reading_wire() -> Wire:
    """This thread's connection for reading and what it knows of its statements, opened anew when the last one broke."""
    wire: Wire | None = getattr(_own, "wire", None)
    if wire is None or wire.connection.closed:
        parameters = {name: value for name, value in django_connection.get_connection_params().items() if name not in DJANGOS_OWN}
        opened = psycopg.connect(**parameters, options=READING, autocommit=True, prepare_threshold=ONLY_WHEN_TOLD)
        _own.wire = wire = Wire(opened, straight=True)
    return wire


class DjangoTransaction:
    """`atomic()` for the engine: a transaction, or a savepoint inside one. Raises Full when there is no room for what is to be written."""

    @contextmanager
    def __call__(self) -> Iterator[None]:
        ensure_room()
        with transaction.atomic():
            yield

    def later(self, job: Job, /, **arguments: Any) -> None:
        """Queue the job in this transaction."""
        job.defer(**arguments)

    def on_commit(self, then: Callable[[], None]) -> None:
        transaction.on_commit(then)
