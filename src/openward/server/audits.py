"""What `openward audit` does: seal, verify, accept a restore, make the restricted role."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction, RestrictViolation

from openward.access.actor import Actor
from openward.audit.auditor import note
from openward.audit.models import Retention
from openward.audit.sealing.anchored import Anchored, UnreadableAnchor, files, told_by
from openward.audit.sealing.anchors import AnchorFailed, FileAnchor, anchored_up_to
from openward.audit.sealing.keys import SealKeyUnusable, signer, trusted
from openward.audit.sealing.purges import purge, purgeable
from openward.audit.sealing.role import Unrestrictable, restrict, standing
from openward.audit.sealing.sealer import CounterWentBack, tenants
from openward.audit.sealing.seals import seals
from openward.audit.sealing.structure import alterations
from openward.audit.sealing.verifying import Report, Verifier
from openward.record.sealing import data_folder, seal_now, sealing_wire
from openward.server.progress import ProgressBar

TROUBLES = (UnreadableAnchor, SealKeyUnusable, CounterWentBack, AnchorFailed, Unrestrictable, RestrictViolation)


@dataclass(frozen=True)
class Done:
    """`status` is the command's exit status: 0 sound or done, 1 not."""

    lines: list[str]
    status: int = 0


def run(options: argparse.Namespace) -> Done:
    """Raises one of TROUBLES, whose sentence says what is wrong."""
    return {"verify": _verify, "seal": _seal, "accept-restore": _accept_restore, "role": _role, "purge": _purge}[options.action](options)


def how_it_stands() -> str:
    """Who keeps the trail append-only here, for `openward check`."""
    with sealing_wire() as wire:
        return standing(wire)


def _seal(options: argparse.Namespace) -> Done:  # noqa: ARG001 - one shape for all actions
    with sealing_wire() as wire:
        return Done([f"{seal_now(wire):,} seals made"])


def _verify(options: argparse.Namespace) -> Done:
    report = Report()
    keys = trusted(data_folder())
    with ProgressBar("verify") as bar:
        for tenant in _all_tenants(options.anchors, report):
            with sealing_wire() as wire, sealing_wire() as side:
                Verifier(wire, side, tenant, keys, _anchored(wire, tenant, options.anchors, report), report).run(bar.update)
    return Done(list(_told(report)), 0 if report.is_sound else 1)


def _all_tenants(elsewhere: list[Path], report: Report) -> list[int]:
    """Whoever the trail or its anchors know of. That the tables are as they were made is looked at first."""
    found = _anchored_tenants(elsewhere)
    with sealing_wire() as wire:
        try:
            for sentence in alterations(wire):
                report.found(sentence)
        except (InsufficientPrivilege, ReadOnlySqlTransaction):
            report.notices.append(
                "Whether triggers and views are as they were made was not looked at: this database user may not, or this is a replica."
            )
        try:
            found |= {*tenants(wire), *_sealed_tenants(wire)}
        except psycopg.Error as trouble:
            report.found(f"The tables of the trail cannot be read ({type(trouble).__name__}).")
    return sorted(found)


def _sealed_tenants(wire: psycopg.Connection[Any]) -> set[int]:
    """Those whose entries are all gone have seals still."""
    return {int(tenant) for (tenant,) in psycopg.Cursor(wire).execute("select distinct tenant from audit.seal")}


def _anchored_tenants(elsewhere: list[Path]) -> set[int]:
    """Those of whom the database may hold nothing any more."""
    names = [path.name.split("-")[1] for path in (data_folder() / "anchors").glob("tenant-*-*.jsonl")]
    return set() if elsewhere else {int(name) for name in names if name.isdecimal()}


def _anchored(wire: psycopg.Connection[Any], tenant: int, elsewhere: list[Path], report: Report) -> Anchored | None:
    """The lines at hand. What cannot be read is told, and the database is held to nothing outside then."""
    paths = elsewhere or files(data_folder() / "anchors", tenant)
    try:
        told = anchored_up_to(wire, tenant, "file")
        if not paths and told:
            report.found(f"The anchor's files of tenant {tenant} are gone: {told:,} seals were written to them.")
        return Anchored(paths, tenant, trusted(data_folder()), 0 if elsewhere else told) if paths else None
    except psycopg.Error as trouble:
        report.found(f"How far the anchor of tenant {tenant} was written cannot be read ({type(trouble).__name__}).")
    except UnreadableAnchor as trouble:
        report.found(str(trouble))
    except OSError as trouble:
        report.found(f"The anchor {trouble.filename} cannot be read: {trouble.strerror}.")
    return None


