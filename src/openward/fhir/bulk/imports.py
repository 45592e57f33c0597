"""Imports as they are kept: one row each, with what became of every input."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg.rows import kwargs_row

from openward.fhir.bulk import limits
from openward.fhir.bulk.limits import UNFINISHED
from openward.fhir.bulk.manifest import Input

COLUMNS = "tenant, id, owner, actor::text, inputs::text, results::text, request, url, state, note, asked, touched, expires"


@dataclass(frozen=True, slots=True)
class Import:
    """One import; times are UTC. `results` has an entry for each input that is done, in their order."""

    tenant: int
    id: UUID
    owner: str
    actor: dict[str, Any]
    inputs: list[dict[str, Any]]
    results: list[dict[str, Any]]
    request: str
    url: str
    state: str
    note: str
    asked: dt.datetime
    touched: dt.datetime
    expires: dt.datetime | None

    @property
    def wanted(self) -> list[Input]:
        return [Input(**given) for given in self.inputs]


def _import(actor: str, inputs: str, results: str, **columns: Any) -> Import:
    """JSON is read here: what a connection makes of it differs from one to the other."""
    return Import(actor=json.loads(actor), inputs=json.loads(inputs), results=json.loads(results), **columns)


def ask(connection: Connection[Any], tenant: int, owner: str, actor: Mapping[str, Any], inputs: Sequence[Input], request: str, url: str) -> UUID:
    """A new import, waiting for its job; in the caller's transaction."""
    id = uuid4()
    connection.execute(
        "insert into fhir.bulk_import (tenant, id, owner, actor, inputs, request, url) values (%s, %s, %s, %s, %s, %s, %s)",
        (tenant, id, owner, json.dumps(actor), json.dumps([one.as_json() for one in inputs]), request, url),
    )
    return id


unfinished = partial(limits.unfinished, "fhir.bulk_import")


def find(connection: Connection[Any], tenant: int, id: UUID, *, owner: str | None = None) -> Import | None:
    """The import, unless it was cancelled or has expired; of `owner` only, if one is named."""
    select = f"""select {COLUMNS} from fhir.bulk_import where tenant = %s and id = %s and (%s::text is null or owner = %s)
      and state <> 'cancelled' and (expires is null or expires > clock_timestamp())"""  # noqa: S608
    with connection.cursor(row_factory=kwargs_row(_import)) as cursor:
        return cursor.execute(select.encode(), (tenant, id, owner, owner)).fetchone()


def move(connection: Connection[Any], one: Import, **values: Any) -> bool:
    """Set columns, whose names are this package's own, and say that it moves; False when the client took it back."""
    sets = ", ".join(f"{name} = %({name})s" for name in values)
    statement = f"""update fhir.bulk_import set touched = clock_timestamp(), {sets}
      where tenant = %(its_tenant)s and id = %(its_id)s and state in ('waiting', 'running')"""  # noqa: S608
    return connection.execute(statement.encode(), {**values, "its_tenant": one.tenant, "its_id": one.id}).rowcount > 0


def folder_of(base: Path, id: UUID) -> Path:
    return base / "imports" / str(id)


def cancel(connection: Connection[Any], base: Path, one: Import) -> None:
    """What went in stays in; the job sees it at its next step."""
    connection.execute("update fhir.bulk_import set state = 'cancelled' where tenant = %s and id = %s", (one.tenant, one.id))
    shutil.rmtree(folder_of(base, one.id), ignore_errors=True)


def stalled(connection: Connection[Any], seconds: float) -> list[tuple[int, UUID]]:
    """(tenant, id) of what is unfinished and has not moved for so long."""
    select = "select tenant, id from fhir.bulk_import where state = any(%s) and touched < clock_timestamp() - make_interval(secs => %s)"
    return [(row[0], row[1]) for row in connection.execute(select, (list(UNFINISHED), seconds)).fetchall()]


def clear_away(connection: Connection[Any], base: Path) -> int:
    """Remove what has expired or was cancelled, with its files; how many imports went."""
    gone = connection.execute("delete from fhir.bulk_import where state = 'cancelled' or expires <= clock_timestamp() returning id").fetchall()
    home = base / "imports"
    folders = list(home.iterdir()) if home.is_dir() else []  # before the rows: a row is there before its folder
    kept = {str(row[0]) for row in connection.execute("select id from fhir.bulk_import").fetchall()}
    for folder in folders:
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)
    return len(gone)
