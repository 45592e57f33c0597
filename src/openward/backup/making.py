"""Making a backup: a base when one is due, then the log up to now.

The log is kept for us by a replication slot of the series until it is stored; a slot nobody reads is given up by PostgreSQL at KEPT_LOG, and the next backup makes a new base.
Killed at any point, a backup leaves a base that is not complete (ignored, and removed by the next run) or segments without a mark (stored again): the
backups before it stay as they were.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import platform
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psycopg

from openward import __version__
from openward.backup.errors import AlreadyRunning, BaseFailed, LogLost, PieceBroken, PieceMissing
from openward.backup.files import DataFiles
from openward.backup.places import Place
from openward.backup.proofs import counted
from openward.backup.series import SEGMENT_BYTES, Base, Mark, Series, after, ids, installation_digest, new_series, open_series, segments
from openward.cluster import EmbeddedCluster
from openward.keys.errors import OuterKeyMissing
from openward.keys.outer import OuterKeys

CHUNK_BYTES = 8 * 2**20
SLOTS = "openward_"
KEPT_LOG = "8GB"
BASE_EVERY = dt.timedelta(days=7)
KEEP = dt.timedelta(days=35)

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Made:
    """What a backup did. `seconds` are of the clock on the wall."""

    installation: str
    series: str
    mark: Mark
    is_full: bool
    stored_segments: int
    seconds: float


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """One backup, restore or drill of a data folder at a time. Raises AlreadyRunning; one that was killed holds nothing."""
    with (data / ".backup.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning from None
        yield


class Maker:
    """Backs one running embedded cluster up into one place."""

    def __init__(self, cluster: EmbeddedCluster, place: Place, keys: OuterKeys, files: DataFiles, progress: Progress) -> None:
        self.cluster, self.place, self.keys, self.files, self.progress = cluster, place, keys, files, progress

    def run(self, *, full: bool = False, count: bool = False) -> Made:
        """`full` makes a new base, `count` has the rows of the tables that only grow counted for a drill. Raises BackupTrouble, KeyTrouble."""
        started = dt.datetime.now(dt.UTC)
        with alone(self.files.data), self._connected() as connection:
            installation = installation_digest(_identifier(connection))
            current = self._current(connection, installation)
            due = full or current is None or started - dt.datetime.fromisoformat(_base(current).ended) > BASE_EVERY
            new = self._new(connection, installation, started) if due else None
            reached = [one for one in (current, new) if one is not None]
            mark, stored = self._mark(connection, reached, counted(connection) if count else {})
            _release_log(connection, keep=_slot(reached[-1]))
            if new is not None:
                self._clear(installation, keep=new.id, now=started)
        return Made(installation, reached[-1].id, mark, due, stored, (dt.datetime.now(dt.UTC) - started).total_seconds())

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(**self.cluster.parameters(), autocommit=True) as connection:  # type: ignore[arg-type]
            yield connection

    def _current(self, connection: psycopg.Connection[Any], installation: str) -> Series | None:
        """The series to go on with: complete, under an outer key that is here, of this timeline, its log still kept."""
        for id in reversed(ids(self.place).get(installation, [])):
            try:
                series = open_series(self.place, installation, id, self.keys)
                base = series.base()
                if base is None:
                    series.remove()  # its backup was killed
                    continue
                return series if self._continues(connection, series, base) else None
            except (OuterKeyMissing, PieceBroken, PieceMissing):
                return None  # what cannot be read is not gone on with: a new base is made
        return None

    def _continues(self, connection: psycopg.Connection[Any], series: Series, base: Base) -> bool:
        """Its slot is in this very database, not in another copy of it, and still keeps the log from where the series ends."""
        kept = _kept_from(connection, series)
        wanted = _wanted(series, base)
        return kept is not None and kept[:8] == wanted[:8] and kept <= wanted

    def _new(self, connection: psycopg.Connection[Any], installation: str, now: dt.datetime) -> Series:
        series = new_series(self.place, installation, self.keys, now)
        try:
            _keep_log(connection, series)
            self._store_base(connection, series)
        except BaseException:
            series.remove()
            raise
        return series

    def _store_base(self, connection: psycopg.Connection[Any], series: Series) -> None:
        first = _kept_from(connection, series)
        total = _one(connection, "select sum(pg_database_size(oid))::bigint from pg_database")
        chunks, size = 0, 0
        try:
            with self.cluster.base_backup() as stream:
                while content := _chunk(stream):
                    chunks, size = chunks + 1, size + len(content)
                    series.put(f"base/{chunks:06d}", content)
                    self.progress(size, max(total, size), "base")
        except subprocess.CalledProcessError as error:
            raise BaseFailed(reason=str(error.output).strip().splitlines()[-1:] or error) from None
        facts = Base(
            chunks=chunks,
            size=size,
            ended=_one(connection, "select clock_timestamp()").astimezone(dt.UTC).isoformat(),
            first_segment=str(first),
            identifier=_identifier(connection),
            openward=__version__,
            postgres=str(_one(connection, "show server_version")),
            host=platform.node(),
            folder=str(self.files.data),
        )
        series.put_base(facts)

    def _mark(self, connection: psycopg.Connection[Any], reached: list[Series], counts: dict[str, int]) -> tuple[Mark, int]:
        """Bring each series up to now. What commits after `time` may be in its last segment too; a restore to `time` leaves it out."""
        time = _one(connection, "select clock_timestamp()").astimezone(dt.UTC).isoformat()
        # A commit later than `time`, so that a restore to any moment before it finds where to stop.
        connection.execute("select pg_logical_emit_message(true, 'openward', 'mark')")
        connection.execute("select pg_sleep(0.001)")
        connection.execute("select pg_logical_emit_message(true, 'openward', 'mark')")
        reached_lsn = _one(connection, "select pg_switch_wal()::text")
        last = str(_one(connection, f"select pg_walfile_name('{reached_lsn}')"))
        mark, count = Mark(0, time, last, ""), 0
        for series in reached:
            base, number = _base(series), len(series.names("marks/"))
            count = self._store_log(series, _wanted(series, base), last)
            before = series.mark(number) if number else None
            files = self.files.stored(series, before)
            mark = Mark(number + 1, time, last, series.digest_of_mark(number), counts, files)
            series.put_mark(mark)
            connection.execute("select pg_replication_slot_advance(%s, %s::pg_lsn)", [_slot(series), reached_lsn])
        return mark, count

    def _store_log(self, series: Series, first: str, last: str) -> int:
        names = list(segments(first, last))
        for number, name in enumerate(names, start=1):
            try:
                content = (self.cluster.folder / "pg_wal" / name).read_bytes()
            except FileNotFoundError:
                raise LogLost(segment=name) from None
            if len(content) != SEGMENT_BYTES:
                raise LogLost(segment=name)
            series.put(f"wal/{name}", content)
            self.progress(number, len(names), "log")
        return len(names)

    def _clear(self, installation: str, *, keep: str, now: dt.datetime) -> None:
        """Remove series that were never finished, and those whose follower is older than KEEP."""
        known = [id for id in ids(self.place).get(installation, []) if id < keep]
        for id, follower in zip(known, [*known[1:], keep], strict=False):
            unfinished = f"{installation}/{id}/base.json" not in set(self.place.names(f"{installation}/{id}/"))
            if unfinished or begun(follower) < now - KEEP:
                self.place.remove(f"{installation}/{id}/")


def _wanted(series: Series, base: Base) -> str:
    """The first segment the series does not have."""
    number = len(series.names("marks/"))
    return after(series.mark(number).last_segment) if number else base.first_segment


def _slot(series: Series) -> str:
    return SLOTS + series.id.lower().replace("-", "_")


def _kept_from(connection: psycopg.Connection[Any], series: Series) -> str | None:
    """The first segment the series' slot keeps; None without a slot, or when it was given up."""
    sql = "select wal_status, pg_walfile_name(restart_lsn) from pg_replication_slots where slot_name = %s"
    row = connection.execute(sql, [_slot(series)]).fetchone()
    return str(row[1]) if row and row[1] and row[0] not in ("lost", "unreserved") else None


