"""This installation's backups: the place, the keys and the files that its settings name."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connection

from openward.backup.errors import OtherDatabase
from openward.backup.files import DataFiles
from openward.backup.making import Made, Maker, Progress, alone, begun
from openward.backup.places import Place, open_place
from openward.backup.proofs import prove
from openward.backup.restoring import Restorer, plan
from openward.backup.series import ids, installation_digest
from openward.cluster import EmbeddedCluster
from openward.database import URL_VARIABLE, from_url
from openward.keys.outer import OuterKeys
from openward.keys.ring import installed

DRILL = ".drill"
# Small: the drill runs beside the record. More memory would make it faster, and the record slower.
DRILL_SETTINGS = "shared_buffers = '32MB'\nautovacuum = off\nmax_wal_senders = 10\n"


def silent(done: int, total: int, note: str) -> None:  # noqa: ARG001
    """No terminal to show progress on."""


def is_scheduled() -> bool:
    """Whether backups are made by the clock: when a place for them was set, and the database is the embedded one."""
    return bool(settings.OPENWARD_BACKUPS or settings.OPENWARD_BACKUP_STORE) and is_embedded()


def is_embedded() -> bool:
    return not os.environ.get(URL_VARIABLE)


def folder() -> Path:
    return Path(settings.OPENWARD_BACKUPS).expanduser().resolve() if settings.OPENWARD_BACKUPS else settings.OPENWARD_DATA / "backups"


def place() -> Place:
    return open_place(store=settings.OPENWARD_BACKUP_STORE, folder=folder())


def keys() -> OuterKeys:
    """Raises KeyFileUnusable."""
    return installed()


def make(*, full: bool = False, count: bool = False, progress: Progress = silent) -> Made:
    """Back this installation up, now. Raises BackupTrouble, KeyTrouble."""
    require_embedded()
    files = DataFiles(settings.OPENWARD_DATA, (*settings.OPENWARD_KEK_FILES, folder()))
    return Maker(EmbeddedCluster(settings.OPENWARD_DATA), place(), keys(), files, progress).run(full=full, count=count)


def begun_before(moment: dt.datetime) -> list[str]:
    """The series of this installation whose base was begun before a moment, the oldest first, as they are named in the place of backups."""
    with connection.cursor() as cursor:
        cursor.execute("select system_identifier::text from pg_control_system()")
        installation = installation_digest(cursor.fetchone()[0])
    return [f"{installation}/{id}" for id in ids(place()).get(installation, ()) if begun(id) < moment]


def drill(*, progress: Progress = silent) -> list[str]:
    """Make a backup, restore it into a scratch cluster, and hold that to the record; what was proved, a sentence each. Raises BackupTrouble, KeyTrouble."""
    made = make(count=True, progress=progress)
    data = settings.OPENWARD_DATA
    with alone(data):
        chosen = plan(place(), keys(), installation=made.installation, now=dt.datetime.now(dt.UTC))
        scratch = Restorer(chosen, data, progress, scratch=DRILL, settings=DRILL_SETTINGS)
        scratch.clear()
        try:
            scratch.recover()
            with scratch.connected() as restored, psycopg.connect(**EmbeddedCluster(data).parameters(), autocommit=True) as record:  # type: ignore[arg-type]
                return prove(restored, record, chosen.mark.counts)
        finally:
            scratch.clear()


def require_embedded() -> None:
    """Raises OtherDatabase."""
    if not is_embedded():
        raise OtherDatabase(where=from_url(os.environ[URL_VARIABLE]).where)
