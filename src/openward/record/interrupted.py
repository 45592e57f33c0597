"""Jobs that were begun and not ended because their worker was killed, or was out of time when the server stopped.

https://procrastinate.readthedocs.io/en/stable/howto/production/retry_stalled_jobs.html
"""

from __future__ import annotations

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone
from procrastinate.jobs import Status
from procrastinate.sql import queries

from openward.record.jobs import every

SILENT_SECONDS = 120
BEGUN_AT_MOST = 5


@every("* * * * *", "record.give_back_jobs")
def give_back() -> None:
    """Queue again what a worker that is gone had begun. What was begun five times stays failed; what the clock brings anyway is not queued again."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(queries["select_stalled_jobs_by_heartbeat"], {"seconds_since_heartbeat": SILENT_SECONDS, "queue": None, "task_name": None})
        columns = [column.name for column in cursor.description]
        for job in [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]:
            if job["queueing_lock"] is not None:
                _end(cursor, job["id"], Status.ABORTED, forget=True)
            elif job["attempts"] >= BEGUN_AT_MOST:
                _end(cursor, job["id"], Status.FAILED, forget=False)
            else:
                again = {"job_id": job["id"], "retry_at": timezone.now(), "new_priority": None, "new_queue_name": None, "new_lock": None}
                cursor.execute(queries["retry_job"], again)


def _end(cursor: CursorWrapper, id: int, status: Status, *, forget: bool) -> None:
    cursor.execute(queries["finish_job"], {"job_id": id, "status": status.value, "delete_job": forget})
