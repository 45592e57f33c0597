"""Backups and drills that leave a line behind, however they end."""

from __future__ import annotations

import datetime as dt
import time

import psycopg
from django.utils import timezone

from openward.backup import here
from openward.backup.errors import AlreadyRunning, BackupTrouble
from openward.backup.making import Made, Progress
from openward.backup.models import Run
from openward.keys.errors import KeyTrouble

KEEP_LINES = dt.timedelta(days=90)


def backup(*, full: bool = False, progress: Progress = here.silent) -> Made:
    """Raises BackupTrouble, KeyTrouble; the line says why."""
    started, clock = timezone.now(), time.monotonic()
    try:
        made = here.make(full=full, progress=progress)
    except AlreadyRunning:
        raise
    except (BackupTrouble, KeyTrouble) as trouble:
        Run.objects.create(kind=Run.Kind.BACKUP, started_at=started, seconds=time.monotonic() - clock, trouble=str(trouble))
        raise
    facts = [f"{'base and ' if made.is_full else ''}{made.stored_segments} log segments"]
    Run.objects.create(kind=Run.Kind.BACKUP, started_at=started, seconds=made.seconds, reached=made.mark.moment, facts=facts)
    Run.objects.filter(started_at__lt=started - KEEP_LINES).delete()
    return made


def drill(*, progress: Progress = here.silent) -> Run:
    """Raises BackupTrouble, KeyTrouble; the line says why."""
    started, clock = timezone.now(), time.monotonic()
    try:
        facts = here.drill(progress=progress)
    except AlreadyRunning:
        raise
    except (BackupTrouble, KeyTrouble, psycopg.Error) as trouble:
        words = str(trouble) if not isinstance(trouble, psycopg.Error) else f"The restored copy could not be read ({type(trouble).__name__})."
        Run.objects.create(kind=Run.Kind.DRILL, started_at=started, seconds=time.monotonic() - clock, trouble=words)
        if isinstance(trouble, psycopg.Error):
            raise BackupTrouble from trouble
        raise
    return Run.objects.create(kind=Run.Kind.DRILL, started_at=started, seconds=time.monotonic() - clock, reached=started, facts=facts)
