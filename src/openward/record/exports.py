"""Bulk exports and imports of this installation: their files in the data folder, their jobs in the queue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from openward.access.actor import Actor
from openward.access.policy import EXPORTERS
from openward.fhir.bulk.house import Limits, install
from openward.fhir.outgoing import Network, networks
from openward.fhir.protocols import Auditor, Policy
from openward.fhir.store import Store
from openward.record.actors import in_job, is_withdrawn, recall, remember, scopes_of
from openward.record.jobs import every, job
from openward.record.wires import own_wire

STALLED_SECONDS = 60.0


class Installation:
    """What the engine's bulk data asks of the house around it."""

    @property
    def folder(self) -> Path:
        folder: Path = settings.OPENWARD_DATA
        return folder

    @property
    def limits(self) -> Limits:
        return Limits(running=settings.OPENWARD_EXPORTS_AT_ONCE, hours=settings.OPENWARD_EXPORT_HOURS)

    @property
    def policy(self) -> Policy:
        from openward.record.work import POLICY

        return POLICY

    @property
    def auditor(self) -> Auditor:
        from openward.record.work import AUDITOR

        return AUDITOR

    def remember(self, actor: Actor) -> dict[str, Any]:
        return remember(actor)

    def actor(self, remembered: dict[str, Any]) -> Actor:
        return in_job(recall(remembered))

    def is_withdrawn(self, remembered: dict[str, Any], since: dt.datetime) -> bool:
        return is_withdrawn(remembered, since)

    def covers(self, actor: Actor, remembered: dict[str, Any], types: Sequence[str]) -> bool:
        then = scopes_of(remembered)
        return then is None or actor.scopes is None or actor.scopes.reach(then, "s", types)

    def may_import(self, actor: Actor) -> bool:
        return actor.kind in EXPORTERS

    @property
    def import_hosts(self) -> Sequence[str]:
        hosts: Sequence[str] = settings.OPENWARD_IMPORT_HOSTS
        return hosts

    @property
    def allowed(self) -> Sequence[Network]:
        return networks(settings.OPENWARD_PRIVATE_TARGETS)

    def open_store(self, remembered: dict[str, Any]) -> Store:
        from openward.record.work import open_store

        return open_store(self.actor(remembered))

    def start_export(self, store: Store, id: UUID) -> None:
        store.transaction.later(write_export, tenant=store.tenant, export=str(id))

    def start_import(self, store: Store, id: UUID) -> None:
        store.transaction.later(take_import, tenant=store.tenant, id=str(id))


INSTALLATION = Installation()
install(INSTALLATION)


@job("record.write_export")
def write_export(*, tenant: int, export: str) -> None:
    """Write the files of a bulk export, from where the last try got to. One that another worker has in hand is left to it."""
    from openward.fhir.bulk.running import run

    with own_wire() as wire:
        run(wire, tenant, UUID(export), INSTALLATION)


@job("record.take_import")
def take_import(*, tenant: int, id: str) -> None:
    """Take in the files of a bulk import, from the input the last try got to. One that another worker has in hand is left to it."""
    from openward.fhir.bulk.taking import take

    with own_wire() as wire:
        take(wire, tenant, UUID(id), INSTALLATION)


@every("* * * * *", "record.resume_exports")
def resume_exports() -> None:
    """Take up again the bulk exports and imports whose worker died."""
    from openward.fhir.bulk import exports, imports

    with own_wire() as wire:
        for tenant, id in exports.stalled(wire, STALLED_SECONDS):
            write_export.defer(tenant=tenant, export=str(id))
        for tenant, id in imports.stalled(wire, STALLED_SECONDS):
            take_import.defer(tenant=tenant, id=str(id))


@every("*/10 * * * *", "record.clear_exports")
def clear_exports() -> None:
    """Remove the files of bulk exports and imports that have expired or were cancelled, or whose client may no longer have them."""
    from openward.fhir.bulk import exports, imports

    with own_wire() as wire:
        exports.cancel_withdrawn(wire, INSTALLATION.folder, is_withdrawn)
        exports.clear_away(wire, INSTALLATION.folder)
        imports.clear_away(wire, INSTALLATION.folder)
