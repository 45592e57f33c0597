"""Carrying an export out: type after type, chunk after chunk, so that a job that died goes on where its last whole chunk ended.

A chunk is appended to its file and forced to the disk before its row says so; whatever a file holds beyond what its row says is cut off again.
While one is packed and written, PostgreSQL puts together the next.
"""

from __future__ import annotations

import logging
import shutil
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from uuid import UUID

from psycopg import Connection

from openward.fhir.bulk import associated, stored
from openward.fhir.bulk.elements import cut
from openward.fhir.bulk.exports import Export, File, files_of, find, folder_of
from openward.fhir.bulk.house import House
from openward.fhir.bulk.source import NOWHERE, Chunk, Source, members, patient_keys
from openward.fhir.bulk.spec import Spec
from openward.fhir.definitions import type_number
from openward.fhir.errors import FhirError
from openward.fhir.ids import key
from openward.fhir.protocols import Event
from openward.fhir.sealing.bodies import in_clear
from openward.fhir.sealing.port import UNOPENED
from openward.fhir.versions import Version

log = logging.getLogger("openward.bulk")

# Every transaction begun before the export's moment must have ended: what it stamped with an earlier time is then seen, or never will be. A single write
# is stamped before its transaction begins, which is the statement: so much later must it be.
OLDER = """select count(*) + (clock_timestamp() < %(at)s::timestamptz + make_interval(secs => %(dawdle)s))::int from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
  and xact_start <= %(at)s::timestamptz + interval '1 ms' + make_interval(secs => %(dawdle)s)
  and (backend_xid is not null or clock_timestamp() < %(at)s::timestamptz + make_interval(secs => %(patience)s))"""
BEGIN = """update fhir.export set state = 'running', touched = clock_timestamp(), at = coalesce(at, date_trunc('milliseconds', clock_timestamp()))
  where tenant = %s and id = %s and state in ('waiting', 'running') returning at"""
MOVED = """with here as (update fhir.export set touched = clock_timestamp(), note = %(note)s where tenant = %(tenant)s and id = %(id)s and state = 'running'
    returning 1)
  insert into fhir.export_file (tenant, export, number, kind, type, rows, bytes, stored, crc, patients, began, position, complete)
  select %(tenant)s, %(id)s, %(number)s, %(kind)s, %(type)s, %(rows)s, %(bytes)s, %(stored)s, %(crc)s, %(patients)s, %(began)s, %(position)s, %(complete)s
  from here
  on conflict (tenant, export, number) do update set rows = excluded.rows, bytes = excluded.bytes, stored = excluded.stored, crc = excluded.crc,
    patients = excluded.patients, position = excluded.position, complete = excluded.complete"""
EMPTY = "delete from fhir.export_file where tenant = %s and export = %s and number = %s"  # all that was looked at for it does not open
FINISHED = """update fhir.export set state = 'done', note = '', touched = clock_timestamp(), expires = clock_timestamp() + make_interval(secs => %s)
  where tenant = %s and id = %s and state = 'running'"""
FAILED = """update fhir.export set state = 'failed', note = %s, expires = clock_timestamp() + make_interval(secs => %s)
  where tenant = %s and id = %s and state in ('waiting', 'running')"""

A_READER_SECONDS = 30.0  # a transaction that has written nothing for so long is taken for one that only reads
WRITERS_SECONDS = 3600.0


class Cancelled(Exception):
    """The client took the export back."""


class WritersStillBusy(FhirError):
    """Changes begun before this export have not ended for an hour. Ask again later."""

    status = 503
    code = "transient"


def run(connection: Connection[Any], tenant: int, id: UUID, house: House) -> None:
    """Carry out one export to its end, or as far as it gets. `connection` commits by itself. Another job at the same export: nothing happens."""
    with alone(connection, id) as mine:
        export = find(connection, tenant, id) if mine else None
        if export is None or export.state not in ("waiting", "running"):
            return
        try:
            Run(connection, _begun(connection, export, house.limits.dawdle_seconds), house).to_the_end()
        except Cancelled:
            shutil.rmtree(folder_of(house.folder, id), ignore_errors=True)
        except FhirError as error:
            connection.execute(FAILED, (str(error), house.limits.hours * 3600, tenant, id))
        except OSError as error:
            log.error("an export cannot be written: %s", error.strerror)
            connection.execute(FAILED, ("The server could not write the files.", house.limits.hours * 3600, tenant, id))


