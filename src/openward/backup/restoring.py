"""Restoring: which backup gives a moment, and making a cluster of it in an empty folder.

Everything is read and checked before anything is put in its final place: the copy is made and recovered in `.restoring`, then renamed.
A restore that was killed leaves only that folder, which the next try throws away.
"""

from __future__ import annotations

import datetime as dt
import io
import os
import shutil
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from openward.backup.errors import (
    BackupTrouble,
    Foreign,
    NoRoom,
    NotEmpty,
    NothingThere,
    PieceBroken,
    PieceMissing,
    RestoreFailed,
    TooEarly,
    TooLate,
    TooOld,
    WhichInstallation,
)
from openward.backup.files import files_at, write_back
from openward.backup.manifest import hold_to_manifest
from openward.backup.places import Place
from openward.backup.series import Base, Mark, Series, ids, installation_digest, open_series, segments
from openward.cluster import EmbeddedCluster
from openward.keys.outer import OuterKeys
from openward.troubles import CannotStart

STALE = dt.timedelta(hours=48)
SCRATCH = ".restoring"
LOG_FOLDER = "openward-restore"
REPLAY_SECONDS = 72 * 3600  # as long as the law gives for a restore; a server that died is noticed at once

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Plan:
    """Which pieces give the moment. `at` None: the newest state, up to the last mark."""

    series: Series
    base: Base
    earlier: Mark | None
    mark: Mark
    at: dt.datetime | None

    @property
    def moment(self) -> dt.datetime:
        return self.at or self.mark.moment


