"""The checks of the ground itself: database, job queue, disk, live updates."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

from django.conf import settings
from django.db import connection
from django.utils import timezone

from openward.outbox.models import Message
from openward.record.health import health_check
from openward.record.room import free_bytes
from openward.server.supervisor import STATE

LEAST_FREE_BYTES = 500 * 2**20
WORKER_SILENT_SECONDS = 120
FALLS_TOLD = 3


@health_check("database", title="Database", vital=True)
def database() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    return None


@health_check("durability", title="Durable commits")
def durability() -> str | None:
    """RELIABILITY: a commit that was answered must survive the power cut."""
    with connection.cursor() as cursor:
        cursor.execute("select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit')")
        unsafe = sorted(name for name, setting in cursor.fetchall() if setting == "off")
    return f"PostgreSQL runs with {', '.join(unsafe)} off: a power cut can lose what was saved." if unsafe else None


@health_check("jobs", title="Background work")
def jobs() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) filter (where status = 'failed') from procrastinate_jobs")
        failed = cursor.fetchone()[0]
        cursor.execute("select max(last_heartbeat) from procrastinate_workers")
        heard = cursor.fetchone()[0]
    if failed:
        return f"Jobs that failed and wait for someone to look: {failed}."
    if heard is None or (timezone.now() - heard).total_seconds() > WORKER_SILENT_SECONDS:
        return "No worker is running: messages and remittances wait."
    return None


@health_check("processes", title="Processes of the server")
def processes() -> str | None:
    """Which child of `openward serve` ended by itself again and again, as its parent wrote it down; once may happen."""
    try:
        fallen = json.loads((settings.OPENWARD_DATA / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    words = ", ".join(f"{name} ({times} times)" for name, times in sorted(fallen.items()) if times >= FALLS_TOLD)
    return f"Ended by themselves and started again: {words}. The log says why." if words else None


@health_check("outbox", title="Messages")
def outbox() -> str | None:
    failed = Message.objects.filter(state=Message.State.FAILED).count()
    return f"{failed} messages could not be delivered." if failed else None


@health_check("disk", title="Disk")
def disk() -> str | None:
    free = free_bytes()
    if free < settings.OPENWARD_RESERVE_BYTES:
        return f"Only {free // 2**20} MB are free in the data folder: nothing is stored until there is room."
    return f"Only {free // 2**20} MB are free in the data folder." if free < LEAST_FREE_BYTES else None


@health_check("live", title="Live updates")
def live() -> str | None:
    """Boards fall back to reloading by hand when this process is down."""
    if not settings.OPENWARD_LIVE_URL:
        return None
    try:
        with urllib.request.urlopen(settings.OPENWARD_LIVE_URL.rstrip("/") + "/health", timeout=2):  # noqa: S310 - an address of our own settings
            return None
    except (urllib.error.URLError, OSError, ValueError):
        return "Live updates do not answer: boards must be reloaded by hand."
