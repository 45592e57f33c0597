"""What keeps the policy's own facts right, whoever writes: labels by rule, labels that stay, consents, relations of care."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from openward.access import directives, ties
from openward.access.actor import Actor
from openward.access.known import changed, forget, house
from openward.access.labels import CODED, LABELS, PARENTS, RELABEL, implied, labels_of, parents_of
from openward.access.permissions import Permission
from openward.access.roles import role_of
from openward.access.rules import inherited, rules_of, written
from openward.access.standing import standing_for
from openward.fhir.definitions import RESOURCE_TYPES, type_number
from openward.fhir.errors import Forbidden
from openward.fhir.guards import Change, guard
from openward.fhir.work import UnitOfWork

IN_USE = """insert into access_labelinuse (tenant, rtype, label) select %(tenant)s, %(rtype)s, l from unnest(%(labels)s::text[]) l on conflict do nothing"""


TIE = ties.TIE.encode()


class LabelsStay(Forbidden):
    """Changing a sensitivity label is a right of its own, and you do not have it."""


@guard(*RESOURCE_TYPES, is_quiet=True)
def label(change: Change, work: UnitOfWork) -> None:
    """A sensitivity label stays unless one who has the right takes it away; what is coded as sensitive gets its label. Raises LabelsStay."""
    data = change.resource.data
    before = change.before.data if change.before is not None else None
    if change.type not in CODED and "security" not in data.get("meta", ()) and (before is None or "security" not in before.get("meta", ())):
        return
    had, has = labels_of(before) if before else frozenset(), labels_of(data)
    if before is not None and had != has and not may_relabel(work.actor):
        _stay(data, had, has, work.actor)
        has = labels_of(data)
    fresh = _fresh(data, before, work) - has
    if fresh:
        _add(data, fresh)
        has |= fresh
    if change.type in PARENTS:
        written(work.store, change.type, change.key, has)
    is_mark = change.type == "Patient" and had != has
    if has or is_mark:
        _note_use(change.type, has, work, is_mark=is_mark)


def _fresh(data: dict[str, Any], before: Mapping[str, Any] | None, work: UnitOfWork) -> frozenset[str]:
    """What falls on it now and did not before: a label that was taken away by hand does not come back while the codes are the same."""
    named = parents_of(data) - (parents_of(before) if before else frozenset())
    from_parents = inherited(work.store, named) if named else frozenset()
    if data["resourceType"] not in CODED:
        return from_parents
    more = rules_of(work.actor)
    return from_parents | (implied(data, more) - (implied(before, more) if before else frozenset()))


def may_relabel(actor: Actor) -> bool:
    if actor.kind == "system":
        return True
    if actor.kind == "patient":
        return False
    role = role_of(actor)
    return (role is not None and role.may(Permission.LABEL_RECORDS)) or standing_for(actor)[1].may_relabel


def _stay(data: dict[str, Any], had: frozenset[str], has: frozenset[str], actor: Actor) -> None:
    """A person's page that does not speak of labels loses none; anything else is refused."""
    if has - had or actor.kind != "staff":
        raise LabelsStay
    _add(data, had - has)


def _add(data: dict[str, Any], labels: frozenset[str]) -> None:
    meta = data.setdefault("meta", {})
    meta["security"] = [*meta.get("security", ()), *(LABELS[label].coding for label in sorted(labels))]


def _note_use(type: str, labels: frozenset[str], work: UnitOfWork, *, is_mark: bool) -> None:
    """That the type has such labels now, or that a patient's own changed, which every process must know before it answers from it."""
    if labels - house(work.actor).used.get(type_number(type), frozenset()):
        work.store.connection.execute(IN_USE.encode(), {"tenant": work.tenant, "rtype": type_number(type), "labels": sorted(labels)})
    elif not is_mark:
        return
    forget()
    work.on_commit(changed)


@guard("Encounter", "Appointment", "CareTeam", "Patient")
def tie(change: Change, work: UnitOfWork) -> None:
    """Who cares for a patient is kept where the policy asks for it; one who registers a patient for their own facility has them in reach."""
    data: Mapping[str, Any] = change.resource.data
    found = ties.holders(data)
    if change.type == "Patient" and change.interaction == "create" and work.actor.kind == "staff":
        standing = standing_for(work.actor)[1]
        found += [] if standing.reach == "everyone" else list(standing.holders[:1])
    until = ties.until(data)
    if not found or change.patient is None or (until is not None and until <= timezone.now()):
        return  # a relation that is over ties nobody: most of what is brought in from elsewhere
    asked = {"tenant": work.tenant, "patient": change.patient, "until": until, "holders": found}
    work.store.connection.execute(TIE, asked, prepare=True)


@guard("Consent", on=("create", "update", "delete"))
def keep_directives(change: Change, work: UnitOfWork) -> None:
    """What a consent permits and denies holds from its commit on, in every query."""
    rows = [] if change.interaction == "delete" else directives.of(change.resource.data)
    connection = work.store.connection
    connection.execute(directives.FORGET.encode(), {"tenant": work.tenant, "consent": change.key})
    for place, row in enumerate(rows if change.patient is not None else ()):
        named = {"tenant": work.tenant, "consent": change.key, "place": place, "patient": change.patient, **row}
        connection.execute(directives.KEEP.encode(), named)
    forget()
    work.on_commit(changed)


__all__ = ["RELABEL", "LabelsStay", "keep_directives", "label", "may_relabel", "tie"]
