"""Every string of registration that a person reads. No SQL, no request."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_lazy

from openward.fhir.resources import Appointment, Coverage, Patient, Reference
from openward.registration import facts
from openward.registration.forms.coverage import ORDERS, RELATIONSHIPS
from openward.registration.forms.patient import INTERPRETER, LANGUAGES
from openward.registration.queries import Found, Match, payer_name
from openward.web.display import age, clock, day
from openward.web.words import gettext as _

SEXES: Final = {"male": gettext_lazy("Male"), "female": gettext_lazy("Female"), "other": gettext_lazy("Other")}
STATUSES: Final = {
    "booked": (gettext_lazy("Booked"), "info"),
    "pending": (gettext_lazy("Pending"), "neutral"),
    "arrived": (gettext_lazy("Here"), "accent"),
    "checked-in": (gettext_lazy("Here"), "accent"),
    "fulfilled": (gettext_lazy("Done"), "ok"),
    "cancelled": (gettext_lazy("Cancelled"), "neutral"),
    "noshow": (gettext_lazy("Did not come"), "danger"),
}


def sex_words(patient: Patient) -> str:
    return str(SEXES.get(patient.gender or "", _("Not known")))


def born_words(patient: Patient) -> str:
    """`14-Jul-1945 (61y)`."""
    if not patient.birthDate:
        return _("Not known")
    years = age(patient.birthDate) if not patient.deceased else ""
    return f"{day(patient.birthDate)} ({years})" if years else day(patient.birthDate)


@dataclass(frozen=True, slots=True)
class FoundRow:
    """One patient in the finder's list."""

    found: Found
    url: str
    zone: str | None = None

    @property
    def id(self) -> str:
        return str(self.found.patient.id)

    @property
    def name(self) -> str:
        return facts.name_of(self.found.patient)

    @property
    def born(self) -> str:
        return born_words(self.found.patient)

    @property
    def sex(self) -> str:
        return sex_words(self.found.patient)

    @property
    def number(self) -> str:
        return facts.record_number(self.found.patient) or ""

    @property
    def phone(self) -> str:
        return facts.phone_words(facts.phone_of(self.found.patient))

    @property
    def upcoming(self) -> str:
        booked = self.found.upcoming
        return f"{day(booked.start, self.zone)} {clock(booked.start, self.zone)}" if booked else ""

    @property
    def is_deceased(self) -> bool:
        return bool(self.found.patient.deceased)


