"""Opening, ending and reviewing emergency access. Each is an audit event about the patient, and the privacy officers are told at once."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openward.access.actor import Actor
from openward.access.known import changing
from openward.access.models import Opening, restamped
from openward.access.permissions import Permission
from openward.accounts.models import User
from openward.audit.auditor import note
from openward.fhir.errors import Forbidden, NotFound, Refused
from openward.fhir.ids import key
from openward.fhir.protocols import Event
from openward.fhir.resources import Patient
from openward.outbox.actions import send
from openward.record import open_store, unit_of_work
from openward.record.connection import connection
from openward.registration.facts import MRN

LASTS = dt.timedelta(hours=1)
AT_ONCE = 5
TRIES_AN_HOUR = 10
REVIEW_WITHIN = dt.timedelta(days=7)
REASONS = {
    "emergency": gettext_lazy("An emergency: the patient needs care now"),
    "taking-over": gettext_lazy("I am taking over this patient's care"),
    "patient-asked": gettext_lazy("The patient asked me to look"),
    "other": gettext_lazy("Another reason, said below"),
}


class NobodyFound(Refused):
    """No patient has this number and this birth date. Both must be right; the try is on record."""


class TooManyOpen(Refused):
    """You have emergency access to as many records as anyone may at once. End one first."""


class TooManyTries(Refused):
    """Too many tries. Wait an hour, or ask the privacy officer."""


class NotYourOwn(Refused):
    """Nobody reviews their own emergency access."""


def open_record(*, number: str, birth_date: dt.date, reason: str, words: str, by: Actor) -> Opening:
    """Open the record with this medical record number and birth date for an hour. Raises NobodyFound, TooManyOpen, TooManyTries, Forbidden."""
    if not by.may(Permission.BREAK_GLASS):
        raise Forbidden("Your role has no emergency access.")
    patient = _find(number, birth_date, by)
    now = timezone.now()
    with unit_of_work(by=by) as work, changing():
        work.connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"glass {by.tenant} {by.id}",))
        mine = Opening.objects.filter(tenant=by.tenant, actor=by.id, until__gt=now)
        known = mine.filter(patient=key("Patient", str(patient.id))).first()
        if known is not None:
            return known
        if mine.count() >= AT_ONCE:
            raise TooManyOpen
        opening = Opening.objects.create(
            tenant=by.tenant,
            actor=by.id,
            actor_name=by.name,
            actor_role=by.role or "",
            patient=key("Patient", str(patient.id)),
            reference=f"Patient/{patient.id}",
            reason=reason,
            words=words,
            since=now,
            until=now + LASTS,
        )
        work.store.record([Event("break-glass", "Patient", opening.patient, patients=(opening.patient,), detail=f"{reason}; opening {opening.id}")])
        _tell_officers(work, opening)
        work.notify("privacy")
        return opening


def end(*, opening: str, by: Actor) -> Opening:
    """Give the access back before its hour is over. Raises NotFound for what is not the actor's own."""
    with unit_of_work(by=by) as work, changing():
        row = Opening.objects.select_for_update().filter(tenant=by.tenant, actor=by.id, pk=opening).first()
        if row is None:
            raise NotFound(type="Opening", id=opening)
        if row.is_open:
            restamped(row, until=timezone.now())
            work.store.record([Event("break-glass-end", "Patient", row.patient, patients=(row.patient,), detail=f"opening {row.id}")])
        return row


def review(*, opening: str, verdict: str, finding: str, by: Actor) -> Opening:
    """Say whether it was in order; one that was not ends at once. Raises NotFound, NotYourOwn, Refused for one reviewed before."""
    with unit_of_work(by=by) as work, changing():
        row = Opening.objects.select_for_update().filter(tenant=by.tenant, pk=opening).first()
        if row is None:
            raise NotFound(type="Opening", id=opening)
        if row.actor == by.id:
            raise NotYourOwn
        if row.reviewed_at is not None:
            raise Refused(_("{who} has reviewed this one already.").format(who=row.reviewed_by))
        restamped(row, verdict=Opening.Verdict(verdict), finding=finding, reviewed_by=by.name, reviewed_at=timezone.now())
        if verdict == Opening.Verdict.WRONG and row.is_open:
            restamped(row, until=timezone.now())
        work.store.record([Event("break-glass-review", "Patient", row.patient, patients=(row.patient,), detail=f"{verdict}; opening {row.id}")])
        return row


def _find(number: str, birth_date: dt.date, by: Actor) -> Patient:
    """Whoever breaks the glass knows whom they look for: the number alone finds nobody, and a miss counts."""
    if _misses(by) >= TRIES_AN_HOUR:
        raise TooManyTries
    finder = Actor.system("find a record for emergency access", tenant=by.tenant, on_behalf_of=by)
    found = open_store(finder).search(Patient, {"identifier": f"{MRN}|{number.strip().upper()}", "birthdate": birth_date, "active:not": "false"})
    if len(found.resources) != 1:
        note(connection(), by, "break-glass", outcome=4, detail="no patient with that number and birth date")
        raise NobodyFound
    return found.resources[0]


def _misses(by: Actor) -> int:
    from openward.audit.queries import Period, of_actor

    now = timezone.now()
    return of_actor(by.tenant, by.id, Period(now - dt.timedelta(hours=1), now)).filter(interaction="break-glass", outcome=4).count()


def _tell_officers(work: object, opening: Opening) -> None:
    """No patient and no reason leaves the house: who, when, and where to look."""
    address = f"{settings.OPENWARD_PUBLIC_URL}{reverse('privacy:openings')}"
    body = _("{who} opened a record by emergency access at {when}. It waits for your review: {address}").format(
        who=opening.actor_name, when=f"{timezone.localtime(opening.since):%d-%b-%Y %H:%M}", address=address
    )
    for officer in User.objects.filter(tenant=opening.tenant, role="privacy-officer", is_active=True):
        if "@" in officer.sign_in:
            send(work, to=officer.sign_in, kind="break-glass", channel="email", title=_("Emergency access to a record"), body=body)  # type: ignore[arg-type]
