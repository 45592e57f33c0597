"""Whether there is a backup, and whether it was proved."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import connection
from django.utils import timezone

from openward.backup.models import Run
from openward.record.health import health_check

LATEST = dt.timedelta(hours=48)  # 45 CFR 164.308 as proposed: backups no more than 48 hours old, and tested


def _backup_note() -> str:
    run = Run.last_good(Run.Kind.BACKUP)
    return f"Can be restored up to {run.reached:%Y-%m-%d %H:%M} UTC." if run and run.reached else ""


def _drill_note() -> str:
    run = Run.last_good(Run.Kind.DRILL)
    return f"Proved {run.started_at:%Y-%m-%d %H:%M} UTC in {run.seconds:.0f} seconds: {'; '.join(run.facts)}." if run else ""


@health_check("backup", title="Backup", note=_backup_note)
def backup() -> str | None:
    """A demo and the first two days of an installation need none; the backups of another database are that server's own."""
    if _is_excused():
        return None
    return _trouble(
        Run.Kind.BACKUP, "No backup was made yet: a lost disk loses the record. Set OPENWARD_BACKUPS, or run `openward backup`.", "The last backup"
    )


@health_check("restore-drill", title="Restore drill", note=_drill_note)
def restore_drill() -> str | None:
    if _is_excused() or not Run.last_good(Run.Kind.BACKUP):
        return None
    return _trouble(Run.Kind.DRILL, "No backup was proved yet. Set OPENWARD_BACKUPS, or run `openward drill`.", "The last restore drill")


def _trouble(kind: str, never: str, what: str) -> str | None:
    last, good = Run.last(kind), Run.last_good(kind)
    if last is not None and last.trouble:
        return f"{what} failed: {last.trouble}"
    if good is None:
        return never
    return f"{what} is of {good.started_at:%Y-%m-%d %H:%M} UTC, more than 48 hours ago." if good.age > LATEST else None


def _is_excused() -> bool:
    from openward.backup import here

    if settings.OPENWARD_DEMO or not here.is_embedded():
        return True
    if Run.objects.exists():
        return False
    with connection.cursor() as cursor:
        cursor.execute("select min(applied) from django_migrations")
        (began,) = cursor.fetchone()
    return began is None or timezone.now() - began < LATEST
