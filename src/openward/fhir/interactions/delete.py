"""FHIR delete and conditional delete of a single match. The history stays.

https://hl7.org/fhir/R4/http.html#delete
https://hl7.org/fhir/R4/http.html#3.1.0.7.1
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openward.fhir.errors import NotFound, PreconditionFailed
from openward.fhir.ids import key as key_of
from openward.fhir.interactions.conditions import only_match
from openward.fhir.interactions.seeing import known_type
from openward.fhir.interactions.writing import lock, prepare_deletion
from openward.fhir.versions import Version, Written

if TYPE_CHECKING:
    from openward.fhir.store import Store


def delete(store: Store, type: str, id: str, *, if_match: int | None = None) -> Written:
    """Say that the resource is gone. Deleting what is already deleted changes nothing; what never was is NotFound."""
    known_type(type)
    key = key_of(type, id)
    with store.attempt("delete", type, key):
        return remove(store, type, id, lock(store, [(type, key)]).get((type, key)), if_match)


def remove(store: Store, type: str, id: str, before: Version | None, if_match: int | None) -> Written:
    """Stage the deletion of `before`, whose row is locked."""
    if before is None:
        raise NotFound(type=type, id=id)
    if before.deleted:
        return Written(before, "deleted")
    if if_match is not None and before.number != if_match:
        raise PreconditionFailed(type=type, id=id, version=before.number)
    return prepare_deletion(store, before)


def conditional_delete(store: Store, type: str, query: str) -> Written | None:
    """Delete the one resource that matches; None when there is none. Raises MultipleMatches rather than delete several."""
    known_type(type)
    with store.attempt("delete", type):
        match = only_match(store, type, query)
        return delete(store, type, match.id) if match else None
