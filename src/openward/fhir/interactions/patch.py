"""FHIR patch and conditional patch: an update whose body says what to change.

https://hl7.org/fhir/R4/http.html#patch
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openward.fhir.errors import BadRequest, Gone, NotFound, PreconditionFailed
from openward.fhir.ids import key as key_of
from openward.fhir.interactions.conditions import is_matched, only_match
from openward.fhir.interactions.seeing import known_type, may_see
from openward.fhir.interactions.unlocked import act_on_last
from openward.fhir.interactions.writing import prepare
from openward.fhir.patch import Patch
from openward.fhir.versions import Version, Written

if TYPE_CHECKING:
    from openward.fhir.store import Store


def patch(store: Store, type: str, id: str, change: Patch, *, if_match: int | None = None) -> Written:
    """Change the resource as it stands. Policy, guards and audit are those of an update.

    Raises NotFound, Gone, PreconditionFailed, PatchFailed, and what an update raises.
    """
    known_type(type)
    return act_on_last(store, "update", type, key_of(type, id), lambda before: amend(store, type, id, change, before, if_match))


def conditional_patch(store: Store, type: str, query: str, change: Patch, *, if_match: int | None = None) -> Written:
    """Change the one resource that matches the search. Raises NotFound when none does, MultipleMatches when several do."""
    known_type(type)
    with store.attempt("update", type):
        match = only_match(store, type, query)
        if match is None:
            raise NotFound("Nothing matches the condition.")
        return patch(store, type, match.id, change, if_match=if_match)


def amend(store: Store, type: str, id: str, change: Patch, before: Version | None, if_match: int | None) -> Written:
    """The next version after `before`, whose row is locked."""
    # A patch works on what it does not carry, and its tests could be used to ask for it: only for who may read the resource.
    if not may_see(store, "read", type, id) or before is None:
        raise NotFound(type=type, id=id)
    if before.deleted:
        raise Gone(type=type, id=id)
    if not store.policy.allows(store.actor, "update", type, before.content, before.patient):
        raise NotFound(type=type, id=id)
    if not is_matched(if_match, before):
        raise PreconditionFailed(type=type, id=id, version=before.number)
    resource = change(before.content)
    if resource.get("resourceType") != type or resource.get("id") != before.id:
        raise BadRequest("A patch changes neither the type of a resource nor its id.")
    return prepare(store, "update", type, id, resource, before)
