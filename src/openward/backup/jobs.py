"""Backups by the clock. They run once a place for them is set; what goes wrong is a line and shows in health, not a failed job."""

from __future__ import annotations

import logging
from contextlib import suppress

from openward.backup.errors import AlreadyRunning, BackupTrouble
from openward.keys.errors import KeyTrouble
from openward.record.jobs import every

log = logging.getLogger("openward.backup")


@every("*/5 * * * *", "backup.make")
def make() -> None:
    """Store the database's log since the last backup, and a new base once a week. Nothing while no place for backups is set."""
    from openward.backup import here, runs  # what backups are made of is no matter of every process

    if here.is_scheduled():
        with suppress(AlreadyRunning):
            try:
                runs.backup()
            except (BackupTrouble, KeyTrouble) as trouble:
                log.error("backup failed: %s", type(trouble).__name__)


@every("20 3 * * *", "backup.drill")
def drill() -> None:
    """Restore the last backup into a scratch cluster and hold it to the record. Nothing while no place for backups is set."""
    from openward.backup import here, runs

    if here.is_scheduled():
        with suppress(AlreadyRunning):
            try:
                runs.drill()
            except (BackupTrouble, KeyTrouble) as trouble:
                log.error("restore drill failed: %s", type(trouble).__name__)
