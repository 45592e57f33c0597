"""Opening a breach, gathering whom it touched, writing to them, closing it. Each step stands in its log and on the audit trail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
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
from openward.outbox.actions import send
from openward.outbox.models import Message
from openward.privacy.breaches.recipients import recipients
from openward.privacy.exported import exported, together
from openward.privacy.words import type_words
from openward.record import UnitOfWork, unit_of_work
from openward.record.connection import connection

LETTERS_AT_ONCE = 200
AFFECTED_AT_ONCE = 5000
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
    period, suspect = Period(breach.since, breach.until), breach.suspect or None
    taken = exported(connection(), by.tenant, suspect, period)
    found = together([*patients_touched(connection(), by.tenant, suspect, period), *taken.people])
    rows = [
        Affected(breach=breach, patient=one.patient, first=one.first, last=one.last, times=one.times, types=", ".join(one.types)[:TYPES_SHOWN])
        for one in found
    ]
    with transaction.atomic():
        updated = ["first", "last", "times", "types"]
        Affected.objects.bulk_create(rows, update_conflicts=True, unique_fields=["breach", "patient"], update_fields=updated, batch_size=1000)
        _log(breach, by, "gathered", _("People found: {n}").format(n=len(rows)))
        for one in taken.too_wide:
            words = _("A bulk file of {what} of {n} people was taken. Which people is not on the trail: everyone with such data is in the list.")
            _log(breach, by, "gathered", words.format(what=type_words(one.type), n=one.people))
    return len(rows)


def write_letters(*, breach: UUID, title: str, body: str, by: Actor) -> int:
    """A letter to each affected person who can be written to and has none yet, at most LETTERS_AT_ONCE; how many.

    To whom: `recipients`. `{name}` in the body is how the letter calls them. Of two records of one person, one letter is both's.
    Raises Closed, NobodyToWriteTo, NotFound.
    """
    with unit_of_work(by=by) as work:
        row = _open(breach, by)
        marked = list(_written(work, row, title, body))
        if not marked:
            raise NobodyToWriteTo
        Affected.objects.bulk_update(marked, ["letter"], batch_size=1000)
        count = len({each.letter for each in marked})
        _log(row, by, "letters", _("Letters: {n}").format(n=count))
        work.store.record([Event("breach-letters", None, patients=[each.patient for each in marked], detail=f"breach {row.id}")])
    return count


def _written(work: UnitOfWork, row: Breach, title: str, body: str) -> Iterator[Affected]:
    """Those who have a letter now and had none: their own, or the one that another record of the same person has."""
    waiting = list(row.affected.filter(letter__isnull=True).order_by("id")[:AFFECTED_AT_ONCE])
    sent = Message.objects.filter(tenant=work.tenant, pk__in=row.affected.exclude(letter=None).values("letter"))
    letters = {subject.partition("/")[2]: id for id, subject in sent.values_list("pk", "subject_ref")}
    whom, before = recipients(work.store, (str(each.patient) for each in waiting), timezone.localdate()), len(letters)
    for each in waiting:
        person = whom.get(str(each.patient))
        if person is None or (person.person not in letters and (not person.to or len(letters) - before == LETTERS_AT_ONCE)):
            continue
        if person.person not in letters:
            subject, words = f"Patient/{person.person}", body.replace("{name}", person.called)
            made = send(work, to=person.to, kind="breach-letter", channel="letter", title=title, body=words, subject_ref=subject)
            letters[person.person] = made.id
        each.letter = letters[person.person]
        yield each


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
