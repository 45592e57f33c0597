"""FHIR batch: every entry on its own; and the choice between batch and transaction.

https://hl7.org/fhir/R4/http.html#batch
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from openward.fhir.bundles.answers import NOTHING_DELETED, failed_entry, response_bundle, written_entry
from openward.fhir.bundles.entries import MAX_ENTRIES, Entry, located, rank, understood
from openward.fhir.errors import BadRequest, Invalid, Issue, TooCostly
from openward.fhir.failures import as_fhir_error
from openward.fhir.interactions.create import create
from openward.fhir.interactions.delete import conditional_delete, delete
from openward.fhir.interactions.fetch import Fetch, fetch
from openward.fhir.interactions.patch import conditional_patch, patch
from openward.fhir.interactions.transaction import transaction
from openward.fhir.interactions.update import conditional_update, update
from openward.fhir.patch import Patch, patch_in_entry
from openward.fhir.references import URNS
from openward.fhir.references import located as found_in
from openward.fhir.versions import Written

if TYPE_CHECKING:
    from openward.fhir.store import Store


def bundle(store: Store, bundle: Mapping[str, Any], fetch: Fetch = fetch, preference: str = "minimal") -> dict[str, Any]:
    """Carry out a batch or transaction; `preference` is what comes back of each write. Raises BadRequest for anything else, TooCostly."""
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") not in ("batch", "transaction"):
        raise BadRequest("Only a Bundle of type batch or transaction can be carried out.")
    asked = bundle.get("entry")
    if isinstance(asked, list) and len(asked) > MAX_ENTRIES:
        raise TooCostly(f"A Bundle has at most {MAX_ENTRIES:,} entries, not {len(asked):,}.")
    return (transaction if bundle["type"] == "transaction" else batch)(store, bundle, fetch, preference)


def batch(store: Store, bundle: Mapping[str, Any], fetch: Fetch = fetch, preference: str = "minimal") -> dict[str, Any]:
    """Carry out the entries one by one, DELETE first and what asks last; one that fails leaves the others alone."""
    asked, faults = understood(bundle)
    names = {entry.full_url for entry in asked if entry.full_url and entry.full_url.startswith(URNS)}
    answers = {index: failed_entry(fault) for index, fault in faults.items()}
    for entry in sorted(asked, key=rank):
        try:
            with located(entry):
                if names:
                    _refuse_each_other(entry, names)
                written = None if entry.asks else _carry_out(store, entry)
                answers[entry.index] = fetch(store, entry) if entry.asks else _answer(written, preference)
        except Exception as error:
            answers[entry.index] = failed_entry(as_fhir_error(error))
    return response_bundle("batch", [answers[index] for index in sorted(answers)])


def _refuse_each_other(entry: Entry, names: Collection[str]) -> None:
    """https://hl7.org/fhir/R4/http.html#brules: entries of a batch do not refer to each other, and no id takes the place of a name here."""
    resource = entry.resource or {}
    faults = [
        Issue("not-found", f"{reference} is another entry, which only a transaction may refer to.", path)
        for path, reference in found_in(resource, entry.type)
        if reference in names
    ]
    if faults:
        raise Invalid(issues=faults)


def _answer(written: Written | None, preference: str) -> dict[str, Any]:
    return written_entry(written, preference) if written else NOTHING_DELETED


def _carry_out(store: Store, entry: Entry) -> Written | None:
    """None: a conditional delete that matches nothing."""
    if entry.method == "DELETE":
        if entry.id:
            return delete(store, entry.type, entry.id, if_match=entry.if_match)
        return conditional_delete(store, entry.type, entry.query or "", if_match=entry.if_match)
    if entry.patch is not None:
        return _patch(store, entry, patch_in_entry(entry.patch))
    if entry.resource is None:
        raise BadRequest(f"{entry.method} {entry.url} is not supported in a batch.")
    if entry.method == "POST":
        return create(store, entry.resource, if_none_exist=entry.if_none_exist)
    if entry.query:
        return conditional_update(store, entry.resource, entry.query, if_match=entry.if_match, if_none_match=entry.if_none_match)
    if entry.resource.get("id") not in (None, entry.id):
        raise BadRequest(f"The resource's id is not the id of {entry.url}.")
    return update(store, {**entry.resource, "id": entry.id}, if_match=entry.if_match, if_none_match=entry.if_none_match)


def _patch(store: Store, entry: Entry, change: Patch) -> Written:
    if entry.id:
        return patch(store, entry.type, entry.id, change, if_match=entry.if_match)
    return conditional_patch(store, entry.type, entry.query or "", change, if_match=entry.if_match)