def plan(place: Place, keys: OuterKeys, *, at: dt.datetime | None = None, installation: str = "", now: dt.datetime, any_age: bool = False) -> Plan:
    """Choose the series and the mark. `now` tells whether the newest state is old. Raises BackupTrouble, OuterKeyMissing."""
    complete = list(_complete(place, keys, _which(place, installation)))
    if not complete:
        raise NothingThere(place=place)
    fitting = [one for one in complete if at is None or dt.datetime.fromisoformat(one[1].ended) <= at]
    if at is not None and not fitting:
        raise TooEarly(first=complete[-1][1].ended, at=_iso(at))
    series, base, marks = fitting[0]
    last = marks[-1].moment
    if at is None and not any_age and now - last > STALE:
        raise TooOld(hours=int((now - last).total_seconds() // 3600), last=_iso(last))
    if at is not None and at > last:
        raise TooLate(last=_iso(last), at=_iso(at))
    number = len(marks) - 1 if at is None else next(number for number, mark in enumerate(marks) if mark.moment >= at)
    return Plan(series, base, marks[number - 1] if number else None, marks[number], at)


def _which(place: Place, installation: str) -> str:
    found = sorted(ids(place))
    if installation:
        found = [name for name in found if name == installation]
    if not found:
        raise NothingThere(place=place)
    if len(found) > 1:
        raise WhichInstallation(place=place, found=", ".join(found))
    return found[0]


def _complete(place: Place, keys: OuterKeys, installation: str) -> Iterator[tuple[Series, Base, list[Mark]]]:
    """Series that can be restored, newest first."""
    for id in reversed(ids(place)[installation]):
        series = open_series(place, installation, id, keys)
        base = series.base()
        marks = series.marks() if base else []
        if base and marks:
            yield series, base, marks


def require_empty(data: Path, apart: tuple[Path, ...]) -> None:
    """Raises NotEmpty. The outer key and the backups may be there already, and what an unfinished restore left."""
    if not data.exists():
        return
    found = sorted(entry.name for entry in data.iterdir() if entry not in apart and entry.name not in (SCRATCH, ".backup.lock", ".postgres.lock"))
    if found:
        raise NotEmpty(folder=data, found=", ".join(found[:5]))


class Restorer:
    """Makes a plan come true in `data`, a folder of its own."""

    def __init__(self, plan: Plan, data: Path, progress: Progress, *, scratch: str = SCRATCH, settings: str = "") -> None:
        """`settings` are lines for PostgreSQL while it runs in the scratch folder."""
        self.plan, self.data, self.progress, self.settings = plan, data, progress, settings
        self.scratch = data / scratch
        self.cluster = EmbeddedCluster(self.scratch)

    def restore(self) -> int:
        """Database and files into the data folder, which is known to be empty; how many files. The server is stopped at the end. Raises BackupTrouble."""
        self.clear()
        try:
            self.recover()
        except RestoreFailed:
            raise  # its log, which the sentence names, is in the scratch folder
        except BackupTrouble:
            self.clear()  # what was taken out of the backup so far stands there in clear
            raise
        try:
            with self.connected() as connection:
                end_sessions(connection)
        finally:
            self.cluster.stop()
        count = write_back(self.plan.series, self._files(), self.scratch / "files")
        self._take_places()
        return count

    def recover(self) -> None:
        """The database as of the moment, running in the scratch folder. Raises BackupTrouble; then nothing runs."""
        self.cluster.folder.mkdir(mode=0o700, parents=True)
        self._require_room()
        try:
            self._extract()
            self._verify()
            self._store_log()
            self._replay()
        except BaseException:
            self.cluster.stop()
            raise

    def clear(self) -> None:
        """Throw away what an unfinished restore left."""
        if self.cluster.folder.exists():
            self.cluster.stop()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _require_room(self) -> None:
        names = self.plan.series.names("wal/")
        needed = self.plan.base.size + 16 * 2**20 * len(names) + 64 * 2**20
        free = shutil.disk_usage(self.scratch).free
        if free < needed:
            raise NoRoom(needed=needed // 2**20, free=free // 2**20, folder=self.data)

    def _extract(self) -> None:
        stream = _Chunks(self.plan.series, self.plan.base, self.progress)
        try:
            with tarfile.open(fileobj=stream, mode="r|") as tar:
                tar.extractall(self.cluster.folder, filter="data")
        except tarfile.TarError as error:
            raise PieceBroken(name=f"base ({error})") from None
        stream.require_whole()

    def _verify(self) -> None:
        hold_to_manifest(self.cluster.folder)
        self.cluster.folder.chmod(0o700)
        for path in (self.cluster.log, *self.cluster.folder.glob(".s.PGSQL.*")):  # the source's log, and the lock of its socket
            path.unlink(missing_ok=True)

    def _store_log(self) -> None:
        folder = self.cluster.folder / LOG_FOLDER
        folder.mkdir(mode=0o700)
        names = list(segments(self.plan.base.first_segment, self.plan.mark.last_segment))
        for number, name in enumerate(names, start=1):
            (folder / name).write_bytes(self.plan.series.get(f"wal/{name}"))
            self.progress(number, len(names), "log")

    def _replay(self) -> None:
        configuration = self.cluster.folder / "postgresql.auto.conf"
        before = configuration.read_text(encoding="utf-8") if configuration.exists() else ""
        target = f"recovery_target_time = '{self.plan.at.astimezone(dt.UTC).isoformat()}'\n" if self.plan.at else ""
        settings = f"restore_command = 'cp {LOG_FOLDER}/%f %p'\n{target}recovery_target_timeline = 'current'\nrecovery_target_action = 'promote'\n"
        configuration.write_text(before + self.settings + settings, encoding="utf-8")
        (self.cluster.folder / "recovery.signal").touch()
        self.cluster.own_everything()
        try:
            self.cluster.start()
            self._wait_for_the_end()
        except (CannotStart, psycopg.Error) as error:
            raise RestoreFailed(reason=self.cluster.last_words() or error, log=self.cluster.log) from None
        configuration.write_text(before, encoding="utf-8")
        shutil.rmtree(self.cluster.folder / LOG_FOLDER)
        self._require_ours()

    def _wait_for_the_end(self) -> None:
        deadline = time.monotonic() + REPLAY_SECONDS
        while time.monotonic() < deadline and self.cluster.is_running():
            with self.connected() as connection:
                row = connection.execute("select pg_is_in_recovery()").fetchone()
                if row and not row[0]:
                    return
            self.progress(0, 1, "replay")
            time.sleep(0.2)
        raise RestoreFailed(reason=self.cluster.last_words() or "it did not finish replaying its log", log=self.cluster.log)

    def _require_ours(self) -> None:
        with self.connected() as connection:
            row = connection.execute("select system_identifier from pg_control_system()").fetchone()
        found = installation_digest(str(row[0]) if row else "")
        if found != self.plan.series.installation:
            raise Foreign(found=found, expected=self.plan.series.installation)

    def connected(self) -> psycopg.Connection[Any]:
        return psycopg.connect(**self.cluster.parameters(), autocommit=True)  # type: ignore[arg-type]

    def _files(self) -> list[Any]:
        (self.scratch / "files").mkdir(exist_ok=True)
        if self.plan.at is None:
            return self.plan.mark.files
        return files_at(int(self.plan.at.timestamp() * 1e9), self.plan.earlier, self.plan.mark)

    def _take_places(self) -> None:
        """Files first, the database last: a folder that has a database has everything."""
        for path in sorted((self.scratch / "files").iterdir()):
            target = self.data / path.name
            if not target.exists():
                path.rename(target)
        self.cluster.flush_files()
        self.cluster.folder.rename(self.data / "postgres")
        os.sync()
        shutil.rmtree(self.scratch)


def end_sessions(connection: psycopg.Connection[Any]) -> None:
    """Sessions that were ended after the moment must not live again."""
    for table in ("django_session", "accounts_session"):
        row = connection.execute("select to_regclass(%s) is not null", [table]).fetchone()
        if row and row[0]:
            connection.execute(f"delete from {table}")  # noqa: S608 - names of our own


class _Chunks(io.RawIOBase):
    """The base backup's tar as a stream, a chunk at a time."""

    def __init__(self, series: Series, base: Base, progress: Progress) -> None:
        self.series, self.base, self.progress = series, base, progress
        self.number, self.done, self.rest = 0, 0, memoryview(b"")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self.rest and self.number < self.base.chunks:
            self._next()
        taken = self.rest[: size if size >= 0 else None]
        self.rest = self.rest[len(taken) :]
        return bytes(taken)

    def require_whole(self) -> None:
        """The chunks after the tar's end are its padding; they must be there and sound all the same."""
        while self.number < self.base.chunks:
            self._next()
        if self.done != self.base.size:
            raise PieceMissing(name="part of the base backup")

    def _next(self) -> None:
        self.number += 1
        content = self.series.get(f"base/{self.number:06d}")
        self.done += len(content)
        self.rest = memoryview(content)
        self.progress(self.done, self.base.size, "base")


def _iso(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat()
