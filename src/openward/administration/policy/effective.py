"""What a person can see, and why: the policy's own answer in words. It names no patient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.known import house
from openward.access.labels import LABELS
from openward.access.models import Clearance, Opening, ProxyGrant, alive
from openward.access.policy import LETTERS, AccessPolicy
from openward.access.roles import REACHES, Role, role_of
from openward.accounts.models import User
from openward.fhir.definitions import RESOURCE_TYPES
from openward.fhir.protocols import Interaction

ACTS: tuple[tuple[Interaction, str], ...] = (("read", "r"), ("search", "s"), ("create", "c"), ("update", "u"), ("delete", "d"))


@dataclass(frozen=True)
class OnLabel:
    """Whether what has a label is seen, and by what."""

    title: str
    answer: str
    why: str


@dataclass(frozen=True)
class OnType:
    """What may be done with a type, and whether all of it."""

    type: str
    letters: str
    is_all: bool


@dataclass(frozen=True)
class Effective:
    """The whole answer for one person."""

    role: Role | None
    why_role: str
    reach: str
    labels: list[OnLabel]
    types: list[OnType]
    openings: int
    proxies: int


def effective(user: User) -> Effective:
    actor = user.actor()
    role = role_of(actor)
    now = timezone.now()
    return Effective(
        role,
        _why(user, role),
        _("Their own record.") if user.role == "patient" else str(REACHES[role.reach]) if role else _("Nobody's."),
        [] if user.role == "patient" else list(_labels(user, role)),
        list(_types(user)),
        Opening.objects.filter(tenant=user.tenant, actor=actor.id, until__gt=now).count(),
        ProxyGrant.objects.filter(alive(now), tenant=user.tenant, user_id=user.id).count(),
    )


def _why(user: User, role: Role | None) -> str:
    assigned = house(user.actor()).assigned.get(str(user.id))
    if assigned is None:
        return _("The role they signed up with.")
    if role is None:
        return _("The role they were given, {title}, has ended: they may do nothing.").format(title=assigned.role.title)
    ends = _("until {day}").format(day=f"{timezone.localtime(assigned.until):%d-%b-%Y}") if assigned.until else _("with no end set")
    return _("A role of this practice they were given, {ends}.").format(ends=ends)


def _labels(user: User, role: Role | None) -> Iterator[OnLabel]:
    given = {row.label: row for row in Clearance.objects.filter(alive(), tenant=user.tenant, actor=user.actor().id)}
    for key, label in LABELS.items():
        if key in given:
            yield OnLabel(
                label.title, _("Sees it on everyone"), _("Cleared by {who}: {reason}").format(who=given[key].given_by, reason=given[key].reason)
            )
        elif role and key in role.cleared:
            yield OnLabel(label.title, _("Sees it on everyone"), _("By the role."))
        elif role and key in role.cleared_in_care:
            yield OnLabel(
                label.title, _("Sees it on patients in their care"), _("By the role, for who has seen or is booked with them, or is on their team.")
            )
        else:
            yield OnLabel(
                label.title, _("Does not see it"), _("Not in the role, and not cleared. A patient's consent or emergency access may open it.")
            )


def _types(user: User) -> Iterator[OnType]:
    """As the policy itself answers, so that this page cannot say otherwise."""
    actor, policy = user.actor(), AccessPolicy()
    for type in RESOURCE_TYPES:
        seen = {letter: policy.where(actor, interaction, type) for interaction, letter in ACTS}
        letters = "".join(letter for letter in "cruds" if seen[letter] is not None)
        if letters:
            yield OnType(type, letters, all(where is None or where.everything for where in seen.values()))


assert {letter for _, letter in ACTS} == set(LETTERS.values())  # noqa: S101 - every letter is shown
