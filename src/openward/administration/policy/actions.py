"""Making roles and giving clearances. A role made here is a part of a shipped one: nobody gains by it what no shipped role has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from openward.access.actor import Actor
from openward.access.known import changing
from openward.access.labels import LABELS, RELABEL
from openward.access.models import Assignment, Clearance, CustomRole
from openward.access.permissions import Permission
from openward.access.roles import REACHES, ROLES
from openward.accounts.models import User
from openward.administration.actions import OwnSignIn
from openward.audit.auditor import note
from openward.fhir.errors import Forbidden, NotFound, Refused
from openward.record.connection import connection


class NameTaken(Refused):
    """There is a role of that name already."""


class InUse(Refused):
    """People have this role. Give them another first."""


def keep_role(
    *,
    key: str | None,
    title: str,
    sentence: str,
    based_on: str,
    permissions: Sequence[str],
    left_out: Sequence[str],
    reads_only: bool,
    reach: str,
    cleared: Sequence[str],
    by: Actor,
) -> CustomRole:
    """Make a role, or with `key` change it. Raises NameTaken, NotFound, Refused for a base or a reach that does not exist."""
    base = ROLES.get(based_on)
    if base is None or based_on == "patient" or reach not in REACHES:
        raise Refused("That is no role to start from.")
    grants = {type: "".join(c for c in letters if not reads_only or c in "rs") for type, letters in base.grants.items() if type not in left_out}
    facts = {
        "title": title,
        "sentence": sentence,
        "based_on": based_on,
        "permissions": sorted(set(permissions) & {permission.value for permission in base.permissions}),
        "grants": {type: letters for type, letters in grants.items() if letters},
        "reach": reach,
        "cleared": sorted(base.cleared & set(cleared)),
        "cleared_in_care": sorted(base.cleared_in_care & set(cleared)),
    }
    with _change(by, "keep-role", f"{key or slugify(title)[:40]} of {based_on}"):
        if key is None:
            try:
                with transaction.atomic():
                    return CustomRole.objects.create(tenant=by.tenant, key=_free_key(title), made_by=by.name, **facts)
            except IntegrityError:
                raise NameTaken from None
        row = _role(key, by)
        for name, value in facts.items():
            setattr(row, name, value)
        row.save()
        return row


def _free_key(title: str) -> str:
    key = f"own-{slugify(title)[:36]}"
    if key in ROLES:
        raise NameTaken
    return key


def end_role(*, key: str, by: Actor) -> None:
    """Raises InUse while anybody has it, NotFound."""
    with _change(by, "end-role", key):
        row = _role(key, by)
        if row.assignments.exists():
            raise InUse
        row.delete()


def assign(*, key: str, user: User, facility: str, until: dt.date | None, by: Actor) -> Assignment:
    """The role in place of the one they have, until the end of that day; afterwards they have none. Raises OwnSignIn, NotFound."""
    if by.user_id == str(user.pk):
        raise OwnSignIn
    if user.role == "patient" or user.tenant != by.tenant:
        raise NotFound(type="User", id=str(user.pk))
    ends = timezone.make_aware(dt.datetime.combine(until + dt.timedelta(days=1), dt.time())) if until else None
    with _change(by, "assign-role", f"user:{user.pk} as {key}"):
        facts = {"role": _role(key, by), "facility": facility, "since": timezone.now(), "until": ends, "given_by": by.name}
        return Assignment.objects.update_or_create(tenant=by.tenant, user_id=user.pk, defaults=facts)[0]


def unassign(*, user: User, by: Actor) -> None:
    """Back to the role they signed up with. Raises OwnSignIn."""
    if by.user_id == str(user.pk):
        raise OwnSignIn
    with _change(by, "unassign-role", f"user:{user.pk}"):
        Assignment.objects.filter(tenant=by.tenant, user_id=user.pk).delete()


def clear(*, actor: str, label: str, reason: str, until: dt.date | None, by: Actor) -> Clearance:
    """Let a person (`user:<id>`) or a client (`client:<name>`) see what has the label, or change labels. Raises OwnSignIn, NotFound."""
    if actor == by.id:
        raise OwnSignIn
    if label not in LABELS and label != RELABEL:
        raise NotFound(type="Label", id=label)
    ends = timezone.make_aware(dt.datetime.combine(until + dt.timedelta(days=1), dt.time())) if until else None
    with _change(by, "clear", f"{actor} for {label}"):
        facts = {"reason": reason, "given_by": by.name, "since": timezone.now(), "until": ends}
        return Clearance.objects.update_or_create(tenant=by.tenant, actor=actor, label=label, defaults=facts)[0]


def end_clearance(*, clearance: str, by: Actor) -> None:
    """Raises NotFound."""
    row = Clearance.objects.filter(tenant=by.tenant, pk=clearance).first()
    if row is None:
        raise NotFound(type="Clearance", id=clearance)
    with _change(by, "end-clearance", f"{row.actor} for {row.label}"):
        row.delete()


def _role(key: str, by: Actor) -> CustomRole:
    row = CustomRole.objects.select_for_update().filter(tenant=by.tenant, key=key).first()
    if row is None:
        raise NotFound(type="Role", id=key)
    return row


@contextmanager
def _change(by: Actor, what: str, detail: str) -> Iterator[None]:
    """One change of the policy: by who may, on the trail, everywhere from the commit."""
    if not by.may(Permission.MANAGE_USERS):
        raise Forbidden("You may not change who may do what.")
    with transaction.atomic(), changing():
        yield
        note(connection(), by, what, detail=detail)
