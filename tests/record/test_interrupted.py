"""Jobs whose worker is gone are given back; those of one that lives are left to it."""

from __future__ import annotations

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from openward.record.interrupted import BEGUN_AT_MOST, SILENT_SECONDS, give_back

pytestmark = pytest.mark.django_db


def begun(*, silent: float | None, attempts: int = 0, by_the_clock: bool = False) -> int:
    """A job in the hands of a worker not heard of for so many seconds, or (None) of one that was struck off the list."""
    with connection.cursor() as cursor:
        worker = None
        if silent is not None:
            cursor.execute("insert into procrastinate_workers (last_heartbeat) values (now() - make_interval(secs => %s)) returning id", [silent])
            worker = cursor.fetchone()[0]
        cursor.execute(
            "insert into procrastinate_jobs (queue_name, task_name, status, attempts, worker_id, queueing_lock)"
            " values ('default', 'outbox.deliver', 'doing', %s, %s, %s) returning id",
            [attempts, worker, "clock" if by_the_clock else None],
        )
        return int(cursor.fetchone()[0])


def state(id: int) -> tuple[str, int] | None:
    return ProcrastinateJob.objects.filter(pk=id).values_list("status", "attempts").first()


@pytest.mark.parametrize("silent", [None, SILENT_SECONDS + 60])
def test_of_a_worker_that_is_gone_is_queued_again(silent: float | None) -> None:
    job = begun(silent=silent)
    give_back()
    assert state(job) == ("todo", 1)


def test_of_a_worker_that_lives_is_left_to_it() -> None:
    job = begun(silent=SILENT_SECONDS - 60)
    give_back()
    assert state(job) == ("doing", 0)


def test_that_was_begun_too_often_stays_failed() -> None:
    job = begun(silent=None, attempts=BEGUN_AT_MOST)
    give_back()
    assert state(job) == ("failed", BEGUN_AT_MOST + 1)


def test_that_the_clock_brings_again_is_not_queued_twice() -> None:
    job = begun(silent=None, by_the_clock=True)
    give_back()
    assert state(job) is None
