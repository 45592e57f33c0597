"""`openward import`: bundles, NDJSON and single resources from files into the record.

Each bundle is one transaction: a damaged one is refused whole, with the reason, and the rest goes in. Ids are what the files say (`urn:uuid:` full
URLs become ids), so that importing the same thing twice adds nothing; a POST of what is already there keeps what is there.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from openward.fhir.errors import Conflict
from openward.fhir.failures import as_fhir_error
from openward.fhir.interactions.transaction import write
from openward.fhir.reading import Batch, Begun, Item, Known, Moved, Refusal, read_ahead, reason
from openward.fhir.sources import files
from openward.fhir.store import Store

Progress = Callable[[int, int, str], None]
TRIES = 5  # of a batch that met another writer

DIGESTS = "select digest from fhir.import_ledger where tenant = %(tenant)s"
REMEMBER = """insert into fhir.import_ledger (tenant, digest, resources) values (%(tenant)s, %(digest)s, %(resources)s) on conflict do nothing"""


@dataclass(slots=True)
class Report:
    """What went in, what was already there, and what was refused and why. Counts are of resources but for `documents` and `known`."""

    documents: int = 0
    known: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0
    deleted: int = 0
    refused: list[Refusal] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def written(self) -> int:
        return self.created + self.updated + self.deleted

    def count(self, outcomes: Iterable[str]) -> None:
        for outcome, number in Counter("kept" if outcome == "existing" else outcome for outcome in outcomes).items():
            setattr(self, outcome, getattr(self, outcome) + number)

    def __str__(self) -> str:
        speed = f", {self.written / self.seconds:,.0f} a second" if self.written and self.seconds else ""
        lines = [f"{self.documents:,} files read in {self.seconds:,.1f} s: {self.created:,} resources created, {self.updated:,} updated{speed}."]
        if self.known:
            lines.append(f"{self.known:,} files were imported before and skipped.")
        if self.unchanged or self.kept:
            lines.append(f"{self.unchanged:,} resources were already there; {self.kept:,} are there with other content and were kept as they are.")
        lines.append(f"{len(self.refused):,} refused." if self.refused else "Nothing was refused.")
        lines += [f"  {refusal.name}: {refusal.reason}" for refusal in self.refused]
        return "\n".join(lines)


def load(paths: Sequence[Path], open_store: Callable[[], Store], progress: Progress = lambda done, total, note: None) -> Report:
    """Import `paths` (files, folders, archives) as the store's actor. `progress` is told bytes done, bytes in all, and what is being read."""
    report, store = Report(), open_store()
    started = time.monotonic()
    found = files(paths)
    total, done = sum(path.stat().st_size for path in found), 0
    known = {bytes(row[0]) for row in store.execute(DIGESTS, {"tenant": store.tenant})}
    for path in found:
        for item in read_ahead(path, known):
            if isinstance(item, Moved):
                progress(done + item.position, total, path.name)
            else:
                _take(item, store, report, known)
        done += path.stat().st_size
        progress(done, total, path.name)
    report.seconds = time.monotonic() - started
    return report


def _take(item: Item, store: Store, report: Report, known: set[bytes]) -> None:
    match item:
        case Begun():
            report.documents += 1
        case Known():
            report.known += 1
        case Refusal():
            report.refused.append(item)
        case Batch():
            _write(item, store, report)
            known |= {item.digest} if item.digest else set()


def _write(batch: Batch, store: Store, report: Report) -> None:
    """One transaction. When one of several lines of NDJSON is refused, each goes in alone, so that the others do go in."""
    try:
        report.count(_try(batch, store))
    except Exception as error:
        if len(batch.names) > 1:
            for name, entry in zip(batch.names, batch.entries, strict=True):
                _write(replace(batch, name=name, entries=[entry], names=[name]), store, report)
        else:
            report.refused.append(Refusal(batch.names[0] if batch.names else batch.name, reason(as_fhir_error(error))))


def _try(batch: Batch, store: Store) -> list[str]:
    """Write it; what another writer stored meanwhile is read again and the batch tried anew."""
    for _ in range(TRIES - 1):
        try:
            return _once(batch, store)
        except Conflict:
            continue
    return _once(batch, store)


def _once(batch: Batch, store: Store) -> list[str]:
    with store.attempt("import", None), _references(store, strict=batch.strict):
        outcomes: list[str] = [written.outcome for written in write(store, batch.entries).values()]
        if batch.digest:
            store.execute(REMEMBER, {"tenant": store.tenant, "digest": batch.digest, "resources": len(batch.entries)})
    return outcomes


@contextmanager
def _references(store: Store, *, strict: bool) -> Iterator[None]:
    """A transaction names everything it points at; files of single resources come in any order, so theirs may point at what comes later."""
    before, store.strict_references = store.strict_references, strict and store.strict_references
    try:
        yield
    finally:
        store.strict_references = before
