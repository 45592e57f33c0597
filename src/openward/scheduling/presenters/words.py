"""Words the schedule's presenters share: times, days, people, states."""

from __future__ import annotations

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openward.fhir.resources import Patient
from openward.registration.queries import name_of, reach_of
from openward.scheduling.freetime import comes_twice
from openward.web.display import age, clock, day

FLOW_WORDS: Final = {
    "waiting": gettext_lazy("Waiting"),
    "roomed": gettext_lazy("Roomed"),
    "with-clinician": gettext_lazy("With clinician"),
    "leaving": gettext_lazy("Leaving"),
}
MOVE_WORDS: Final = {
    "waiting": gettext_lazy("Back to waiting"),
    "roomed": gettext_lazy("Roomed"),
    "with-clinician": gettext_lazy("With clinician"),
    "leaving": gettext_lazy("Leaving"),
}
STATUS_WORDS: Final = {
    "proposed": (gettext_lazy("Proposed"), "neutral"),
    "pending": (gettext_lazy("Pending"), "neutral"),
    "booked": (gettext_lazy("Booked"), "info"),
    "arrived": (gettext_lazy("Here"), "accent"),
    "checked-in": (gettext_lazy("Here"), "accent"),
    "fulfilled": (gettext_lazy("Done"), "ok"),
    "cancelled": (gettext_lazy("Cancelled"), "neutral"),
    "noshow": (gettext_lazy("Did not come"), "danger"),
    "waitlist": (gettext_lazy("On the waiting list"), "neutral"),
    "entered-in-error": (gettext_lazy("Entered in error"), "neutral"),
}
SEX_WORDS: Final = {"male": gettext_lazy("male"), "female": gettext_lazy("female"), "other": gettext_lazy("other sex")}


def time_words(moment: dt.datetime, zone: str) -> str:
    """`14:05`, and `01:30 EDT` on the night when 01:30 comes twice."""
    words = clock(moment, zone)
    return f"{words} {moment.astimezone(ZoneInfo(zone)):%Z}" if comes_twice(moment, ZoneInfo(zone)) else words


def day_words(date: dt.date, today: dt.date) -> str:
    """`Today`, `Tomorrow`, else `Tue 03-Nov-2026`."""
    near = {0: _("Today"), 1: _("Tomorrow"), -1: _("Yesterday")}
    weekday = _(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[date.weekday()])
    return near.get((date - today).days) or f"{weekday} {day(date)}"


def short_day_words(date: dt.date, today: dt.date) -> str:
    """`Today`, `Tue 03-Nov`: for a column whose year stands above it."""
    return day_words(date, today).removesuffix(f"-{date.year:04d}")


def about(patient: Patient | None) -> str:
    """`46y female`, as said across a desk."""
    if patient is None:
        return ""
    words = str(SEX_WORDS.get(patient.gender or "", ""))
    return " ".join(part for part in (age(patient.birthDate), words) if part)


def called(patient: Patient | None) -> str:
    return name_of(patient) if patient else _("Not shown to your role")


def and_told(done: str, patient: Patient | None) -> str:
    """What was done, and whether the patient hears of it: a message needs somewhere to go."""
    if patient is not None and reach_of(patient) is not None:
        return _("{done} The patient is told.").format(done=done)
    return _("{done} There is no way to reach the patient on record: please tell them.").format(done=done)


def minutes_words(length: dt.timedelta) -> str:
    return _("{n} min").format(n=int(length.total_seconds() // 60))
