"""`openward import`: bundles, NDJSON and single resources from files into the record.

Each bundle is one transaction: a damaged one is refused whole, with the reason, and the rest goes in. Ids are what the files say (`urn:uuid:` full
URLs become ids), so that importing the same thing twice adds nothing; a POST of what is already there keeps what is there.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from openward.fhir.bundles.entries import Entry, entries
from openward.fhir.definitions import is_resource_type
from openward.fhir.errors import BadRequest, FhirError, UnknownType
from openward.fhir.failures import as_fhir_error
from openward.fhir.ids import is_id
from openward.fhir.interactions.transaction import write
from openward.fhir.json import loads
from openward.fhir.sources import Document, Unreadable, documents, files
from openward.fhir.store import Store

Progress = Callable[[int, int, str], None]
LINES = 500  # of NDJSON in one transaction
REASONS = 3  # named of a refused document; the rest are counted

# Ids for what a bundle creates without saying what it is called: the same file gives the same id.
_UNNAMED = UUID("7f2b7b5e-6a0c-5a52-9d0e-3c1f4a8d2e61")


@dataclass(frozen=True, slots=True)
class Refusal:
    name: str
    reason: str


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

    def count(self, outcomes: Iterable[str]) -> int:
        counted = Counter("kept" if outcome == "existing" else outcome for outcome in outcomes)
        for outcome, number in counted.items():
            setattr(self, outcome, getattr(self, outcome) + number)
        return sum(counted.values())

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
    report = Report()
    started = time.monotonic()
    found = files(paths)
    total, done = sum(path.stat().st_size for path in found), 0
    for path in found:
        _load_file(path, open_store(), report, partial(_move, progress, done, total))
        done += path.stat().st_size
        progress(done, total, path.name)
    report.seconds = time.monotonic() - started
    return report


def _move(progress: Progress, before: int, total: int, within: int, note: str) -> None:
    progress(before + within, total, note)


def _load_file(path: Path, store: Store, report: Report, moved: Callable[[int, str], None]) -> None:
    try:
        for document in documents(path, lambda within: moved(within, path.name)):
            _load_document(document, store, report)
    except Unreadable as error:
        report.refused.append(Refusal(path.name, str(error)))


def _load_document(document: Document, store: Store, report: Report) -> None:
    report.documents += 1
    try:
        if document.is_ndjson:
            _load_lines(document, store, report)
        else:
            report.count(_load_once(document.read(), store))
    except AlreadyImported:
        report.known += 1
    except Unreadable as error:
        report.refused.append(Refusal(document.name, str(error)))
    except Exception as error:
        report.refused.append(Refusal(document.name, _reason(as_fhir_error(error))))


class AlreadyImported(Exception):
    """This very document has been imported before."""


def _load_once(data: bytes, store: Store) -> list[str]:
    """Import one JSON document and remember its digest in the same transaction."""
    digest = hashlib.sha256(data).digest()
    known = store.execute("select from fhir.import_ledger where tenant = %(tenant)s and digest = %(digest)s", _ledger(store, digest)).fetchone()
    if known is not None:
        raise AlreadyImported
    content = loads(data)
    asked = as_entries(content, digest)
    with store.attempt("import", None), _references(store, strict=content.get("type") == "transaction"):
        outcomes: list[str] = [written.outcome for written in write(store, asked).values()]
        insert = "insert into fhir.import_ledger (tenant, digest, resources) values (%(tenant)s, %(digest)s, %(resources)s) on conflict do nothing"
        store.execute(insert, {**_ledger(store, digest), "resources": len(asked)})
    return outcomes


def _ledger(store: Store, digest: bytes) -> dict[str, Any]:
    return {"tenant": store.tenant, "digest": digest}


def as_entries(content: Mapping[str, Any], digest: bytes) -> list[Entry]:
    """What a document asks to be written: the entries of a transaction or batch, the resources of any other Bundle, or the resource itself."""
    if content.get("resourceType") != "Bundle":
        return [_put(0, content, None)]
    if content.get("type") in ("transaction", "batch"):
        return [_named(entry, digest) for entry in entries(content) if entry.method != "GET"]
    if content.get("type") in ("collection", "searchset", "document"):
        carried = [entry for entry in content.get("entry", []) if isinstance(entry, dict) and isinstance(entry.get("resource"), dict)]
        return [_put(index, entry["resource"], entry.get("fullUrl")) for index, entry in enumerate(carried)]
    raise BadRequest(f"A Bundle of type {content.get('type')} is not something to import.")


def _named(entry: Entry, digest: bytes) -> Entry:
    """A POST under the id the file gives it; what is there already stays."""
    if entry.method != "POST" or entry.if_none_exist:
        return entry
    id = _id_in(entry.full_url, entry.resource) or str(uuid5(_UNNAMED, f"{digest.hex()}/{entry.index}"))
    return replace(entry, id=id)


def _put(index: int, resource: Mapping[str, Any], full_url: Any) -> Entry:
    type = resource.get("resourceType")
    if not is_resource_type(type):
        raise UnknownType(type=type)
    id = _id_in(full_url if isinstance(full_url, str) else None, resource)
    if id is None:
        raise BadRequest(f"Entry {index} has neither an id nor a urn:uuid full URL, so that importing it twice would double it.")
    return Entry(index, "PUT", f"{type}/{id}", str(type), id, None, full_url, resource, None, None)


def _id_in(full_url: str | None, resource: Mapping[str, Any] | None) -> str | None:
    if full_url and full_url.startswith("urn:uuid:") and is_id(full_url[9:]):
        return full_url[9:]
    id = resource.get("id") if resource else None
    return id if is_id(id) else None


def _load_lines(document: Document, store: Store, report: Report) -> None:
    """NDJSON, a resource a line, some hundred lines a transaction; when one is refused, the lines of that transaction go in one by one."""
    lines = ((number, line) for number, line in enumerate(document.lines(), start=1) if line.strip())
    for group in _groups(lines):
        try:
            report.count(_load_group(group, store))
        except Exception as error:
            as_fhir_error(error)
            for number, line in group:
                _load_line(f"{document.name} line {number}", line, store, report)


def _groups(lines: Iterator[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    while group := list(islice(lines, LINES)):
        yield group


def _load_group(group: Sequence[tuple[int, bytes]], store: Store) -> list[str]:
    asked = [_put(index, loads(line), None) for index, (_, line) in enumerate(group)]
    with store.attempt("import", None), _references(store, strict=False):
        return [written.outcome for written in write(store, asked).values()]


@contextmanager
def _references(store: Store, *, strict: bool) -> Iterator[None]:
    """A transaction names everything it points at; files of single resources come in any order, so theirs may point at what comes later."""
    before, store.strict_references = store.strict_references, strict and store.strict_references
    try:
        yield
    finally:
        store.strict_references = before


def _load_line(name: str, line: bytes, store: Store, report: Report) -> None:
    try:
        report.count(_load_group([(0, line)], store))
    except Exception as error:
        report.refused.append(Refusal(name, _reason(as_fhir_error(error))))


def _reason(error: FhirError) -> str:
    said = [f"{issue.expression}: {issue.diagnostics}" if issue.expression else issue.diagnostics for issue in error.issues[:REASONS]]
    more = len(error.issues) - REASONS
    return " ".join(said) + (f" And {more:,} more." if more > 0 else "")