def _keep_log(connection: psycopg.Connection[Any], series: Series) -> None:
    connection.execute(f"alter system set max_slot_wal_keep_size = '{KEPT_LOG}'")
    connection.execute("select pg_reload_conf()")
    connection.execute("select pg_create_physical_replication_slot(%s, true)", [_slot(series)])


def _release_log(connection: psycopg.Connection[Any], *, keep: str) -> None:
    """Drop the slots of older series, and of those whose backup was killed."""
    sql = "select pg_drop_replication_slot(slot_name) from pg_replication_slots where starts_with(slot_name, %s) and slot_name <> %s and not active"
    connection.execute(sql, [SLOTS, keep])


def _base(series: Series) -> Base:
    base = series.base()
    if base is None:
        raise BaseFailed(reason="its list of contents is missing")
    return base


def begun(id: str) -> dt.datetime:
    """When a series was begun, which its name says; UTC."""
    return dt.datetime.strptime(id.partition("-")[0], "%Y%m%dT%H%M%S%fZ").replace(tzinfo=dt.UTC)


def _identifier(connection: psycopg.Connection[Any]) -> str:
    return str(_one(connection, "select system_identifier from pg_control_system()"))


def _one(connection: psycopg.Connection[Any], sql: str) -> Any:
    row = connection.execute(sql).fetchone()
    return row[0] if row else None


def _chunk(stream: IO[bytes]) -> bytes:
    """CHUNK_BYTES of the stream, fewer at its end; a pipe gives less at a time."""
    parts, size = [], 0
    while size < CHUNK_BYTES and (part := stream.read(CHUNK_BYTES - size)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)