def _told(report: Report) -> Iterator[str]:
    purged = f", {report.purged:,} purged" if report.purged else ""
    yield f"{report.entries:,} entries under {report.seals:,} seals, {report.unsealed:,} not sealed yet{purged}"
    yield from (f"note      {notice}" for notice in report.notices)
    yield from (f"TROUBLE   {sentence}" for sentence in report.findings)
    if report.more:
        yield f"TROUBLE   {report.more:,} more."
    if report.first_bad:
        yield f"The first bad batch is seal {report.first_bad}."
    yield "The trail is sound." if report.is_sound else "THE TRAIL IS NOT SOUND."


def _accept_restore(options: argparse.Namespace) -> Done:
    """Say in the anchor, signed, that the database was taken back on purpose; what was anchored past it no longer counts."""
    data, lines = data_folder(), []
    with sealing_wire() as wire:
        for tenant in tenants(wire):
            anchored = Anchored(files(data / "anchors", tenant), tenant, trusted(data), anchored_up_to(wire, tenant, "file"))
            if (through := _common(wire, anchored, tenant)) is not None:
                _accept(wire, data, tenant, through, options.reason)
                lines.append(f"tenant {tenant}: accepted that the database or its anchor was taken back to seal {through}")
        seal_now(wire)
    return Done(lines or ["The database and its anchor agree: there is nothing to accept."])


def _common(wire: psycopg.Connection[Any], anchored: Anchored, tenant: int) -> int | None:
    """The last seal up to which the anchor and the database agree; None when they agree to the anchor's end, and that is as far as it was written."""
    kept = anchored.kept()
    line = next(kept, None)
    agreed = met = 0
    for seal in seals(wire, tenant, "order by number"):
        while line is not None and line.number == seal.number:
            if line.digest != seal.digest:
                return agreed
            line, met = next(kept, None), seal.number
        agreed = seal.number
    if line is not None:
        return agreed
    return met if met < anchored.promised else None


def _accept(wire: psycopg.Connection[Any], data: Path, tenant: int, through: int, reason: str) -> None:
    now = dt.datetime.now(dt.UTC)
    at, key = now.isoformat(timespec="seconds"), signer(data)
    told = {"tenant": tenant, "through": through, "at": at, "reason": reason, "key": key.id}
    line = {**told, "signature": key.sign(told_by(tenant, through, at, reason)).hex()}
    FileAnchor(data / "anchors").keep([json.dumps(line)], tenant, f"{now:%Y-%m}")
    psycopg.Cursor(wire).execute("update audit.anchored set number = %s where tenant = %s and number > %s", (through, tenant, through))


def _purge(options: argparse.Namespace) -> Done:  # noqa: ARG001 - one shape for all actions
    """Remove what is past its retention, tenant by tenant; that it was done is itself on the trail. A tenant on hold keeps its own and no other's."""
    lines, refused = [], False
    with sealing_wire() as wire:
        seal_now(wire)
        for tenant in Retention.objects.order_by("tenant").values_list("tenant", flat=True):
            try:
                lines.append(_purged(wire, tenant))
            except RestrictViolation as trouble:
                refused = True
                lines.append(f"tenant {tenant}: {trouble.diag.message_primary}")
    return Done(lines or ["No retention period is set: the trail is kept for ever."], 1 if refused else 0)


def _purged(wire: psycopg.Connection[Any], tenant: int) -> str:
    """A hold that is being placed is waited for; one that comes while something is removed stands after it, and never over what is gone meanwhile."""
    with wire.transaction():
        cursor = psycopg.Cursor(wire).execute("lock table audit_hold, audit_retention in share mode")
        found = cursor.execute("select days from audit_retention where tenant = %s", (tenant,)).fetchone()
        last = purgeable(wire, tenant, int(found[0]), dt.datetime.now(dt.UTC)) if found else None
        if found is None or last is None:
            return f"tenant {tenant}: nothing is past its {int(found[0]):,} days" if found else f"tenant {tenant}: kept for ever"
        by = Actor.system("purge the trail", tenant=tenant)
        done = purge(wire, last, signer(data_folder()), actor=by.id)
        note(wire, by, "audit-purge", detail=f"{done.removed} entries up to seal {done.through}")
    return f"tenant {tenant}: {done.removed:,} entries removed, up to seal {done.through}; the seals remain"


def _role(options: argparse.Namespace) -> Done:
    with sealing_wire() as wire:
        statements = restrict(wire, options.name)
    said = f"-- {options.name} may now do everything but change or remove the trail. Give it a password, and name it in OPENWARD_DATABASE_URL."
    return Done([*(f"{statement};" for statement in statements), said])