@dataclass(frozen=True, slots=True)
class LikenessRow:
    """Somebody registered who may be this person, and why we think so."""

    likeness: Match
    patient: Patient
    url: str

    @property
    def name(self) -> str:
        return facts.name_of(self.patient)

    @property
    def details(self) -> str:
        parts = [
            born_words(self.patient),
            sex_words(self.patient),
            facts.record_number(self.patient) or "",
            facts.phone_words(facts.phone_of(self.patient)),
        ]
        return " · ".join(part for part in parts if part)

    @property
    def address(self) -> str:
        return facts.address_words(self.patient)

    @property
    def why(self) -> str:
        """`Same birth date, name sounds the same, same telephone number`."""
        words = ", ".join(_lower(part) for reason in self.likeness.reasons for part in _(reason).split(", "))
        return words[:1].upper() + words[1:]


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One insurance as a card line."""

    coverage: Coverage
    today: dt.date

    @property
    def id(self) -> str:
        return str(self.coverage.id)

    @property
    def payer(self) -> str:
        return payer_name(self.coverage) or _("Insurer not known")

    @property
    def order(self) -> str:
        return str(dict(ORDERS).get(self.coverage.order or 0, _("No order")))

    @property
    def member(self) -> str:
        return self.coverage.subscriberId or ""

    @property
    def relationship(self) -> str:
        words = str(dict(RELATIONSHIPS).get(facts.relationship_of(self.coverage), ""))
        who = self.coverage.subscriber.display if self.coverage.subscriber else None
        return f"{words} ({who})" if who else words

    @property
    def plan(self) -> str:
        parts = [(_("Group {value}"), facts.plan_class(self.coverage, "group")), (_("Plan {value}"), facts.plan_class(self.coverage, "plan"))]
        return " · ".join(words.format(value=entry.name or entry.value) for words, entry in parts if entry)

    @property
    def dates(self) -> str:
        period = self.coverage.period
        start, end = (period.start, period.end) if period else (None, None)
        if start and end:
            return f"{day(start)} – {day(end)}"
        return _("since {date}").format(date=day(start)) if start else _("until {date}").format(date=day(end)) if end else ""

    @property
    def state(self) -> tuple[str, str]:
        """Words and tone."""
        period = self.coverage.period
        if self.coverage.status != "active":
            return _("Ended"), "neutral"
        if period and period.end and period.end[:10] < self.today.isoformat():
            return _("Expired"), "danger"
        if period and period.start and period.start[:10] > self.today.isoformat():
            return _("Not yet valid"), "warning"
        return _("Active"), "ok"

    @property
    def is_active(self) -> bool:
        return self.coverage.status == "active"


def coverage_rows(coverages: Iterable[Coverage], today: dt.date | None = None) -> list[CoverageRow]:
    return [CoverageRow(coverage, today or timezone.localdate()) for coverage in coverages]


@dataclass(frozen=True, slots=True)
class AppointmentRow:
    """One appointment on the patient's page."""

    appointment: Appointment
    zones: Mapping[str, str]

    @property
    def id(self) -> str:
        return str(self.appointment.id)

    @property
    def when(self) -> str:
        """In the zone of the place it is at."""
        place = self._actor("Location")
        zone = self.zones.get(str(place.target_id)) if place else None
        return f"{day(self.appointment.start, zone)} {clock(self.appointment.start, zone)}" if self.appointment.start else _("No time yet")

    @property
    def service(self) -> str:
        for concept in self.appointment.serviceType:
            return concept.text or next((coding.display for coding in concept.coding if coding.display), "") or ""
        return ""

    @property
    def clinician(self) -> str:
        return _display(self._actor("Practitioner"))

    @property
    def place(self) -> str:
        return _display(self._actor("Location"))

    def _actor(self, type: str) -> Reference | None:
        return next((one.actor for one in self.appointment.participant if one.actor and one.actor.target_type == type), None)

    @property
    def state(self) -> tuple[str, str]:
        words, tone = STATUSES.get(self.appointment.status or "", (self.appointment.status or "", "neutral"))
        return str(words), tone


def _display(who: Reference | None) -> str:
    return (who.display or "") if who else ""


@dataclass(frozen=True, slots=True)
class Details:
    """The demographics card; absence is stated by the template's `definition`."""

    patient: Patient

    @property
    def facts(self) -> Sequence[tuple[str, str]]:
        patient = self.patient
        return [
            (_("Telephone"), facts.phone_words(facts.phone_of(patient))),
            (_("Text messages"), self._texts()),
            (_("E-mail"), facts.email_of(patient) or ""),
            (_("Address"), facts.address_words(patient)),
            (_("Language"), self._language()),
            (_("Emergency contact"), self._contact()),
        ]

    def _texts(self) -> str:
        agreed = self.patient.extension_value(facts.TEXTS_WELCOME)
        return _("Not asked") if agreed is None else _("Agreed") if agreed else _("No")

    def _language(self) -> str:
        codes = [coding.code or "" for spoken in self.patient.communication[:1] if spoken.language for coding in spoken.language.coding]
        words = str(dict(LANGUAGES).get(codes[0].split("-")[0], codes[0])) if codes else ""
        return _("{language}, needs an interpreter").format(language=words) if words and self.patient.extension_value(INTERPRETER) else words

    def _contact(self) -> str:
        for contact in self.patient.contact:
            name = (contact.name.text or " ".join([*contact.name.given, contact.name.family or ""]).strip()) if contact.name else ""
            who = next((concept.text for concept in contact.relationship if concept.text), "")
            phone = next((facts.phone_words(point.value) for point in contact.telecom if point.value), "")
            return " · ".join(part for part in (name, who, phone) if part)
        return ""
