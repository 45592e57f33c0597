"""FHIR transaction: every entry or none.

https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from openward.fhir.bundles.answers import NOTHING_DELETED, response_bundle, written_entry
from openward.fhir.bundles.entries import Entry, at_entry, entries, fault_at, located, raise_all, refuse_duplicates
from openward.fhir.errors import BadRequest, FhirError, Invalid, Issue, NotFound, PreconditionFailed
from openward.fhir.ids import is_id, new_id
from openward.fhir.ids import key as key_of
from openward.fhir.interactions.conditions import only_match, refuse_standing
from openward.fhir.interactions.delete import refuse_no_match, remove
from openward.fhir.interactions.fetch import Fetch, fetch
from openward.fhir.interactions.patch import amend
from openward.fhir.interactions.update import replace
from openward.fhir.interactions.writing import Address, is_same, lock, prepare, settle
from openward.fhir.patch import Patch, patch_in_entry
from openward.fhir.references import URNS, binaries, literals, outward, relink, rewrite, without_version
from openward.fhir.references import located as found_in
from openward.fhir.versions import Version, Written
from openward.fhir.virtual import refuse_made

if TYPE_CHECKING:
    from openward.fhir.store import Store

UUID = URNS[0]
STORING = frozenset({"POST", "PUT", "PATCH"})


def transaction(store: Store, bundle: Mapping[str, Any], fetch: Fetch = fetch, preference: str = "minimal") -> dict[str, Any]:
    """Carry out the entries in the specification's order — DELETE, POST, PUT, GET — and answer in the order they were sent.

    References inside `bundle` are rewritten in place.
    """
    asked = entries(bundle)
    answers: dict[int, dict[str, Any]] = {}
    with store.attempt("transaction", None):
        writing = [entry for entry in asked if not entry.asks]
        written = write(store, writing, closed=True)
        with _placed(writing):
            settle(store)
        answers.update({index: written_entry(outcome, preference) for index, outcome in written.items()})
        for entry in (entry for entry in asked if entry.asks):
            with located(entry):
                answers[entry.index] = fetch(store, entry)
    return response_bundle("transaction", [answers.get(entry.index, NOTHING_DELETED) for entry in asked])


def write(store: Store, asked: Sequence[Entry], *, closed: bool = False) -> dict[int, Written]:
    """Write every entry set-based, inside the caller's attempt; index → what became of it.

    A POST that already has an id (an import gives it one) keeps what stands under that id. `closed`: what they call by a UUID is among them.
    """
    refuse_duplicates(asked)
    fresh = {entry.index for entry in asked if entry.method == "POST" and entry.id is None}
    is_conditional = any(entry.query or entry.if_none_exist for entry in asked)
    kept = _identify(store, _in_line(asked) if is_conditional else asked)
    if is_conditional:  # which may have led to what another entry names
        _part_from_deleted(asked, kept)
        refuse_duplicates([entry for entry in asked if entry.index not in kept])
    standing = lock(store, [address(entry) for entry in asked if entry.id and entry.index not in fresh])
    late = _rewrite(store, asked, closed=closed)
    written = {index: Written(version, "existing") for index, version in kept.items()}
    for entry in asked:
        if entry.method == "DELETE":
            with located(entry):
                gone = _delete(store, entry, standing)
            if gone is not None:
                written[entry.index] = gone
    storing = [entry for entry in asked if entry.method in STORING and entry.index not in kept]
    _store_all(store, [entry for entry in storing if entry.index not in late], standing, written)
    if late:
        waiting = [entry for entry in storing if entry.index in late]
        _resolve(store, waiting)
        _store_all(store, waiting, standing, written)
    return written


def address(entry: Entry) -> Address:
    assert entry.id is not None
    return entry.type, key_of(entry.type, entry.id)


def _in_line(asked: Sequence[Entry]) -> list[Entry]:
    """In one order whatever they were sent in: who asks for a condition waits for whoever asked for it before, and no two transactions for each other."""
    return sorted(asked, key=lambda entry: (entry.type, _condition(entry) or ""))


def _condition(entry: Entry) -> str | None:
    return entry.if_none_exist if entry.method == "POST" else entry.query


def _identify(store: Store, asked: Sequence[Entry]) -> dict[int, Version]:
    """Give every entry the id it writes; index → version of those whose If-None-Exist found one."""
    kept: dict[int, Version] = {}
    named: dict[tuple[str, str], str] = {}
    for entry in asked:
        query, match = _condition(entry), None
        if query is not None:
            with located(entry):
                match = only_match(store, entry.type, query)
        if match:
            entry.id = match.id
            if entry.method == "POST":
                kept[entry.index] = match
        elif entry.id is None and entry.method == "PATCH":
            raise NotFound(f"{entry.url} matches nothing to change.", issues=[Issue("not-found", "Nothing matches the condition.", entry.path)])
        elif entry.id is None and entry.method != "DELETE":
            entry.id = named.setdefault((entry.type, query), _own_id(entry) or new_id()) if query else new_id()
    return kept


def _own_id(entry: Entry) -> str | None:
    """The id under which a conditional update that matches nothing creates. https://hl7.org/fhir/R4/http.html#cond-update"""
    id = entry.resource.get("id") if entry.method == "PUT" and entry.resource is not None else None
    return id if is_id(id) else None


