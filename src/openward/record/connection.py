"""The engine on Django's connection of this thread: one connection, one transaction for resources, shadow rows, audit and jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection as django_connection
from django.db import transaction

from openward.record.jobs import Job


def connection() -> psycopg.Connection[Any]:
    """The psycopg connection under Django's, opened if need be."""
    django_connection.ensure_connection()
    return django_connection.connection  # type: ignore[no-any-return]


class DjangoTransaction:
    """`atomic()` for the engine: a transaction, or a savepoint inside one."""

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with transaction.atomic():
            yield

    def later(self, job: Job, /, **arguments: Any) -> None:
        """Queue the job in this transaction."""
        job.defer(**arguments)

    def on_commit(self, then: Callable[[], None]) -> None:
        transaction.on_commit(then)
