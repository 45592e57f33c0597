"""Exports as they are kept: one row each, and one for every file. Made, looked at, cancelled and cleared away here."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg.rows import class_row, kwargs_row

from openward.fhir.bulk import limits
from openward.fhir.bulk.limits import UNFINISHED
from openward.fhir.bulk.spec import Spec

INSERT = """insert into fhir.export (tenant, id, owner, actor, spec, request, url)
  values (%(tenant)s, %(id)s, %(owner)s, %(actor)s, %(spec)s, %(request)s, %(url)s)"""
COLUMNS = "tenant, id, owner, actor::text, spec::text, request, url, state, note, asked, at, touched, expires"


@dataclass(frozen=True, slots=True)
class Export:
    """One export. `at` is the transaction time, set when the job begins; times are UTC."""

    tenant: int
    id: UUID
    owner: str
    actor: dict[str, Any]
    spec: dict[str, Any]
    request: str
    url: str
    state: str
    note: str
    asked: dt.datetime
    at: dt.datetime | None
    touched: dt.datetime
    expires: dt.datetime | None

    @property
    def wanted(self) -> Spec:
        return Spec.of(self.spec)


@dataclass(frozen=True, slots=True)
class File:
    """One file and how far it is; `began` and `position` are keys, the first exclusive.

    `bytes` and `crc`: how many the lines are, and their CRC-32. `stored`: how many bytes of the file on disk count (`openward.fhir.bulk.stored`).
    """

    number: int
    kind: str
    type: str
    rows: int
    bytes: int
    stored: int
    crc: int
    patients: int
    began: UUID
    position: UUID
    complete: bool

    @property
    def name(self) -> str:
        """By which a client asks for it."""
        return f"{self.number}.{self.type}.ndjson"

    def path(self, folder: Path) -> Path:
        return folder / f"{self.name}.packed"


def _export(actor: str, spec: str, **columns: Any) -> Export:
    """JSON is read here: what a connection makes of it differs from one to the other."""
    return Export(actor=json.loads(actor), spec=json.loads(spec), **columns)


def ask(connection: Connection[Any], tenant: int, owner: str, actor: Mapping[str, Any], spec: Spec, request: str, url: str) -> UUID:
    """A new export, waiting for its job; in the caller's transaction."""
    id = uuid4()
    given = {
        "tenant": tenant,
        "id": id,
        "owner": owner,
        "actor": json.dumps(actor),
        "spec": json.dumps(spec.as_json()),
        "request": request,
        "url": url,
    }
    connection.execute(INSERT, given)
    return id


unfinished = partial(limits.unfinished, "fhir.export")


def find(connection: Connection[Any], tenant: int, id: UUID, *, owner: str | None = None) -> Export | None:
    """The export, unless it was cancelled or has expired; of `owner` only, if one is named."""
    select = f"""select {COLUMNS} from fhir.export where tenant = %s and id = %s and (%s::text is null or owner = %s)
      and state <> 'cancelled' and (expires is null or expires > clock_timestamp())"""  # noqa: S608
    with connection.cursor(row_factory=kwargs_row(_export)) as cursor:
        return cursor.execute(select.encode(), (tenant, id, owner, owner)).fetchone()


def files_of(connection: Connection[Any], export: Export) -> list[File]:
    select = """select number, kind, type, rows, bytes, stored, crc, patients, began, position, complete from fhir.export_file
      where tenant = %s and export = %s order by number"""
    with connection.cursor(row_factory=class_row(File)) as cursor:
        return cursor.execute(select, (export.tenant, export.id)).fetchall()


def folder_of(base: Path, id: UUID) -> Path:
    return base / "exports" / str(id)


def too_soon(connection: Connection[Any], export: Export, seconds: float) -> bool:
    """Whether the client asked less than `seconds` ago. That a crash forgets when it was asked last does no harm."""
    update = """update fhir.export set polled = clock_timestamp() where tenant = %s and id = %s
      and (polled is null or polled < clock_timestamp() - make_interval(secs => %s))"""
    return connection.execute(update, (export.tenant, export.id, seconds)).rowcount == 0


def cancel(connection: Connection[Any], base: Path, export: Export) -> None:
    """The job sees it at its next chunk; what is on disk goes now."""
    connection.execute("update fhir.export set state = 'cancelled' where tenant = %s and id = %s", (export.tenant, export.id))
    shutil.rmtree(folder_of(base, export.id), ignore_errors=True)


def cancel_withdrawn(connection: Connection[Any], base: Path, is_withdrawn: Callable[[dict[str, Any], dt.datetime], bool]) -> None:
    """Cancel every export whose client's authorisation has been withdrawn since it asked."""
    select = f"select {COLUMNS} from fhir.export where state <> 'cancelled'"  # noqa: S608
    with connection.cursor(row_factory=kwargs_row(_export)) as cursor:
        for export in cursor.execute(select.encode()).fetchall():
            if is_withdrawn(export.actor, export.asked):
                cancel(connection, base, export)


def stalled(connection: Connection[Any], seconds: float) -> list[tuple[int, UUID]]:
    """(tenant, id) of what is unfinished and has not moved for so long: its job is waiting, or died."""
    select = "select tenant, id from fhir.export where state = any(%s) and touched < clock_timestamp() - make_interval(secs => %s)"
    return [(row[0], row[1]) for row in connection.execute(select, (list(UNFINISHED), seconds)).fetchall()]


def clear_away(connection: Connection[Any], base: Path) -> int:
    """Remove what has expired or was cancelled, and folders no export owns; how many exports went."""
    gone = connection.execute("delete from fhir.export where state = 'cancelled' or expires <= clock_timestamp() returning tenant, id").fetchall()
    for tenant, id in gone:
        connection.execute("delete from fhir.export_file where tenant = %s and export = %s", (tenant, id))
    home = base / "exports"
    folders = list(home.iterdir()) if home.is_dir() else []  # before the rows: a row is there before its folder
    kept = {str(row[0]) for row in connection.execute("select id from fhir.export").fetchall()}
    for folder in folders:
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)
    return len(gone)
