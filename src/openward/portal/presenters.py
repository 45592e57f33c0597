"""What patients read. Plain words, their own clock, money with its sign."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from openward.chart.presenters.lists import ImmunizationRow
from openward.chart.presenters.wording import concept
from openward.fhir.resources import Appointment, HealthcareService, Location, Patient, Practitioner
from openward.scheduling import facts
from openward.scheduling.queries.times import Offer
from openward.web.display import day, spoken_name


@dataclass(frozen=True)
class Coming:
    """A booked appointment, told by the clock of the place it is at."""

    appointment: Appointment
    start: dt.datetime
    end: dt.datetime
    zone: str
    where: str
    address: str

    @classmethod
    def of(cls, booked: Appointment, places: Mapping[str, Any]) -> Coming:
        start, end = facts.moment(booked.start), facts.moment(booked.end)
        assert start is not None
        at = [places.get(str(facts.target(who.actor))) for who in booked.participant]
        place = next((one for one in at if isinstance(one, Location) and not facts.is_room(one)), None)
        zone = str(facts.zone_of(place)) if place else "UTC"
        return cls(booked, start, end or start, zone, (place.name or "") if place else "", _address(place))

    @property
    def id(self) -> str:
        return str(self.appointment.id)

    @property
    def what(self) -> str:
        return concept(self.appointment.serviceType[0]) if self.appointment.serviceType else _("Visit")

    @property
    def who(self) -> str:
        named = (one.actor for one in self.appointment.participant if one.actor is not None and one.actor.type == "Practitioner")
        return next((one.display for one in named if one.display), "")

    @property
    def when(self) -> str:
        return moment(self.start, self.zone)

    @property
    def may_change(self) -> bool:
        """Until it begins: who did not come cannot give it back afterwards."""
        return self.appointment.status == "booked" and self.start > timezone.now()


@dataclass(frozen=True)
class Chosen:
    """A time somebody is about to book, told by the clock of the place, on whose day `day` it is."""

    day: dt.date
    what: str
    when: str
    minutes: int
    who: str
    where: str
    address: str

    @classmethod
    def of(cls, service: HealthcareService, who: Practitioner, place: Location, start: dt.datetime) -> Chosen:
        named = spoken_name(who.name[0] if who.name else None)
        minutes = int(facts.length_of(service).total_seconds()) // 60
        zone = facts.zone_of(place)
        return cls(start.astimezone(zone).date(), service.name or "", moment(start, str(zone)), minutes, named, place.name or "", _address(place))


def moment(at: dt.datetime, zone: str) -> str:
    """`Tuesday, November 3 at 9:30 a.m.` by the clock of the place."""
    local = at.astimezone(ZoneInfo(zone))
    return _("{day} at {time}").format(day=date_format(local, "l, F j"), time=date_format(local, "g:i a"))


def _address(place: Location | None) -> str:
    if place is None or place.address is None:
        return ""
    parts = [*place.address.line, place.address.city, place.address.state, place.address.postalCode]
    return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class DayOffers:
    """The free times of one day, as choices: the value names person, place and instant."""

    day: dt.date
    choices: Sequence[tuple[str, str, str]]

    @property
    def title(self) -> str:
        return date_format(self.day, "l, F j")


def by_day(offers: Sequence[Offer], *, most: int = 12) -> list[DayOffers]:
    """Offers in groups of a day; of each day the first `most`, one for each time."""
    days: dict[dt.date, dict[dt.datetime, Offer]] = {}
    for offer in offers:
        days.setdefault(offer.day, {}).setdefault(offer.start, offer)
    return [DayOffers(day, [_choice(offer) for offer in list(times.values())[:most]]) for day, times in days.items()]


def _choice(offer: Offer) -> tuple[str, str, str]:
    local = offer.start.astimezone(ZoneInfo(offer.zone))
    return (
        f"{offer.practitioner}|{offer.facility}|{offer.start.isoformat()}",
        date_format(local, "g:i a"),
        f"{offer.called or offer.name} · {offer.facility_name}",
    )


def immunization_words(patient: Patient, rows: Sequence[ImmunizationRow], practice: str, today: dt.date) -> dict[str, Any]:
    """The words of the immunization record's PDF."""
    name = patient.name[0] if patient.name else None
    full = " ".join([*(name.given if name else []), (name.family or "") if name else ""]).strip()
    number = next((entry.value for entry in patient.identifier if entry.system == "urn:openward:mrn"), "") or ""
    return {
        "title": _("Immunization record"),
        "practice": practice,
        "person": [[_("Name"), full], [_("Born"), day(patient.birthDate)], [_("Record number"), number]],
        "columns": [_("Vaccine"), _("Given"), _("Detail")],
        "rows": [[row.vaccine, day(row.given), row.detail] for row in rows] or [[_("No immunizations are recorded here."), "", ""]],
        "footer": _("Made on {date} from the practice's record.").format(date=day(today)),
    }
