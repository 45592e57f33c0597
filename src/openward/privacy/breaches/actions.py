"""Opening a breach, gathering whom it touched, writing to them, closing it. Each step stands in its log and on the audit trail."""

from __future__ import annotations

import datetime as dt
from typing import Protocol
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.audit.auditor import note
from openward.audit.models import Affected, Breach, BreachStep
from openward.audit.queries import Period
from openward.audit.touched import patients_touched
from openward.fhir.errors import NotFound, Refused
from openward.fhir.protocols import Event
from openward.fhir.resources import Patient
from openward.outbox.actions import send
from openward.privacy.finding import name_of
from openward.record import unit_of_work
from openward.record.connection import connection
from openward.registration.facts import address_words

LETTERS_AT_ONCE = 200
TYPES_SHOWN = 400


class Worded(Protocol):
    """A step that is told in words."""

    def __call__(self, *, breach: UUID, words: str, by: Actor) -> None: ...


class Closed(Refused):
    """This breach is closed: open a new one, or write to the log of another."""


class NobodyToWriteTo(Refused):
    """Everyone with an address has a letter already."""


def open_breach(*, title: str, discovered_on: dt.date, suspect: str, since: dt.datetime, until: dt.datetime, by: Actor) -> Breach:
    """`suspect` is an actor's id, empty for everybody. Whom it touched is gathered at once."""
    with transaction.atomic():
        breach = Breach.objects.create(
            tenant=by.tenant, title=title, discovered_on=discovered_on, suspect=suspect, since=since, until=until, opened_by=by.name
        )
        _log(breach, by, "opened")
        note(connection(), by, "breach-open", detail=f"breach {breach.id}")
        gather(breach=breach, by=by)
    return breach


def gather(*, breach: Breach, by: Actor) -> int:
    """Look through the trail for whom it touched; how many. Those found before stay, and so do their letters."""
    found = patients_touched(connection(), by.tenant, breach.suspect or None, Period(breach.since, breach.until))
    rows = [
        Affected(breach=breach, patient=one.patient, first=one.first, last=one.last, times=one.times, types=", ".join(one.types)[:TYPES_SHOWN])
        for one in found
    ]
    with transaction.atomic():
        updated = ["first", "last", "times", "types"]
        Affected.objects.bulk_create(rows, update_conflicts=True, unique_fields=["breach", "patient"], update_fields=updated, batch_size=1000)
        _log(breach, by, "gathered", _("People found: {n}").format(n=len(rows)))
    return len(rows)


def write_letters(*, breach: UUID, title: str, body: str, by: Actor) -> int:
    """A letter to each affected person who has an address and no letter yet, at most LETTERS_AT_ONCE; how many.

    `{name}` in the body is the person's name. Raises Closed, NobodyToWriteTo, NotFound.
    """
    with unit_of_work(by=by) as work:
        row = _open(breach, by)
        waiting = list(row.affected.filter(letter__isnull=True).order_by("id")[:5000])
        people = {str(one.id): one for one in work.store.read_many((Patient, str(each.patient)) for each in waiting) if isinstance(one, Patient)}
        written = 0
        for each in waiting:
            person = people.get(str(each.patient))
            address = address_words(person) if person else ""
            if person is None or not address or written == LETTERS_AT_ONCE:
                continue
            to = f"{name_of(person)}, {address}"[:254]
            words = body.replace("{name}", name_of(person))
            message = send(work, to=to, kind="breach-letter", channel="letter", title=title, body=words, subject_ref=f"Patient/{person.id}")
            each.letter = message.id
            each.save(update_fields=["letter"])
            written += 1
        if not written:
            raise NobodyToWriteTo
        _log(row, by, "letters", _("Letters: {n}").format(n=written))
        work.store.record([Event("breach-letters", None, patients=[each.patient for each in waiting if each.letter], detail=f"breach {row.id}")])
    return written


def add_note(*, breach: UUID, words: str, by: Actor) -> None:
    """Raises NotFound."""
    _log(_of(breach, by), by, "note", words)


def close(*, breach: UUID, words: str, by: Actor) -> None:
    """Raises Closed, NotFound."""
    with transaction.atomic():
        row = _open(breach, by)
        row.closed_at = timezone.now()
        row.save(update_fields=["closed_at"])
        _log(row, by, "closed", words)
        note(connection(), by, "breach-close", detail=f"breach {row.id}")


def _log(breach: Breach, by: Actor, what: str, words: str = "") -> None:
    BreachStep.objects.create(breach=breach, by=by.name, what=what, words=words[:1000])


def _of(id: UUID, by: Actor) -> Breach:
    row = Breach.objects.filter(tenant=by.tenant, pk=id).first()
    if row is None:
        raise NotFound(type="Breach", id=str(id))
    return row


def _open(id: UUID, by: Actor) -> Breach:
    """Locked until the transaction ends, so that two people do not write the same letters."""
    row = Breach.objects.select_for_update().filter(tenant=by.tenant, pk=id).first()
    if row is None:
        raise NotFound(type="Breach", id=str(id))
    if row.closed_at is not None:
        raise Closed
    return row