def _part_from_deleted(asked: Sequence[Entry], kept: dict[int, Version]) -> None:
    """DELETE comes first: what an If-None-Exist found and another entry deletes is no longer there, so that it is created."""
    gone = {entry.reference for entry in asked if entry.method == "DELETE" and entry.id}
    named: dict[tuple[str, str | None], str] = {}
    for entry in asked:
        if entry.index in kept and entry.reference in gone:
            del kept[entry.index]
            entry.id = named.setdefault((entry.type, entry.if_none_exist), new_id())


def _rewrite(store: Store, asked: Sequence[Entry], *, closed: bool) -> set[int]:
    """Put the new references where the bundle's own names stand: full URLs, and conditional references such as `Patient?identifier=…`.

    The indexes of the entries with a condition that nothing matches yet: what matches may be written by another entry.
    """
    late: set[int] = set()
    open_entries = [entry for entry in asked if entry.sound is None]
    names = new_names(asked) if open_entries else {}
    files = binaries(names)
    for entry in open_entries:
        carried = entry.resource if entry.resource is not None else entry.patch
        entry.slots = found = outward(carried) if carried is not None else []
        for reference in literals(found):
            if reference in names:
                continue
            if _is_conditional(reference):
                with located(entry):
                    match = _conditional(store, reference)
                if match:
                    names[reference] = match.reference
                else:
                    late.add(entry.index)
            elif closed and reference.startswith(UUID) and entry.method == "POST" and without_version(reference) not in names:
                raise Invalid(issues=[Issue("not-found", f"{reference} is no entry of this bundle.", entry.path)])
        rewrite(found, names)
        if entry.resource is not None:
            relink(entry.resource, names, files)
        elif entry.patch is not None:
            entry.names = {old: new for old, new in names.items() if old.startswith(URNS)}
    return late


def _is_conditional(reference: str) -> bool:
    return "?" in reference and ":" not in reference.partition("?")[0]


def _resolve(store: Store, waiting: Sequence[Entry]) -> None:
    """Conditional references come last, when all that others write is there to be found. https://hl7.org/fhir/R4/http.html#trules"""
    for entry in waiting:
        found = outward(entry.resource if entry.resource is not None else entry.patch or {})
        names: dict[str, str] = {}
        with located(entry):
            for reference in filter(_is_conditional, literals(found)):
                match = _conditional(store, reference)
                if match is None:
                    raise PreconditionFailed(f"The reference {reference} matches nothing.")
                names[reference] = match.reference
        rewrite(found, names)


@contextmanager
def _placed(asked: Sequence[Entry]) -> Iterator[None]:
    """What is wrong with a reference names the first entry that has it."""
    try:
        yield
    except Invalid as error:
        places: dict[tuple[str, str], Entry] = {}
        for entry in asked:
            for path, reference in found_in(entry.resource or {}, entry.type):
                places.setdefault((path, reference), entry)
        error.issues = [
            at_entry(issue, found) if (found := places.get((issue.expression or "", issue.diagnostics.partition(" ")[0]))) else issue
            for issue in error.issues
        ]
        raise


def new_names(asked: Sequence[Entry]) -> dict[str, str]:
    """What the entries' resources are called in the bundle → what they are called from now on."""
    return {name: entry.reference for entry in asked if entry.resource is not None for name in entry.former_names if name != entry.reference}


def _conditional(store: Store, reference: str) -> Version | None:
    type, _, query = reference.partition("?")
    return only_match(store, type, query, waiting=False)


def _delete(store: Store, entry: Entry, standing: Mapping[Address, Version]) -> Written | None:
    refuse_made(entry.type)
    if entry.id is None:
        refuse_no_match(entry.type, entry.query or "", entry.if_match)
        return None
    type, key = address(entry)
    return remove(store, type, entry.id or "", standing.get((type, key)), entry.if_match)


def _store_all(
    store: Store,
    asked: Sequence[Entry],
    standing: Mapping[Address, Version],
    written: dict[int, Written],
) -> None:
    """POST before PUT; what validation finds is collected over all entries and raised at once."""
    faults: list[Invalid] = []
    for entry in sorted(asked, key=lambda entry: entry.method != "POST"):
        try:
            written[entry.index] = _store(store, entry, standing, entry.resource or {})
        except FhirError as error:
            faults.append(fault_at(error, entry))
    raise_all(faults)


def _renaming(change: Patch, names: Mapping[str, str]) -> Patch:
    """The patch, and after it the names of the bundle: in the document a Binary holds nobody can tell a reference from any other text."""

    def renamed(resource: Mapping[str, Any]) -> dict[str, Any]:
        changed = change(resource)
        rewrite(outward(changed), names)
        return changed

    return renamed


def _store(store: Store, entry: Entry, standing: Mapping[Address, Version], resource: Mapping[str, Any]) -> Written:
    if entry.id is None:
        raise BadRequest(f"{entry.method} {entry.url} is not supported in a transaction.")
    before = standing.get(address(entry)) if standing else None
    if entry.patch is not None:
        return amend(store, entry.type, entry.id, _renaming(patch_in_entry(entry.patch), entry.names or {}), before, entry.if_match)
    if entry.method == "POST":
        if before and not before.deleted:
            return Written(before, "unchanged" if is_same({**resource, "id": entry.id}, before.content) else "existing")
        return prepare(store, "create", entry.type, entry.id, resource, before, entry.sound, entry.slots)
    if resource.get("id") not in (None, entry.id):
        raise BadRequest(f"The resource's id is not the id of {entry.url}.")
    if entry.if_none_match is not None:
        refuse_standing(store, entry.type, entry.id, before, entry.if_none_match)
    return replace(store, entry.type, entry.id, resource, before, entry.if_match, entry.sound)
