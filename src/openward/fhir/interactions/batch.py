"""FHIR batch: every entry on its own; and the choice between batch and transaction.

https://hl7.org/fhir/R4/http.html#batch
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from openward.fhir.bundles.answers import failed_entry, response_bundle, written_entry
from openward.fhir.bundles.entries import ORDER, Entry, entries, located
from openward.fhir.errors import BadRequest
from openward.fhir.failures import as_fhir_error
from openward.fhir.interactions.create import create
from openward.fhir.interactions.delete import conditional_delete, delete
from openward.fhir.interactions.fetch import fetch
from openward.fhir.interactions.patch import conditional_patch, patch
from openward.fhir.interactions.transaction import transaction
from openward.fhir.interactions.update import conditional_update, update
from openward.fhir.patch import Patch, patch_in_entry

if TYPE_CHECKING:
    from openward.fhir.store import Store


def bundle(store: Store, bundle: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out a batch or transaction. Raises BadRequest for anything else."""
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") not in ("batch", "transaction"):
        raise BadRequest("Only a Bundle of type batch or transaction can be carried out.")
    return transaction(store, bundle) if bundle["type"] == "transaction" else batch(store, bundle)


def batch(store: Store, bundle: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out the entries one by one, DELETE first and GET last; one that fails leaves the others alone."""
    answers: dict[int, dict[str, Any]] = {}
    asked = entries(bundle)
    for entry in sorted(asked, key=lambda entry: ORDER[entry.method]):
        try:
            with located(entry):
                answers[entry.index] = _carry_out(store, entry)
        except Exception as error:
            answers[entry.index] = failed_entry(as_fhir_error(error))
    return response_bundle("batch", [answers[entry.index] for entry in asked])


def _carry_out(store: Store, entry: Entry) -> dict[str, Any]:
    if entry.method in ("GET", "HEAD"):
        return fetch(store, entry.url)
    if entry.method == "DELETE":
        return _delete(store, entry)
    if entry.patch is not None:
        return _patch(store, entry, patch_in_entry(entry.patch))
    if entry.resource is None:
        raise BadRequest(f"{entry.method} {entry.url} is not supported in a batch.")
    if entry.method == "POST":
        return written_entry(create(store, entry.resource, if_none_exist=entry.if_none_exist))
    if entry.query:
        return written_entry(conditional_update(store, entry.resource, entry.query, if_match=entry.if_match))
    if entry.resource.get("id") not in (None, entry.id):
        raise BadRequest(f"The resource's id is not the id of {entry.url}.")
    return written_entry(update(store, {**entry.resource, "id": entry.id}, if_match=entry.if_match))


def _patch(store: Store, entry: Entry, change: Patch) -> dict[str, Any]:
    if entry.id:
        return written_entry(patch(store, entry.type, entry.id, change, if_match=entry.if_match))
    return written_entry(conditional_patch(store, entry.type, entry.query or "", change, if_match=entry.if_match))


def _delete(store: Store, entry: Entry) -> dict[str, Any]:
    gone = delete(store, entry.type, entry.id, if_match=entry.if_match) if entry.id else conditional_delete(store, entry.type, entry.query or "")
    return written_entry(gone) if gone else {"response": {"status": "204 No Content"}}
