"""The first half of an import: files into pieces, pieces into resources that are sound; without the database."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from openward.fhir.bundles.entries import Entry, entries, fault_at, raise_all, refuse_duplicates
from openward.fhir.definitions import is_resource_type
from openward.fhir.errors import BadRequest, FhirError, UnknownType
from openward.fhir.ids import is_id
from openward.fhir.interactions.sound import sound
from openward.fhir.interactions.transaction import new_names
from openward.fhir.json import loads
from openward.fhir.references import binaries, literals, outward, relink, rewrite
from openward.fhir.sources import Document, Unreadable, documents

LINES = 500  # of NDJSON in one transaction
REASONS = 3  # named of a refused document; the rest are counted

# Ids for what a bundle creates without saying what it is called: the same file gives the same id.
_UNNAMED = UUID("7f2b7b5e-6a0c-5a52-9d0e-3c1f4a8d2e61")


@dataclass(frozen=True, slots=True)
class Begun:
    """Another document is being read."""

    name: str


@dataclass(frozen=True, slots=True)
class Known:
    """This very document has been imported before."""

    name: str


@dataclass(frozen=True, slots=True)
class Moved:
    """How far into all the files, in bytes, and which one is being read."""

    position: int
    name: str


@dataclass(frozen=True, slots=True)
class Refusal:
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Piece:
    """What one transaction takes, as it stands in the file: a document with its SHA-256, or some of the lines of NDJSON from `line` on."""

    name: str
    data: bytes
    digest: bytes | None
    line: int = 0


Item = Piece | Refusal | Begun | Known | Moved


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes in together. `strict`: its references must all lead somewhere. `names`: of each entry, where they are lines of NDJSON."""

    name: str
    entries: Sequence[Entry]
    digest: bytes | None
    strict: bool
    names: Sequence[str] = ()


def read(paths: Sequence[Path], known: Collection[bytes]) -> Iterator[Item]:
    """The items of all files in their order. `known` are digests of documents not to take again; it may grow meanwhile."""
    before = 0
    for path in paths:
        try:
            for document, position in documents(path):
                yield Begun(document.name)
                yield from _pieces(document, known)
                yield Moved(before + position, path.name)
        except Unreadable as error:
            yield Refusal(path.name, str(error))
        before += path.stat().st_size
        yield Moved(before, path.name)


def _pieces(document: Document, known: Collection[bytes]) -> Iterator[Item]:
    try:
        if document.is_ndjson:
            yield from _groups(document)
            return
        data = document.read()
        digest = hashlib.sha256(data).digest()
        yield Known(document.name) if digest in known else Piece(document.name, data, digest)
    except Unreadable as error:
        yield Refusal(document.name, str(error))


def _groups(document: Document) -> Iterator[Piece]:
    lines, first = document.lines(), 1
    while group := list(islice(lines, LINES)):
        yield Piece(document.name, b"".join(group), None, first)
        first += len(group)


def examine(piece: Piece, tenant: int) -> tuple[Batch | None, list[Refusal]]:
    """What a piece asks to be written, found sound, and what of it is refused: a document as a whole, NDJSON line by line."""
    if piece.digest is None:
        return _examine_lines(piece, tenant)
    try:
        content = loads(piece.data)
        asked = examined(as_entries(content, piece.digest), tenant)
    except FhirError as error:
        return None, [Refusal(piece.name, reason(error))]
    return Batch(piece.name, asked, piece.digest, strict=content.get("type") == "transaction"), []


def _examine_lines(piece: Piece, tenant: int) -> tuple[Batch, list[Refusal]]:
    taken: list[tuple[str, Entry]] = []
    refused: list[Refusal] = []
    for number, line in enumerate(piece.data.split(b"\n"), start=piece.line):
        if not line.strip():
            continue
        name = f"{piece.name} line {number}"
        try:
            taken.append((name, examined([_put(len(taken), loads(line), None)], tenant)[0]))
        except FhirError as error:
            refused.append(Refusal(name, reason(error, of_line=True)))
    return Batch(piece.name, [entry for _, entry in taken], None, strict=False, names=[name for name, _ in taken]), refused


def as_entries(content: Mapping[str, Any], digest: bytes) -> list[Entry]:
    """What a document asks to be written: the entries of a transaction or batch, the resources of any other Bundle, or the resource itself."""
    if content.get("resourceType") != "Bundle":
        return [_put(0, content, None)]
    if content.get("type") in ("transaction", "batch"):
        return [_named(entry, digest) for entry in entries(content) if not entry.asks]
    if content.get("type") in ("collection", "searchset", "document"):
        carried = [entry for entry in content.get("entry", []) if isinstance(entry, dict) and isinstance(entry.get("resource"), dict)]
        return [_put(index, entry["resource"], entry.get("fullUrl")) for index, entry in enumerate(carried)]
    raise BadRequest(f"A Bundle of type {content.get('type')} is not something to import.")


def examined(asked: list[Entry], tenant: int) -> list[Entry]:
    """The entries with their references rewritten and their resources found sound. Raises Invalid with every fault of all of them.

    Entries whose names only a search can tell are left as they are.
    """
    refuse_duplicates(asked)
    found = {entry.index: outward(entry.resource) for entry in asked if entry.resource is not None}
    if any(_is_conditional(entry) for entry in asked) or any("?" in text for each in found.values() for text in literals(each)):
        return asked
    names, faults = new_names(asked), []
    files = binaries(names)
    for entry in asked:
        if entry.resource is None or entry.id is None:
            continue
        try:
            rewrite(found[entry.index], names)
            relink(entry.resource, names, files)
            entry.sound = sound(entry.type, entry.id, entry.resource, found[entry.index], tenant=tenant)
        except FhirError as error:
            faults.append(fault_at(error, entry))
    raise_all(faults)
    return asked


def _is_conditional(entry: Entry) -> bool:
    return entry.id is None or entry.query is not None or entry.if_none_exist is not None


def _named(entry: Entry, digest: bytes) -> Entry:
    """A POST under the id the file gives it; what is there already stays."""
    if entry.method != "POST" or entry.if_none_exist:
        return entry
    entry.id = _id_in(entry.full_url, entry.resource) or str(uuid5(_UNNAMED, f"{digest.hex()}/{entry.index}"))
    return entry


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


def reason(error: FhirError, *, of_line: bool = False) -> str:
    """In words. Of a line of NDJSON its number tells the place, and not where it stood among those read together."""
    said = [f"{issue.expression}: {issue.diagnostics}" if issue.expression and not of_line else issue.diagnostics for issue in error.issues[:REASONS]]
    more = len(error.issues) - REASONS
    return " ".join(said) + (f" And {more:,} more." if more > 0 else "")
