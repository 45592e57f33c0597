"""Accounting of disclosures: what of a patient's record left the practice in the six years before, as a PDF. 45 CFR 164.528"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from openward.audit.queries import Period
from openward.audit.touched import Taken, Told, disclosures
from openward.fhir.ids import key
from openward.fhir.resources import Patient
from openward.privacy.exported import Left, left_of
from openward.privacy.finding import merged_into, name_of
from openward.privacy.forms import midnight
from openward.privacy.suspensions.actions import standing
from openward.privacy.words import purpose_words, type_words
from openward.record.connection import connection
from openward.registration import queries as registration
from openward.web.display import day

TEMPLATE = Path(__file__).parent / "typst" / "accounting.typ"
YEARS = 6
MOST = 5000


def accounting_words(patient: Patient, tenant: int, today: dt.date) -> dict[str, Any]:
    """What the PDF says; dates in the zone of the pages. What is suspended today is not in it, nor a word that anything is missing."""
    first = today.replace(year=today.year - YEARS, day=min(today.day, 28))
    period = Period(midnight(first), midnight(today + dt.timedelta(days=1)))
    records = [str(patient.id), *merged_into(patient)]
    zone = timezone.get_current_timezone_name()
    found = [disclosures(connection(), tenant, key("Patient", id), period, zone, MOST) for id in records]
    files = [one for id in records for one in left_of(connection(), tenant, key("Patient", id), period, zone, MOST)]
    withheld = {plain(one.agency) for id in records for one in standing(tenant, key("Patient", id), today)}
    every = (row for told, taken in found for row in [*map(_told, told), *map(_taken, taken)])
    rows = sorted(row for row in [*every, *map(_left, files)] if row[0] >= first.isoformat() and plain(row[2]) not in withheld)
    cut = len(files) >= MOST or any(len(told) == MOST or len(taken) == MOST for told, taken in found)
    return {
        "title": _("Accounting of disclosures"),
        "person": [
            [_("Patient"), name_of(patient)],
            [_("Born"), day(patient.birthDate) if patient.birthDate else _("Not known")],
            [_("Record number"), registration.number_of(patient) or "–"],
            [_("Period"), _("{first} to {last}").format(first=day(first), last=day(today))],
        ],
        "intro": _(
            "This lists to whom information from the record was given outside treatment by this practice: what people of the practice wrote down as given, "
            "and what other programs took over the practice's interface, summed by day."
        ),
        "columns": [_("Date"), _("To whom"), _("What"), _("Why")],
        "rows": [list(row[1:]) for row in rows],
        "none": _("Nothing was disclosed in this period."),
        "cut": _("This list ends after {n} lines; ask the practice for the rest.").format(n=MOST) if cut else "",
        "footer": _("Made on {day}").format(day=day(today)),
    }


def plain(agency: str) -> str:
    """So that a capital letter or a space more does not tell what shall not be told; of an address behind the name nothing counts."""
    return " ".join(agency.partition(",")[0].split()).casefold()


def _told(one: Told) -> tuple[str, str, str, str, str]:
    """By the day it was given on; of what was written down before that was asked for, by the day of that."""
    to, what, why, given = ([*(one.detail or "").split(" | "), "", "", "", ""])[:4]
    on = dt.date.fromisoformat(given) if given else timezone.localdate(one.at)
    return on.isoformat(), day(on), to, what, why


def _taken(one: Taken) -> tuple[str, str, str, str, str]:
    what = ", ".join(type_words(type) for type in one.types) or _("the record")
    return one.day.isoformat(), day(one.day), _("Program {name}").format(name=one.name), what, purpose_words(one.purpose)


def _left(one: Left) -> tuple[str, str, str, str, str]:
    words = _("{what}, in a bulk file") if one.is_certain else _("{what}, perhaps: a bulk file of {n} patients")
    what = words.format(what=type_words(one.type), n=one.people)
    return one.day.isoformat(), day(one.day), _("Program {name}").format(name=one.name), what, purpose_words(one.purpose)
