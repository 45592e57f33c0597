"""Proving the trail: every seal, every entry, every agent, against the signatures and against what was anchored outside. Memory is bounded."""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from openward.audit.sealing import merkle
from openward.audit.sealing.anchored import Anchored, Kept
from openward.audit.sealing.differences import differences
from openward.audit.sealing.keys import Trusted
from openward.audit.sealing.purges import Purge, last_purge
from openward.audit.sealing.rows import START, Agent, Row, agents, all_agents, entries
from openward.audit.sealing.seals import FIRST_PREVIOUS, Seal, after, last, leaves, prints

AT_ONCE = 200  # seals that are held at a time, with ten thousand entries each at most
AGENTS_REMEMBERED = 50_000
FINDINGS_TOLD = 50
SKEW = dt.timedelta(minutes=1)  # by so much clocks of machines, and what waits to be sealed, may differ
SIX_YEARS = dt.timedelta(days=6 * 365)  # what the law has kept, but for leap days
LONG = dt.timedelta(days=1)  # longer than any transaction that writes on the trail is under way
UNREADABLE = (psycopg.Error, ValueError, TypeError, OverflowError, struct.error)  # what was put where no seal, entry or agent looks like it

Progress = Callable[[int, int, str], object]


@dataclass
class Report:
    """What was proven. `findings` are sentences, the first batch's first; at most FINDINGS_TOLD of them, `more` counts the others."""

    entries: int = 0
    seals: int = 0
    unsealed: int = 0
    purged: int = 0
    first_bad: str = ""
    findings: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    more: int = 0

    @property
    def is_sound(self) -> bool:
        return not self.findings

    def found(self, sentence: str, seal: Seal | None = None) -> None:
        if seal is not None and not self.first_bad:
            self.first_bad = f"{seal.number} of tenant {seal.tenant}, sealed {seal.at:%Y-%m-%d %H:%M:%S} UTC"
        if len(self.findings) < FINDINGS_TOLD:
            self.findings.append(sentence)
        else:
            self.more += 1


