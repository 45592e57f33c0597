"""FHIR delete and conditional delete of a single match. The history stays.

https://hl7.org/fhir/R4/http.html#delete
https://hl7.org/fhir/R4/http.html#3.1.0.7.1
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openward.fhir.errors import NotFound, PreconditionFailed
from openward.fhir.ids import key as key_of
from openward.fhir.interactions.conditions import is_matched, only_match, refuse_absent
from openward.fhir.interactions.seeing import known_type, may_see
from openward.fhir.interactions.unlocked import act_on_last
from openward.fhir.interactions.writing import prepare_deletion
from openward.fhir.versions import Version, Written
from openward.fhir.virtual import refuse_made

if TYPE_CHECKING:
    from openward.fhir.store import Store


def delete(store: Store, type: str, id: str, *, if_match: int | None = None) -> Written | None:
    """Say that the resource is gone. Deleting what is already deleted changes nothing, nor does deleting what never was: None.

    What never was is NotFound to an actor who may not delete all of the type: to them it must look like what they may not see.
    """
    known_type(type)
    refuse_made(type)
    return act_on_last(store, "delete", type, key_of(type, id), lambda before: remove(store, type, id, before, if_match))


def remove(store: Store, type: str, id: str, before: Version | None, if_match: int | None) -> Written | None:
    """Stage the deletion of `before`, whose row is locked."""
    if before is None or before.deleted:
        return _nothing(store, type, id, before, if_match)
    if not is_matched(if_match, before):
        raise PreconditionFailed(type=type, id=id, version=before.number)
    return prepare_deletion(store, before)


def _nothing(store: Store, type: str, id: str, before: Version | None, if_match: int | None) -> Written | None:
    where = store.policy.where(store.actor, "delete", type)
    if where is None or (before is None and not where.everything):
        raise NotFound(type=type, id=id)
    if before is None:
        if if_match is not None:
            raise refuse_absent(type, id)
        return None
    if not may_see(store, "delete", type, id):
        raise NotFound(type=type, id=id)
    return Written(before, "deleted")


def conditional_delete(store: Store, type: str, query: str, *, if_match: int | None = None) -> Written | None:
    """Delete the one resource that matches; None when there is none.

    Raises MultipleMatches rather than delete several, and PreconditionFailed when what matches, or nothing, is not the version that was named.
    """
    known_type(type)
    refuse_made(type)
    with store.attempt("delete", type):
        match = only_match(store, type, query)
        if match is None:
            refuse_no_match(type, query, if_match)
            return None
        return delete(store, type, match.id, if_match=if_match)


def refuse_no_match(type: str, query: str, if_match: int | None) -> None:
    """Who names a version of what is to be deleted expects it to be there. https://www.rfc-editor.org/rfc/rfc9110#field.if-match"""
    if if_match is not None:
        raise PreconditionFailed(f"Nothing matches {type}?{query[:200]}.")
