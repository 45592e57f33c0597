"""Who opened the record, in a patient's words, day by day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openward.access.actor import Actor
from openward.access.roles import ROLES
from openward.audit.queries import Period
from openward.audit.touched import Deed, deeds_for_the_patient
from openward.fhir.definitions import type_name
from openward.fhir.ids import key
from openward.record.connection import connection

DAYS = 30

LOOKED = gettext_lazy("looked at")
DID = {
    "read": LOOKED,
    "vread": LOOKED,
    "search": LOOKED,
    "history": LOOKED,
    "create": gettext_lazy("wrote"),
    "update": gettext_lazy("changed"),
    "patch": gettext_lazy("changed"),
    "delete": gettext_lazy("removed"),
    "export": gettext_lazy("copied"),
    "print": gettext_lazy("printed"),
    "disclosure": gettext_lazy("gave out information from"),
    "break-glass": gettext_lazy("used emergency access to"),
    "break-glass-end": gettext_lazy("ended emergency access to"),
    "break-glass-review": gettext_lazy("checked an emergency access to"),
    "audit-review": gettext_lazy("checked who opened"),
}
PARTS = {
    "Patient": gettext_lazy("your name and contact details"),
    "Observation": gettext_lazy("your results and vital signs"),
    "DiagnosticReport": gettext_lazy("your reports"),
    "Condition": gettext_lazy("your problems and diagnoses"),
    "AllergyIntolerance": gettext_lazy("your allergies"),
    "MedicationRequest": gettext_lazy("your prescriptions"),
    "MedicationStatement": gettext_lazy("your medications"),
    "Immunization": gettext_lazy("your immunizations"),
    "Procedure": gettext_lazy("your procedures"),
    "Encounter": gettext_lazy("your visits"),
    "Appointment": gettext_lazy("your appointments"),
    "Composition": gettext_lazy("your notes"),
    "DocumentReference": gettext_lazy("your documents"),
    "Binary": gettext_lazy("your documents"),
    "Communication": gettext_lazy("your messages"),
    "Coverage": gettext_lazy("your insurance"),
    "Claim": gettext_lazy("your claims"),
    "ExplanationOfBenefit": gettext_lazy("your claims"),
    "Invoice": gettext_lazy("your bills"),
    "ServiceRequest": gettext_lazy("your orders"),
    "Task": gettext_lazy("what is still to do for you"),
    "List": gettext_lazy("your reviewed lists"),
}
THE_RECORD = gettext_lazy("your record")


@dataclass(frozen=True)
class Opened:
    """One person's dealings of one day: `did` are phrases such as "looked at your results and your visits"."""

    name: str
    role: str
    first: dt.datetime
    did: Sequence[str]


@dataclass(frozen=True)
class Day:
    date: dt.date
    people: Sequence[Opened]


def days(patient: Actor, last: dt.date) -> list[Day]:
    """The DAYS days up to and with `last`, the latest first; days on which nobody opened the record are left out."""
    zone = timezone.get_current_timezone()
    until = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), zone)
    period = Period(until - dt.timedelta(days=DAYS), until)
    found = deeds_for_the_patient(connection(), patient.tenant, key("Patient", patient.reference_id or ""), period, str(zone), timezone.localdate())
    return [Day(date, list(_people(list(done), patient))) for date, done in groupby(found, key=lambda deed: deed.day)]


def _people(done: Sequence[Deed], patient: Actor) -> Iterator[Opened]:
    """In the order of their first look that day, the latest first."""
    for actor, role in dict.fromkeys((deed.actor, deed.role) for deed in done):
        theirs = [deed for deed in done if (deed.actor, deed.role) == (actor, role)]
        mine = actor == patient.id and role != "proxy"
        yield Opened(_("You") if mine else theirs[0].name, "" if mine else _role(actor, role), min(deed.first for deed in theirs), _phrases(theirs))


def _phrases(theirs: Sequence[Deed]) -> list[str]:
    """One phrase for each way, the parts of the record in it named once."""
    ways: dict[str, dict[str, None]] = {}
    for deed in theirs:
        verb = str(DID.get(deed.interaction, _("worked with")))
        part = PARTS.get(type_name(deed.rtype), THE_RECORD) if deed.rtype is not None and deed.interaction in PLAIN else THE_RECORD
        ways.setdefault(verb, {})[str(part)] = None
    return [f"{verb} {_listed(list(parts))}" for verb, parts in ways.items()]


PLAIN = frozenset({"read", "vread", "search", "history", "create", "update", "patch", "delete"})


def _listed(parts: Sequence[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return _("{first} and {last}").format(first=", ".join(parts[:-1]), last=parts[-1])


def _role(actor: str, role: str | None) -> str:
    found = ROLES.get(role or "")
    if found:
        return found.title
    if role == "proxy":
        return _("Looks after your record")
    return {"client": _("Connected program"), "system": _("Automatic work of the practice's system")}.get(actor.split(":")[0], _("Staff"))