class Verifier:
    """One tenant's trail. `side` is a second connection, for what is asked while `wire` sends entries; `anchored` is None where no anchor is at hand."""

    def __init__(
        self, wire: psycopg.Connection[Any], side: psycopg.Connection[Any], tenant: int, trusted: Trusted, anchored: Anchored | None, report: Report
    ) -> None:
        self.wire, self.side, self.tenant, self.trusted, self.report = wire, side, tenant, trusted, report
        self.agents: dict[UUID, Agent] = {}
        self.restored = anchored.restored if anchored else []
        self.kept = anchored.kept() if anchored else iter(())
        self.promised = anchored.promised if anchored else 0
        self.ahead: Kept | None = next(self.kept, None)
        self.unanchored: list[int] = []
        self.reached = 0
        self.purge: Purge | None = None

    def run(self, progress: Progress) -> None:
        """What cannot be read at all is a finding too, after which nothing of this tenant is read. Raises UnreadableAnchor."""
        try:
            self._run(progress)
        except UNREADABLE as trouble:
            words = (
                f"The trail of tenant {self.tenant} cannot be read past seal {self.reached} ({type(trouble).__name__}): what follows is not proven."
            )
            self.report.found(words)

    def _run(self, progress: Progress) -> None:
        self.purge = last_purge(self.side, self.tenant)
        newest = last(self.wire, self.tenant)
        self._notices(newest)
        before = self._chain(newest.number if newest else 0, progress)
        self._tail(before)
        self._anchors_ahead(before)
        for agent in all_agents(self.wire, self.tenant):
            if not agent.fits:
                self.report.found(f"Agent {agent.id} was changed: its facts do not give its key.")

    def _notices(self, newest: Seal | None) -> None:
        for back in self.restored:
            self.report.notices.append(f"On {back.at} it was accepted that the database was taken back to seal {back.through}: {back.reason}")
        if self.purge is not None and self.purge.is_signed(self.trusted):
            words = f"Entries up to seal {self.purge.through} were removed by {self.purge.actor} on {self.purge.at:%Y-%m-%d}; their seals remain."
            self.report.notices.append(words)
            if self.purge.at > dt.datetime.now(dt.UTC) + SKEW:
                self.report.found(f"The purge up to seal {self.purge.through} is dated {self.purge.at:%Y-%m-%d}, which is still to come.")
        elif self.purge is not None:
            self.report.found(f"The purge up to seal {self.purge.through} is not signed by a key of this installation.")
            self.purge = None
        row = psycopg.Cursor(self.wire).execute("select pg_snapshot_xmax(pg_current_snapshot())::text").fetchone()
        counter = int(row[0]) if row else 0
        if newest is not None and counter < newest.until.tx:
            self.report.found(
                f"The transaction counter of this PostgreSQL went back: it stands at {counter}, the last seal was made at {newest.until.tx}. "
                "The database was restored from a dump into another cluster."
            )

    def _chain(self, newest: int, progress: Progress) -> Seal | None:
        before: Seal | None = None
        while page := after(self.side, self.tenant, before.number if before else 0, AT_ONCE):
            rows = entries(self.wire, self.tenant, before.until if before else START, max(seal.until for seal in page))
            coming = next(rows, None)
            for seal in page:
                self._seal(seal, before)
                coming = self._between(seal, rows, coming)
                batch, coming = _up_to(rows, coming, seal)
                self._batch(seal, batch)
                before, self.reached = seal, seal.number
                progress(seal.number, newest, f"{self.report.entries:,} entries")
            for _ in rows:
                pass  # a stream must be read to its end
        return before

    def _seal(self, seal: Seal, before: Seal | None) -> None:
        """The seal itself: its place in the chain, its digest, its signature, its anchor."""
        number = before.number + 1 if before else 1
        self.report.seals += 1
        if seal.number != number:
            gone = f"Seal {number} is" if seal.number == number + 1 else f"Seals {number} to {seal.number - 1} are"
            self.report.found(f"{gone} missing from the chain.", seal)
        elif seal.previous != (before.digest if before else FIRST_PREVIOUS) or seal.since != (before.until if before else START):
            self.report.found(f"Seal {seal.number} does not continue the one before it: the chain is broken.", seal)
        if seal.computed_digest() != seal.digest:
            self.report.found(f"Seal {seal.number} was changed: it does not give its own digest.", seal)
        if not self.trusted.knows(seal.key_id):
            self.report.found(f"Seal {seal.number} is signed with the key {seal.key_id}, which is not one of this installation's.", seal)
        elif not self.trusted.signed(seal.key_id, seal.signature, seal.digest):
            self.report.found(f"The signature of seal {seal.number} is false.", seal)
        self._anchor(seal)
        self.report.notices += _times(seal, before)

    def _anchor(self, seal: Seal) -> None:
        """Every line for this number must say the same. Lines for numbers that are missing here were told with the chain."""
        met = False
        while self.ahead is not None and self.ahead.number <= seal.number:
            if self.ahead.number == seal.number:
                if self.ahead.digest != seal.digest:
                    self.report.found(f"Seal {seal.number} differs from its anchor: it is not the one that was made then.", seal)
                met = True
            self.ahead = next(self.kept, None)
        if not met:
            self.unanchored.append(seal.number)

    def _between(self, seal: Seal, rows: Iterator[Row], coming: Row | None) -> Row | None:
        """Entries that stand where no seal covers them."""
        while coming is not None and coming.position < seal.since:
            self.report.found(f"Entry {coming.name} is in no seal.", seal)
            coming = next(rows, None)
        return coming

    def _batch(self, seal: Seal, rows: list[Row]) -> None:
        if self.purge is not None and seal.number <= self.purge.through:
            self.report.purged += seal.count
            if seal.last_at > self.purge.at - SIX_YEARS:
                self.report.found(f"The entries of seal {seal.number} were purged before they were six years old.", seal)
            for row in rows:
                self.report.found(f"Entry {row.name} was added to a period that is purged.", seal)
            return
        self.report.entries += len(rows)
        ids = {row.agent for row in rows}
        self._learn(ids)
        hashes, others = leaves(rows, [self.agents[id] for id in ids if id in self.agents])
        for id in sorted(ids - self.agents.keys(), key=str):
            self.report.found(f"Agent {id}, who is named in seal {seal.number}, is missing.", seal)
        if merkle.root([*hashes, *others]) == seal.root:
            if prints(hashes) != seal.prints:
                self.report.found(f"Seal {seal.number} was changed: the prints by which it tells entries apart are not theirs.", seal)
            return
        wrong = [f"Agent {id}, who is named in seal {seal.number}, was changed." for id in ids & self.agents.keys() if not self.agents[id].fits]
        for sentence in [*differences(seal, rows, hashes), *wrong] or [f"The entries of seal {seal.number} do not give its root."]:
            self.report.found(sentence, seal)

    def _learn(self, ids: set[UUID]) -> None:
        unknown = ids - self.agents.keys()
        if len(self.agents) + len(unknown) > AGENTS_REMEMBERED:
            self.agents.clear()
            unknown = ids
        if unknown:
            self.agents.update({agent.id: agent for agent in agents(self.side, self.tenant, list(unknown))})

    def _tail(self, before: Seal | None) -> None:
        line = before.until if before else START
        sql = "select count(*), min(at) from audit.entry where tenant = %s and (tx, id) >= (%s::text::xid8, %s)"
        count, oldest = psycopg.Cursor(self.wire).execute(sql, (self.tenant, str(line.tx), line.id)).fetchone() or (0, None)
        self.report.unsealed += count
        if count:
            self.report.notices.append(f"{count:,} entries since {oldest:%Y-%m-%d %H:%M:%S} UTC are not sealed yet.")

    def _anchors_ahead(self, before: Seal | None) -> None:
        gone = [number for number in self.unanchored if number <= self.promised]
        if gone:
            words = f"{len(gone):,} seals that were written to the anchor of tenant {self.tenant} stand there no more, the first is seal {gone[0]}"
            self.report.found(f"{words}: lines were removed from it, or an old copy of it was put in its place.")
        if missing := len(self.unanchored) - len(gone):
            self.report.notices.append(f"{missing:,} seals of tenant {self.tenant} are not in the anchor at hand.")
        if self.ahead is None:
            return
        newest = max(self.ahead.number, *(kept.number for kept in self.kept), 0)
        self.report.found(
            f"The anchor has seals up to {newest}, the database only up to {before.number if before else 0}: "
            "an old backup was restored, or seals were removed at the end."
        )


def _times(seal: Seal, before: Seal | None) -> Iterator[str]:
    """What the times say of the clocks: no proof of anything, and nothing that could be mended afterwards."""
    if before is not None and seal.at < before.at - SKEW:
        yield f"The clock went back: seal {before.number} was made on {_told(before.at)}, seal {seal.number} after it on {_told(seal.at)}."
    if seal.last_at > seal.at + SKEW:
        yield f"Seal {seal.number}, made on {_told(seal.at)}, holds entries that are dated later, up to {_told(seal.last_at)}."
    if before is not None and seal.first_at < before.at - LONG:
        yield f"Seal {seal.number} holds entries that are dated {_told(seal.first_at)}, long before they came: the seal before was made on {_told(before.at)}."


def _told(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _up_to(rows: Iterator[Row], coming: Row | None, seal: Seal) -> tuple[list[Row], Row | None]:
    """The entries in the seal's range; of a range that was made wide, no more than tells that it is wrong."""
    batch: list[Row] = []
    while coming is not None and coming.position < seal.until:
        if len(batch) < seal.count + FINDINGS_TOLD:
            batch.append(coming)
        coming = next(rows, None)
    return batch, coming
