"""Work that runs later, from the queue in the same PostgreSQL. A job is deferred in the transaction whose consequence it is.

@job("billing.post_remittance")
def post_remittance(*, remittance: str) -> None: ...

work.later(post_remittance, remittance=…)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from procrastinate import BaseRetryStrategy, RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.tasks import Task


@dataclass(frozen=True)
class Job:
    """A named function that the worker runs; calling it runs it here and now."""

    name: str
    function: Callable[..., None]
    task: Task[..., None, ...]

    def __call__(self, **arguments: Any) -> None:
        self.function(**arguments)

    def defer(self, **arguments: Any) -> None:
        """Put it in the queue, on this thread's database connection and so in its transaction. Arguments are plain JSON, ids never names."""
        self.task.defer(**arguments)


JOBS: dict[str, Job] = {}


def job(name: str, *, queue: str = "default", retries: int = 3) -> Callable[[Callable[..., None]], Job]:
    """Register a job. It is tried again after 2, 4, 8 … seconds, `retries` times, then stays failed, which `/health` shows."""
    retry: BaseRetryStrategy = RetryStrategy(max_attempts=retries, exponential_wait=2)

    def register(function: Callable[..., None]) -> Job:
        JOBS[name] = Job(name, function, app.task(name=name, queue=queue, retry=retry)(function))
        return JOBS[name]

    return register


def every(cron: str, name: str) -> Callable[[Callable[[], None]], Job]:
    """Register a job the worker runs by the clock (cron syntax, UTC)."""

    def register(function: Callable[[], None]) -> Job:
        def tick(timestamp: int) -> None:  # noqa: ARG001 - the queue passes the planned time
            function()

        task = app.task(name=name, queue="default", queueing_lock=name)(tick)
        app.periodic(cron=cron)(task)
        JOBS[name] = Job(name, function, task)
        return JOBS[name]

    return register
