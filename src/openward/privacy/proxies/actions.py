"""Giving and ending a proxy's leave. The identity is proofed by who gives it; each is an audit event about the patient."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils import timezone

from openward.access.actor import Actor
from openward.access.known import changing
from openward.access.models import ProxyGrant, restamped
from openward.access.permissions import Permission
from openward.access.proxies import AREAS, age_and_state, rule
from openward.accounts.models import User
from openward.fhir.errors import Forbidden, NotFound, Refused
from openward.fhir.ids import key
from openward.fhir.protocols import Event
from openward.fhir.resources import CodeableConcept, Coding, HumanName, Patient, Period, Reference, RelatedPerson
from openward.record import open_store, unit_of_work

ROLES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
RELATIONS = {"parent": "PRN", "guardian": "GUARD", "carer": "CHILD"}


class NoSuchSignIn(Refused):
    """Nobody signs in to the portal with that name. They need their own sign-in first: invite them."""


class OwnRecord(Refused):
    """That is the patient's own sign-in."""


class OfAge(Refused):
    """The patient is of age: a parent's leave would not hold. Choose guardian or carer."""


def give(*, patient: str, sign_in: str, kind: str, areas: Sequence[str], until: dt.date | None, by: Actor) -> ProxyGrant:
    """Let the person look after `Patient/<patient>` until the end of that day. Given again, the new leave replaces the old.

    Raises NotFound for a patient the giver may not see, NoSuchSignIn, OwnRecord, OfAge, Forbidden.
    """
    if not by.may(Permission.GRANT_PROXIES):
        raise Forbidden("You may not give anyone leave to look after a record.")
    person = open_store(by).read(Patient, patient)
    user = User.objects.filter(tenant=by.tenant, sign_in=User.objects.normal(sign_in), role="patient", is_active=True).first()
    if user is None:
        raise NoSuchSignIn
    if user.reference == f"Patient/{patient}":
        raise OwnRecord
    years, state = age_and_state(person, timezone.localdate())
    if kind == ProxyGrant.Kind.PARENT and (years is None or years >= rule(state)["adult_age"]):
        raise OfAge
    house = Actor.system("keep who looks after a record", tenant=by.tenant, on_behalf_of=by)
    with unit_of_work(by=house) as work, changing():
        facts = {"kind": ProxyGrant.Kind(kind), "areas": [area for area in AREAS if area in areas], "since": timezone.now(), "until": _end_of(until)}
        known = ProxyGrant.objects.select_for_update().filter(tenant=by.tenant, user_id=user.id, patient=key("Patient", patient)).first()
        related = (
            work.store.update(_related(known, user, patient, kind, until)) if known else work.store.create(_related(None, user, patient, kind, until))
        )
        row = known or ProxyGrant(tenant=by.tenant, user_id=user.id, patient=key("Patient", patient), reference=f"Patient/{patient}")
        for name, value in {**facts, "related": f"RelatedPerson/{related.id}", "given_by": by.name}.items():
            setattr(row, name, value)
        row.save()
        _note(by, "grant-proxy", row)
        return row


def end(*, grant: str, by: Actor) -> None:
    """The leave ends now. Raises NotFound."""
    if not by.may(Permission.GRANT_PROXIES):
        raise Forbidden("You may not end anyone's leave to look after a record.")
    house = Actor.system("keep who looks after a record", tenant=by.tenant, on_behalf_of=by)
    with unit_of_work(by=house) as work, changing():
        row = ProxyGrant.objects.select_for_update().filter(tenant=by.tenant, pk=grant).first()
        if row is None or open_store(by).find(Patient, row.reference.split("/", 1)[1]) is None:
            raise NotFound(type="ProxyGrant", id=grant)
        restamped(row, until=timezone.now())
        related = work.store.find(RelatedPerson, row.related.split("/", 1)[1])
        if related is not None:
            related.active = False
            work.store.update(related)
        _note(by, "end-proxy", row)


def _note(by: Actor, interaction: str, row: ProxyGrant) -> None:
    open_store(by).record([Event(interaction, "Patient", row.patient, patients=(row.patient,), detail=f"user:{row.user_id} as {row.kind}")])


def _related(known: ProxyGrant | None, user: User, patient: str, kind: str, until: dt.date | None) -> RelatedPerson:
    made = RelatedPerson(
        active=True,
        patient=Reference(reference=f"Patient/{patient}"),
        relationship=[CodeableConcept(coding=[Coding(system=ROLES, code=RELATIONS[kind])], text=kind)],
        name=[HumanName(text=user.name)],
        period=Period(start=timezone.localdate().isoformat(), end=until.isoformat() if until else None),
    )
    if known:
        made.id = known.related.split("/", 1)[1]
    return made


def _end_of(day: dt.date | None) -> dt.datetime | None:
    """The end of the day where the practice is."""
    return timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=1), dt.time())) if day else None