@contextmanager
def alone(connection: Connection[Any], id: UUID) -> Iterator[bool]:
    """Hold an export or import for this connection; a job that dies lets go with its connection."""
    number = id.int & (2**63 - 1)
    row = connection.execute("select pg_try_advisory_lock(%s)", (number,)).fetchone()
    held = bool(row and row[0])
    try:
        yield held
    finally:
        if held and not connection.closed:
            connection.execute("select pg_advisory_unlock(%s)", (number,))


def _begun(connection: Connection[Any], export: Export, dawdle: float) -> Export:
    """The export with its moment fixed, once nothing older is still being written."""
    row = connection.execute(BEGIN, (export.tenant, export.id)).fetchone()
    if row is None:
        raise Cancelled
    deadline = time.monotonic() + WRITERS_SECONDS
    while (busy := connection.execute(OLDER, {"at": row[0], "patience": A_READER_SECONDS, "dawdle": dawdle}).fetchone()) and busy[0]:
        if time.monotonic() > deadline:
            raise WritersStillBusy
        time.sleep(0.05)
    found = find(connection, export.tenant, export.id)
    if found is None:
        raise Cancelled
    return found


@dataclass
class Run:
    """One export being written."""

    connection: Connection[Any]
    export: Export
    house: House
    files: list[File] = field(default_factory=list)
    locked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.actor = self.house.actor(self.export.actor)
        self.spec: Spec = self.export.wanted
        self.folder = folder_of(self.house.folder, self.export.id)
        self.patients = self._patients()

    def to_the_end(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.files = files_of(self.connection, self.export)
        steps = self.steps()
        begun_before = bool(self.files)
        for number, (kind, type) in enumerate(steps, 1):
            self._step(kind, type, f"{number} of {len(steps)}")
        for kind, type in steps:  # what a job that died met is not known any more
            if kind == "output" and (begun_before or type in self.locked):
                self._step("error", type, "what cannot be opened")
        self._audit()
        hours = self.house.limits.hours
        if not self.connection.execute(FINISHED, (hours * 3600, self.export.tenant, self.export.id)).rowcount:
            raise Cancelled

    def steps(self) -> list[tuple[str, str]]:
        """What of, in the order of the files: the types the client may export, then what was deleted since."""
        wanted = self.spec.candidates()
        if associated.is_wanted(self.spec):  # last, when what it is about is known
            wanted = [*(type for type in wanted if type != associated.PROVENANCE), associated.PROVENANCE]
        types = [type for type in wanted if self.house.policy.where(self.actor, "export", type) is not None]
        found = [("output", type) for type in types if self._is_stored(type)]
        return found + ([("deleted", type) for _, type in found] if self.spec.since else [])

    def _step(self, kind: str, type: str, place: str) -> None:
        """All files of one type; none when there is nothing of it."""
        mine = [file for file in self.files if (file.kind, file.type) == (kind, type)]
        file = mine[-1] if mine else None
        if file is not None and file.complete and file.bytes < self.house.limits.file_bytes:
            return
        source = self._source(kind, type)
        while (file := self._file(source, file, kind, place)) is not None and file.bytes >= self.house.limits.file_bytes:
            pass

    def _file(self, source: Source, last: File | None, kind: str, place: str) -> File | None:
        """Write one file to its end: the unfinished one, or the next. None when there was nothing left for it."""
        if last is None or last.complete:
            position = last.position if last else NOWHERE
            file = File(len(self.files) + 1, kind, source.type, 0, 0, 0, 0, 0, position, position, False)
        else:
            file = last
            self.files.remove(last)
        file, met = self._filled(file, source, place)
        if not file.rows:
            file.path(self.folder).unlink()
            self.connection.execute(EMPTY, (self.export.tenant, self.export.id, file.number))
            return None
        patients = len(met) if met is not None else source.patients_between(file.began, file.position)
        file = self._moved(replace(file, patients=patients, complete=True), place)
        self.files.append(file)
        return file

    def _filled(self, file: File, source: Source, place: str) -> tuple[File, set[bytes] | None]:
        """The file with all that is left for it, or as much as a file holds; and whom it is about, where that was met on the way."""
        met: set[bytes] | None = None if file.rows else set()  # a job that died took with it whom it had met
        chunk = self._chunk(source, file.position)
        with stored.opened(file.path(self.folder), file.stored) as descriptor, ThreadPoolExecutor(1) as disk:
            while chunk.rows and file.bytes < self.house.limits.file_bytes:
                if chunk.locked:
                    self.locked.add(source.type)
                lines = chunk.text + b"\n" if chunk.text else b""
                writing = disk.submit(stored.append, descriptor, lines)
                following = self._chunk(source, chunk.last)
                file = self._moved(_longer(file, chunk, lines, writing.result()), place)
                if met is not None and chunk.patients is not None:
                    met |= chunk.patients
                else:
                    met = None
                chunk = following
        return file, met

    def _chunk(self, source: Source, after: UUID) -> Chunk:
        wanted = [*self.spec.elements.get(source.type, ()), *self.spec.elements.get("*", ())]
        if wanted and not source.deleted and not source.errors:
            return cut(source, after, wanted, self.house.limits.chunk_bytes)
        return source.chunk(after, self.house.limits.chunk_bytes)

    def _moved(self, file: File, place: str) -> File:
        """Say how far the file is. Raises Cancelled when the export is no longer wanted."""
        note = f"{file.type}: {file.rows:,} resources (type {place})"
        if not self.connection.execute(MOVED, {**asdict(file), "tenant": self.export.tenant, "id": self.export.id, "note": note}).rowcount:
            raise Cancelled
        return file

    def _source(self, kind: str, type: str) -> Source:
        where = self.house.policy.where(self.actor, "export", type)
        assert where is not None
        assert self.export.at is not None
        is_by_target = type == associated.PROVENANCE and associated.is_by_target(self.spec, kind)
        return Source(
            self.connection,
            self.export.tenant,
            type,
            where,
            lambda other: self.house.policy.where(self.actor, "search", other),
            self.export.at,
            self.spec.since,
            self.spec.until,
            compartment=self.spec.compartment and not is_by_target,
            patients=None if is_by_target else self.patients,
            queries=self.spec.filters.get(type, ()),
            deleted=kind == "deleted",
            errors=kind == "error",
            among=self._of_targets() if is_by_target else "true",
        )

    def _of_targets(self) -> str:
        """Of the Provenance only that of what is exported."""
        assert self.export.at is not None
        types = [of for kind, of in self.steps() if kind == "output"]
        associated.gather(self.connection, self.export.tenant, self.spec, types, self.patients, self.export.at)
        return associated.AMONG

    def _patients(self) -> list[UUID] | None:
        """The keys of those whose data is wanted: who was named, who belongs to the group, or both."""
        named = patient_keys(self.spec.patients) if self.spec.patients else None
        if self.spec.group is None:
            return named
        of_group = members(self._group(self.spec.group))
        return of_group if named is None else [one for one in of_group if one in set(named)]

    def _group(self, id: str) -> dict[str, Any]:
        select = "select body from fhir.body where tenant = %s and rtype = %s and rkey = %s order by ver desc limit 1"
        row = self.connection.execute(select, (self.export.tenant, type_number("Group"), key("Group", id))).fetchone()
        if row is None or row[0] is None:
            raise FhirError(f"Group/{id} does not exist any more.")
        return Version("Group", id, NOWHERE, 0, self.export.asked, "U", None, in_clear(row[0])).content

    def _is_stored(self, type: str) -> bool:
        """Whether there is any version of the type at all: most types of FHIR stand empty."""
        select = "select exists (select from fhir.body where tenant = %s and rtype = %s)"
        row = self.connection.execute(select, (self.export.tenant, type_number(type))).fetchone()
        return bool(row and row[0])

    def _audit(self) -> None:
        """One event for each file: what was made ready for the client, and of how many patients."""
        wrote = [f for f in self.files if f.rows and f.kind != "error"]
        events = [Event("export", f.type, detail=f"{f.rows} resources of {f.patients} patients written") for f in wrote]
        events += [Event("export", f.type, outcome=8, detail=f"{f.rows} resources {UNOPENED}") for f in self.files if f.kind == "error"]
        if events:
            self.house.auditor.record(self.connection, self.export.tenant, self.actor, events)


def _longer(file: File, chunk: Chunk, lines: bytes, written: int) -> File:
    return replace(
        file,
        rows=file.rows + chunk.rows - chunk.locked,
        bytes=file.bytes + len(lines),
        stored=file.stored + written,
        crc=zlib.crc32(lines, file.crc),
        position=chunk.last,
    )
