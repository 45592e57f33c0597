"""The nightly report: one day's look-ups, person by person and record by record, and why each is worth a second look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from openward.access.actor import Actor
from openward.access.known import as_json, rows
from openward.access.labels import LABELS
from openward.access.models import Flag, Opening
from openward.access.roles import PROXY
from openward.accounts.models import User
from openward.audit.models import AuditEvent
from openward.fhir.definitions import type_number
from openward.fhir.ids import key
from openward.fhir.resources import Practitioner
from openward.privacy.snooping.kinship import Person, is_same, may_be_family, named, person
from openward.record import open_store

REASONS = {
    "self": _("Their own record"),
    "family": _("Perhaps a relative"),
    "coworker": _("A coworker"),
    "vip": _("A VIP"),
    "emergency": _("By emergency access"),
    "no-care": _("Not in their care"),
}
LOOKED = frozenset({"read", "vread", "history", "search", "create", "update", "delete"})
TREATING = frozenset({"clinician"})
MOST = 50_000  # pairs of a person and a record in one day

PERSONS = """select c.rkey, b.body::jsonb - 'text' from fhir.current c join fhir.body b using (tenant, rtype, rkey, ver)
  where c.tenant = %(tenant)s and c.rtype = %(patient)s and c.rkey = any(%(keys)s::uuid[])"""
VIPS = (
    "select rkey from fhir.current where tenant = %(tenant)s and rtype = %(patient)s and rkey = any(%(keys)s::uuid[]) and tok && %(token)s::bigint[]"
)
TIES = """select holder, patient from access_tie where tenant = %(tenant)s and holder = any(%(holders)s::uuid[]) and patient = any(%(keys)s::uuid[])
  and (until is null or until > %(day)s)"""


@dataclass(slots=True)
class Looking:
    """One person's look-ups of one record in a day."""

    actor: str
    name: str
    role: str
    patient: UUID
    first: dt.datetime
    last: dt.datetime
    times: int = 0
    reasons: list[str] = field(default_factory=list)


def report(tenant: int, day: dt.date) -> int:
    """Flag the look-ups of the practice's day; how many. Run again for the same day it finds the same, and leaves what was examined as it is."""
    begin = timezone.make_aware(dt.datetime.combine(day, dt.time()))
    found = _looked(tenant, begin, timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=1), dt.time())))
    _reason(tenant, begin, found)
    flagged = [one for one in found if one.reasons]
    with transaction.atomic():
        for one in flagged:
            facts = {"actor_name": one.name, "actor_role": one.role, "reasons": one.reasons, "times": one.times, "first": one.first, "last": one.last}
            Flag.objects.update_or_create(tenant=tenant, day=day, actor=one.actor, patient=one.patient, defaults=facts)
    return len(flagged)


def _looked(tenant: int, begin: dt.datetime, end: dt.datetime) -> list[Looking]:
    """By staff, of one patient at a time: a list of names on a screen is no look into a record."""
    events = AuditEvent.objects.filter(tenant=tenant, at__gte=begin, at__lt=end, outcome=0, actor__startswith="user:", patient__isnull=False)
    found: dict[tuple[str, UUID], Looking] = {}
    for event in events.only("actor", "actor_name", "actor_role", "interaction", "patient", "at").iterator():
        if event.interaction not in LOOKED or event.actor_role in ("patient", PROXY.key) or event.patient is None:
            continue
        one = found.get((event.actor, event.patient))
        if one is None:
            if len(found) >= MOST:
                raise TooMuch
            one = found[event.actor, event.patient] = Looking(
                event.actor, event.actor_name, event.actor_role or "", event.patient, event.at, event.at
            )
        one.times += 1
        one.first, one.last = min(one.first, event.at), max(one.last, event.at)
    return list(found.values())


class TooMuch(Exception):
    """More look-ups in a day than one report takes: the report would be incomplete, so there is none."""


def _reason(tenant: int, begin: dt.datetime, found: Sequence[Looking]) -> None:
    keys = sorted({one.patient for one in found})
    asked = {"tenant": tenant, "patient": type_number("Patient"), "keys": keys}
    patients = {rkey: person(as_json(body)) for rkey, body in rows(PERSONS, asked)} if keys else {}
    vips = {row[0] for row in rows(VIPS, {**asked, "token": [LABELS["CEL"].token]})} if keys else set()
    staff, practitioners = _staff(tenant)
    ties = set(rows(TIES, {**asked, "holders": sorted(practitioners.values()), "day": begin})) if keys else set()
    glass = _glass(tenant, begin, [one.actor for one in found])
    colleagues = {patient: [who for who, facts in staff.items() if is_same(facts, theirs)] for patient, theirs in patients.items()}
    for one in found:
        one.reasons = list(_why(one, staff.get(one.actor, Person()), patients.get(one.patient, Person()), colleagues.get(one.patient, ())))
        one.reasons += ["vip"] if one.patient in vips else []
        one.reasons += ["emergency"] if (one.actor, one.patient) in glass else []
        me = practitioners.get(one.actor)
        if one.role in TREATING and me is not None and (me, one.patient) not in ties:
            one.reasons.append("no-care")


def _why(one: Looking, who: Person, whom: Person, colleagues: Iterable[str]) -> Iterator[str]:
    known = set(colleagues)
    if one.actor in known or is_same(who, whom):
        yield "self"
    elif may_be_family(who, whom):
        yield "family"
    if known - {one.actor}:
        yield "coworker"


def _staff(tenant: int) -> tuple[Mapping[str, Person], Mapping[str, UUID]]:
    """Every member of staff as a person, and the keys of those who are practitioners."""
    users = list(User.objects.filter(tenant=tenant).exclude(role="patient"))
    ids = {user.reference.split("/", 1)[1]: f"user:{user.id}" for user in users if user.reference.startswith("Practitioner/")}
    store = open_store(Actor.system("look for snooping", tenant=tenant))
    known = {str(one.id): one.data for one in store.read_many((Practitioner, id) for id in ids)}
    people = {}
    for user in users:
        mails = frozenset({user.sign_in}) if "@" in user.sign_in else frozenset()
        data = known.get(user.reference.partition("/")[2])
        people[f"user:{user.id}"] = person(data, mails=mails) if data else named(user.name, mails=mails)
    return people, {who: key("Practitioner", id) for id, who in ids.items()}


def _glass(tenant: int, begin: dt.datetime, actors: Sequence[str]) -> set[tuple[str, UUID]]:
    openings = Opening.objects.filter(tenant=tenant, until__gte=begin, since__lt=begin + dt.timedelta(days=1), actor__in=set(actors))
    return set(openings.values_list("actor", "patient"))
