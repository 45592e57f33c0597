"""`openward import`: bundles, NDJSON and single resources from files into the record.

Each bundle is one transaction: a damaged one is refused whole, with the reason, and the rest goes in. Ids are what the files say (`urn:uuid:` full
URLs become ids), so that importing the same thing twice adds nothing; a POST of what is already there keeps what is there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from openward.fhir.crew import Crew, Footprint, Outcome
from openward.fhir.errors import Conflict
from openward.fhir.failures import as_fhir_error
from openward.fhir.interactions.transaction import write
from openward.fhir.reading import Batch, Begun, Item, Known, Moved, Piece, Refusal, examine, read, reason
from openward.fhir.sources import files
from openward.fhir.store import Store
from openward.fhir.versions import Written

Progress = Callable[[int, int, str], None]
OpenStore = Callable[[], Store]
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

    def add(self, item: Item | Outcome) -> None:
        match item:
            case Begun():
                self.documents += 1
            case Known():
                self.known += 1
            case Refusal():
                self.refused.append(item)
            case Outcome():
                self.refused += item.refused
                for outcome, number in item.counts.items():
                    name = "kept" if outcome == "existing" else outcome
                    setattr(self, name, getattr(self, name) + number)

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


def load(paths: Sequence[Path], open_store: OpenStore, progress: Progress = lambda done, total, note: None, *, processes: int = 1) -> Report:
    """Import `paths` (files, folders, archives) as the store's actor. `progress` is told bytes done, bytes in all, and what is being read.

    With several processes each calls `open_store` for itself, and what goes in is what one alone would have stored. They are forked: nothing
    this process holds open may be what `open_store` gives them.
    """
    started = time.monotonic()
    report, found = Report(), files(paths)
    total = sum(path.stat().st_size for path in found)
    with _at_work(open_store, processes) as done:
        store = open_store()
        known = {bytes(row[0]) for row in store.execute(DIGESTS, {"tenant": store.tenant})}
        for item in done(read(found, known)):
            report.add(item)
            if isinstance(item, Outcome) and item.digest:
                known.add(item.digest)
            elif isinstance(item, Moved):
                progress(item.position, total, item.name)
    report.seconds = time.monotonic() - started
    return report


@contextmanager
def _at_work(open_store: OpenStore, processes: int) -> Iterator[Callable[[Iterator[Item]], Iterator[Item | Outcome]]]:
    def start() -> Callable[[Piece], Iterator[Footprint | Outcome]]:
        store = open_store()
        return lambda piece: _take(piece, store)

    if processes > 1:
        with Crew(processes, start) as crew:
            yield crew.take
    else:
        yield lambda items: _alone(items, start())


def _alone(items: Iterator[Item], take: Callable[[Piece], Iterator[Footprint | Outcome]]) -> Iterator[Item | Outcome]:
    for item in items:
        if isinstance(item, Piece):
            yield from (said for said in take(item) if isinstance(said, Outcome))
        else:
            yield item


def _take(piece: Piece, store: Store) -> Iterator[Footprint | Outcome]:
    """Read a piece and say what it touches; then write it and say what came of it."""
    batch, refused = examine(piece, store.tenant)
    yield _footprint(batch)
    outcome = Outcome(piece.digest if batch else None, refused=refused)
    if batch is not None:
        _write(batch, store, outcome)
    yield outcome


def _footprint(batch: Batch | None) -> Footprint:
    asked = batch.entries if batch else ()
    if any(entry.sound is None for entry in asked):
        return Footprint(alone=True)
    gives = frozenset(entry.reference for entry in asked if entry.method == "POST")
    sets = frozenset(entry.reference for entry in asked if entry.method != "POST")
    pointed_at = {text for entry in asked if entry.sound for text in entry.sound.references}
    needs = {"/".join(text.split("/", 2)[:2]) for text in pointed_at}
    return Footprint(gives, sets, frozenset(needs - gives - sets))


def _write(batch: Batch, store: Store, outcome: Outcome) -> None:
    """One transaction. When one of several lines of NDJSON is refused, each goes in alone, so that the others do go in."""
    try:
        written = _try(batch, store)
    except Exception as error:
        if len(batch.names) > 1:
            for name, entry in zip(batch.names, batch.entries, strict=True):
                _write(replace(batch, name=name, entries=[entry], names=[name]), store, outcome)
        else:
            outcome.digest = None
            said = reason(as_fhir_error(error), of_line=bool(batch.names))
            outcome.refused.append(Refusal(batch.names[0] if batch.names else batch.name, said))
        return
    outcome.counts.update(one.outcome for one in written)
    outcome.found |= {one.version.reference for one in written if one.outcome in ("existing", "unchanged")}


def _try(batch: Batch, store: Store) -> Sequence[Written]:
    """Write it; what another writer stored meanwhile is read again and the batch tried anew."""
    for _ in range(TRIES - 1):
        try:
            return _once(batch, store)
        except Conflict:
            continue
    return _once(batch, store)


def _once(batch: Batch, store: Store) -> Sequence[Written]:
    with store.attempt("import", None), _references(store, strict=batch.strict):
        written = write(store, batch.entries)
        if batch.digest:
            store.execute(REMEMBER, {"tenant": store.tenant, "digest": batch.digest, "resources": len(batch.entries)})
    return list(written.values())


@contextmanager
def _references(store: Store, *, strict: bool) -> Iterator[None]:
    """A transaction names everything it points at; files of single resources come in any order, so theirs may point at what comes later."""
    before, store.strict_references = store.strict_references, strict and store.strict_references
    try:
        yield
    finally:
        store.strict_references = before
