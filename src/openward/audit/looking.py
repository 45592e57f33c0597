"""Looking through the trail page by page, for the privacy officer's lists and files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from openward.audit.events.asking import Asked
from openward.audit.events.finding import Finder, Place
from openward.audit.events.resource import Entry
from openward.audit.queries import PAGE, Period
from openward.fhir.protocols import Where

KINDS: Mapping[str, tuple[str, ...]] = {
    "opened": ("read", "vread"),
    "searched": ("search", "history"),
    "changed": ("create", "update", "patch", "delete"),
    "exported": ("export",),
    "printed": ("print",),
    "disclosed": ("disclosure",),
    "emergency": ("break-glass", "break-glass-end", "break-glass-review"),
    "signed-in": ("sign-in", "sign-out"),
}
"""Kind of event → the interactions of the trail it is. `refused` is a kind too: whatever did not succeed."""
REFUSED = "refused"
AT_ONCE = 1000


@dataclass(frozen=True)
class Look:
    """What is looked for: of one patient, by one actor, of one kind; None and an empty kind mean any."""

    tenant: int
    period: Period
    patient: UUID | None = None
    actor: str | None = None
    kind: str = ""
    oldest_first: bool = False

    def asked(self, count: int) -> Asked:
        period = self.period
        found = Asked(count=count, oldest_first=self.oldest_first, dates=[(period.since.isoformat(), period.until.isoformat())])
        if self.patient is not None:
            found.patients.append([self.patient])
        if self.kind == REFUSED:
            found.outcomes.append([4, 8, 12])
        elif self.kind in KINDS:
            found.subtypes.append(list(KINDS[self.kind]))
        return found


def page(wire: psycopg.Connection[Any], look: Look, after: Place | None = None, count: int = PAGE) -> tuple[list[Entry], Place | None]:
    """One page and where the next begins, None after the last."""
    actors = [[look.actor]] if look.actor is not None else []
    found = Finder(wire, look.tenant, look.asked(count), Where(), actors).page(after)
    shown = found[:count]
    return shown, Place(shown[-1].at.isoformat(), shown[-1].tx, shown[-1].id) if len(found) > count else None


def everything(wire: psycopg.Connection[Any], look: Look, most: int) -> Iterator[Entry]:
    """All of it, up to `most` entries."""
    after, done = None, 0
    while done < most:
        found, after = page(wire, look, after, min(AT_ONCE, most - done))
        yield from found
        done += len(found)
        if after is None:
            return


def place(text: str) -> Place | None:
    """What `str_of` wrote; None for anything else."""
    try:
        at, tx, id = text.split("~")
        dt.datetime.fromisoformat(at)
        found = Place(at, int(tx), int(id))
    except ValueError:
        return None
    return found if max(abs(found.tx), abs(found.id)) < 2**63 else None


def str_of(found: Place | None) -> str:
    return f"{found.at}~{found.tx}~{found.id}" if found else ""
