"""One unit of work: what commits together, seen from a guard or an action."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

    from openward.fhir.store import Store


@dataclass(slots=True)
class UnitOfWork:
    """The store, its connection, and what must follow the commit."""

    store: Store

    @property
    def actor(self) -> Any:
        return self.store.actor

    @property
    def tenant(self) -> int:
        return self.store.tenant

    @property
    def connection(self) -> Connection[Any]:
        """The psycopg connection, inside the transaction; resources written so far are visible on it."""
        self.store.flush()
        return self.store.connection

    def later(self, job: Any, /, **arguments: Any) -> None:
        """Defer a job: it is queued in this transaction and runs only if that commits."""
        self.store.transaction.later(job, **arguments)

    def notify(self, topic: str, **payload: Any) -> None:
        """Tell every listener of `topic`; arrives on commit. At most 8000 bytes, ids only: no patient data."""
        self.store.connection.execute("select pg_notify(%s, %s)", (topic, json.dumps(payload, default=str)))

    def on_commit(self, then: Callable[[], None]) -> None:
        self.store.transaction.on_commit(then)


class PlainTransaction:
    """The transaction of a bare psycopg connection: no job queue. For tools and tests that run without Django."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self._depth = 0
        self._after: list[Callable[[], None]] = []

    @contextmanager
    def __call__(self) -> Iterator[None]:
        self._depth += 1
        mark = len(self._after)
        try:
            with self._connection.transaction():
                yield
        except BaseException:
            del self._after[mark:]
            raise
        finally:
            self._depth -= 1
        if not self._depth:
            self._run_after()

    def later(self, job: Any, /, **arguments: Any) -> None:
        """Run the job right after the commit, since there is no queue to put it in."""
        self.on_commit(lambda: job(**arguments))

    def on_commit(self, then: Callable[[], None]) -> None:
        if not self._depth:
            then()
            return
        self._after.append(then)

    def _run_after(self) -> None:
        after, self._after = self._after, []
        for then in after:
            then()
