"""The sealer of this installation: a thread of the worker process, which looks once a second whether the trail has grown."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.utils import timezone

from openward.audit.sealing.anchors import Anchor, AnchorFailed, anchored_up_to, anchors, keep_up
from openward.audit.sealing.keys import signer
from openward.audit.sealing.rows import START
from openward.audit.sealing.sealer import horizon, prepare, seal_all, tenants
from openward.audit.sealing.seals import after, last
from openward.fhir.failures import raised_at
from openward.record.connection import connection
from openward.record.health import health_check
from openward.record.wires import own_wire

log = logging.getLogger("openward.sealer")

EVERY_SECONDS = 1.0
AFTER_TROUBLE_SECONDS = 10.0
LATE_SECONDS = 120
COUNTER = "select pg_snapshot_xmin(pg_current_snapshot())::text"


@contextmanager
def sealing_wire() -> Iterator[psycopg.Connection[Any]]:
    with own_wire() as wire:
        prepare(wire)
        yield wire


def data_folder() -> Path:
    folder: Path = settings.OPENWARD_DATA
    return folder


def configured_anchors() -> list[Anchor]:
    return anchors(settings.OPENWARD_AUDIT_ANCHORS, data_folder())


def seal_now(wire: psycopg.Connection[Any]) -> int:
    """Seal what stands unsealed and hand the seals to the anchors; how many seals were made. Raises CounterWentBack, SealKeyUnusable, psycopg.Error.

    An anchor that fails keeps no other from its lines; AnchorFailed is raised once all were tried.
    """
    made = sum(1 for _ in seal_all(wire, signer(data_folder())))
    failed: AnchorFailed | None = None
    for tenant in tenants(wire):
        for anchor in configured_anchors():
            try:
                keep_up(wire, tenant, anchor)
            except AnchorFailed as trouble:
                failed = trouble
    if failed is not None:
        raise failed
    return made


class Sealer(threading.Thread):
    """Seals until it is told to stop. Whatever goes wrong is logged once a try and tried again: the trail itself never waits for it."""

    def __init__(self) -> None:
        super().__init__(name="sealer", daemon=True)
        self._ended = threading.Event()

    def stop(self) -> None:
        self._ended.set()

    def run(self) -> None:
        while not self._ended.is_set():
            try:
                with sealing_wire() as wire:
                    self._watch(wire)
            except Exception as trouble:
                log.error("the trail is not sealed: %s at %s", type(trouble).__name__, raised_at(trouble))
                self._ended.wait(AFTER_TROUBLE_SECONDS)

    def _watch(self, wire: psycopg.Connection[Any]) -> None:
        """A second in which no transaction ended costs one look at the counter."""
        seen = ""
        while not self._ended.is_set():
            (counter,) = wire.execute(COUNTER).fetchone() or ("",)
            if counter != seen:
                seal_now(wire)
                seen = counter
            self._ended.wait(EVERY_SECONDS)


@health_check("seals", title="Sealed audit trail")
def seals() -> str | None:
    wire = connection()
    return next((trouble for tenant in tenants(wire) if (trouble := _trouble(wire, tenant))), None)


def _trouble(wire: psycopg.Connection[Any], tenant: int) -> str | None:
    newest = last(wire, tenant)
    line = newest.until if newest else START
    cursor = psycopg.Cursor(wire)
    if newest is not None and horizon(wire) < line.tx:
        return "The database was restored from a dump: its transaction counter went back, and the trail cannot be sealed. See docs/audit.md."
    oldest = cursor.execute(
        "select at from audit.entry where tenant = %s and (tx, id) >= (%s::text::xid8, %s) order by tenant, tx, id limit 1",
        (tenant, str(line.tx), line.id),
    ).fetchone()
    if oldest and (timezone.now() - oldest[0]).total_seconds() > LATE_SECONDS:
        return f"The trail is not sealed since {oldest[0]:%H:%M} UTC: the worker does not run, or a transaction is open since then."
    for anchor in configured_anchors():
        behind = after(wire, tenant, anchored_up_to(wire, tenant, anchor.name), 1)
        if behind and (timezone.now() - behind[0].at).total_seconds() > LATE_SECONDS:
            return f"The seals of the trail do not reach {anchor.name} since {behind[0].at:%H:%M} UTC."
    return None
