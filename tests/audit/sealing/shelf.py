"""A trail that is written by many, sealed, tampered with and verified."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from openward.access.actor import Actor
from openward.audit.auditor import AUDITOR
from openward.audit.sealing.anchored import Anchored, files
from openward.audit.sealing.anchors import FileAnchor, anchored_up_to, keep_up
from openward.audit.sealing.keys import signer, trusted
from openward.audit.sealing.sealer import seal_all, tenants
from openward.audit.sealing.verifying import Report, Verifier
from openward.fhir.protocols import Event
from openward.record.connection import connection
from openward.record.sealing import sealing_wire

BATCH = 5


def nurse(name: str = "Nell Night", tenant: int = 1) -> Actor:
    return Actor("user:nell", name, "staff", tenant, role="nurse")


def write(times: int, by: Actor | None = None) -> None:
    """As many reads of as many patients, each in a transaction of its own."""
    by = by or nurse()
    for number in range(times):
        AUDITOR.record(connection(), by.tenant, by, [Event("read", "Patient", UUID(int=number + 1), patients=[UUID(int=number + 1)])])


def seal(data: Path, batch: int = BATCH) -> int:
    """Seal everything and anchor it in `data`; how many seals were made."""
    with sealing_wire() as wire:
        made = len(list(seal_all(wire, signer(data), batch=batch)))
        for tenant in tenants(wire):
            keep_up(wire, tenant, FileAnchor(data / "anchors"))
    return made


def verify(data: Path, tenant: int = 1) -> Report:
    report = Report()
    keys = trusted(data)
    paths = files(data / "anchors", tenant)
    with sealing_wire() as wire, sealing_wire() as side:
        anchored = Anchored(paths, tenant, keys, anchored_up_to(side, tenant, "file")) if paths else None
        Verifier(wire, side, tenant, keys, anchored, report).run(lambda done, total, note: None)
    return report


@contextmanager
def as_owner() -> Iterator[psycopg.Cursor[Any]]:
    """Who owns the database and puts the triggers out of action."""
    with sealing_wire() as wire, psycopg.Cursor(wire) as cursor:
        cursor.execute("set session_replication_role = replica")
        yield cursor


def nth(cursor: psycopg.Cursor[Any], number: int) -> tuple[str, int]:
    """Transaction and number of the entry at this place, from 0."""
    row = cursor.execute("select tx::text, id from audit.entry e order by tenant, e.tx, id offset %s limit 1", (number,)).fetchone()
    assert row is not None
    return row
