"""FHIR update, update as create, and conditional update.

https://hl7.org/fhir/R4/http.html#update
https://hl7.org/fhir/R4/http.html#cond-update
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from openward.fhir.errors import BadRequest, PreconditionFailed, Refused
from openward.fhir.ids import is_id, new_id
from openward.fhir.ids import key as key_of
from openward.fhir.interactions.conditions import is_matched, only_match, refuse_absent, refuse_standing
from openward.fhir.interactions.seeing import may_see
from openward.fhir.interactions.sound import Sound
from openward.fhir.interactions.unlocked import act_on_last
from openward.fhir.interactions.writing import prepare
from openward.fhir.json import dumps
from openward.fhir.search.subset import SUBSETTED
from openward.fhir.versions import Version, Written, parsed

if TYPE_CHECKING:
    from openward.fhir.store import Store


PART = (SUBSETTED["system"], SUBSETTED["code"])


class Subset(Refused):
    """{type}/{id} is marked SUBSETTED: a part of it would overwrite the whole. Read it without _elements and _summary, and send all of it."""


def update(store: Store, resource: Mapping[str, Any], *, if_match: int | None = None, if_none_match: int | None = None) -> Written:
    """Store a new version of the resource its `id` names; an id that is not there is created.

    Of two writers that both name the version they read, exactly one wins; the other gets PreconditionFailed. So does who names by
    `if_none_match` a version that must not be there (ANY_VERSION: none at all) when it is. https://www.rfc-editor.org/rfc/rfc9110#field.if-none-match
    """
    type, id = str(resource.get("resourceType")), resource.get("id")
    if not is_id(id):
        raise BadRequest("An update names the resource by its id: 1 to 64 letters, digits, '-' and '.'.")
    # A guard amends it in place: who begins once more begins with what was sent.
    sent = chain((resource,), map(parsed, repeat(dumps(resource))))

    def act(before: Version | None) -> Written:
        if if_none_match is not None:
            refuse_standing(store, type, str(id), before, if_none_match)
        return replace(store, type, str(id), next(sent), before, if_match)

    return act_on_last(store, "update", type, key_of(type, str(id)), act)


def replace(
    store: Store, type: str, id: str, resource: Mapping[str, Any], before: Version | None, if_match: int | None, known: Sound | None = None
) -> Written:
    """The next version after `before`, whose row is locked."""
    live = before is not None and not before.deleted
    if if_match is not None:
        theirs = may_see(store, "update", type, id)  # asked of what is not there, too: nobody is to tell the two apart by the work
        if before is None or not live or not theirs:
            raise refuse_absent(type, id)
        if not is_matched(if_match, before):
            raise PreconditionFailed(type=type, id=id, version=before.number)
    if live and store.keeps_labels and is_subset(resource):
        raise Subset(type=type, id=id)
    if live and before is not None and store.keeps_labels and known is None:
        resource = with_labels(resource, before.content)
    return prepare(store, "update" if live else "create", type, id, resource, before, known)


def is_subset(resource: Mapping[str, Any]) -> bool:
    """Whether it says of itself that it is a part: the answer of `_elements` or `_summary`. https://hl7.org/fhir/R4/search.html#summary"""
    meta = resource.get("meta")
    tags = meta.get("tag") if isinstance(meta, Mapping) else None
    return isinstance(tags, list) and any(isinstance(tag, Mapping) and (tag.get("system"), tag.get("code")) == PART for tag in tags)


def with_labels(resource: Mapping[str, Any], before: Mapping[str, Any]) -> Mapping[str, Any]:
    """The new content with the labels it does not speak of: security labels stay, and so do tags of systems it has no tag of.

    Labels say how a resource is to be handled, and a client that knows nothing of them must not lose them; `$meta-delete` takes them
    away. Profiles are what the new content says. https://hl7.org/fhir/R4/resource.html#tag-updates
    """
    old, new = before.get("meta", {}), resource.get("meta", {})
    if not isinstance(new, dict) or not (old.keys() & {"tag", "security"}):
        return resource
    kept = {
        "tag": _joined(new.get("tag"), old.get("tag", []), lambda tag: tag.get("system")),
        "security": _joined(new.get("security"), old.get("security", []), lambda label: (label.get("system"), label.get("code"))),
    }
    return {**resource, "meta": {**new, **{name: labels for name, labels in kept.items() if labels}}}


def _joined(new: Any, old: list[Any], identity: Callable[[Any], Any]) -> Any:
    """The new ones, then the old ones that none of them stands for. What is no list of objects is left to validation."""
    if new is None:
        return old
    if not isinstance(new, list) or not all(isinstance(one, dict) for one in new):
        return new
    said = [identity(one) for one in new]
    return [*new, *(one for one in old if identity(one) not in said)]


def conditional_update(
    store: Store, resource: Mapping[str, Any], query: str, *, if_match: int | None = None, if_none_match: int | None = None
) -> Written:
    """Update the one resource that matches the search, or create it when none does.

    Raises MultipleMatches, and BadRequest when the body's id is not the id of the match.
    """
    type = str(resource.get("resourceType"))
    with store.attempt("update", type):
        match = only_match(store, type, query)
        id = resource.get("id")
        if match is None:
            return update(store, {**resource, "id": id or new_id()}, if_match=if_match, if_none_match=if_none_match)
        if id not in (None, match.id):
            raise BadRequest(f"The condition matches {match.reference}, not {type}/{id}.")
        return update(store, {**resource, "id": match.id}, if_match=if_match, if_none_match=if_none_match)
