"""What registration's pages read, and what other rooms may ask about a patient's registration."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import timezone

from openward.fhir.matching import Match, Matcher
from openward.fhir.resources import AllergyIntolerance, Appointment, Coverage, List, Location, Organization, Patient
from openward.fhir.search.people import PatientFinder
from openward.fhir.store import Store
from openward.registration import facts
from openward.registration.facts import Reach, name_of, phone_of, phone_words, reach_of
from openward.registration.forms.confirm import ConfirmDetailsForm
from openward.web.banner import Allergy, Banner, Review, is_active_allergy, is_severe_allergy, replaced_by, stated_none

__all__ = [
    "Found",
    "Match",
    "Reach",
    "Registration",
    "coverages",
    "details_to_confirm",
    "find",
    "likenesses",
    "name_of",
    "number_of",
    "payer_name",
    "payers",
    "phone_of",
    "phone_words",
    "reach_of",
    "registration",
]

PAYER_ID = "urn:openward:payer"
TIME_ZONE = "http://hl7.org/fhir/StructureDefinition/timezone"
ALLERGIES_REVIEWED = "http://loinc.org|48765-2"
MOST_FOUND = 12
MOST_BOOKED = 200


@dataclass(frozen=True, slots=True)
class Found:
    """A patient the finder found, and when they come next: a UTC instant and the appointment, when the finder's user may see it."""

    patient: Patient
    upcoming: Appointment | None = None


@dataclass(frozen=True, slots=True)
class Registration:
    """What the front desk keeps about one patient. Appointments are the latest first."""

    patient: Patient
    coverages: Sequence[Coverage]
    upcoming: Sequence[Appointment]
    past: Sequence[Appointment]


def find(store: Store, text: str, *, limit: int = MOST_FOUND) -> list[Found]:
    """The patients that fit part of a name (also misspelt), a birth date, a number or a telephone, the likeliest first; of merged records the one that stays."""
    finder = _finder(store)
    if finder is None:
        return []
    ids = [found.id for found in finder.find(text, limit=limit)]
    patients = [one for one in store.read_many([(Patient, id) for id in ids]) if isinstance(one, Patient) and replaced_by(one) is None]
    upcoming = _coming_up(store, [str(one.id) for one in patients])
    return [Found(one, upcoming.get(str(one.id))) for one in patients]


def likenesses(store: Store, patient: Patient) -> list[Match]:
    """Registered patients who may be this one, with why, the likeliest first."""
    where = store.policy.where(store.actor, "search", "Patient")
    return Matcher(store.connection, store.tenant, where).matches(patient, limit=5) if where is not None else []


def _finder(store: Store) -> PatientFinder | None:
    where = store.policy.where(store.actor, "search", "Patient")
    return PatientFinder(store.connection, store.tenant, where) if where is not None else None


def _coming_up(store: Store, patients: Sequence[str]) -> dict[str, Appointment]:
    """The next appointment of each patient, where the actor may see appointments."""
    if not patients or not _may_see(store, "Appointment"):
        return {}
    who = ",".join(f"Patient/{id}" for id in patients)
    params = {"patient": who, "date": f"ge{timezone.now():%Y-%m-%dT%H:%M:%SZ}", "status": "booked,pending", "_sort": "date", "_count": MOST_BOOKED}
    found: dict[str, Appointment] = {}
    for booked in store.search(Appointment, params).resources:
        for one in booked.participant:
            if one.actor and one.actor.target_type == "Patient" and one.actor.target_id:
                found.setdefault(str(one.actor.target_id), booked)
    return found


def details_to_confirm(patient: Patient, *, has_coverage: bool, data: Mapping[str, Any] | None) -> ConfirmDetailsForm:
    """What is read back to a patient who has come, as a form; bound to what was sent when `data` is given."""
    return ConfirmDetailsForm(data, patient=patient, has_coverage=has_coverage)


def number_of(patient: Patient) -> str:
    """The medical record number, or nothing."""
    return facts.record_number(patient) or ""


def registration(store: Store, patient: str) -> Registration:
    """Raises NotFound."""
    person = store.read(Patient, patient)
    appointments = _appointments(store, patient)
    now = timezone.now()
    upcoming = [one for one in appointments if _start(one) and _start(one) >= now and one.status in ("booked", "pending", "arrived", "checked-in")]  # type: ignore[operator]
    past = [one for one in appointments if one not in upcoming]
    return Registration(person, coverages(store, patient, ended=True), upcoming[::-1], past)


def coverages(store: Store, patient: str, *, ended: bool = False) -> list[Coverage]:
    """A patient's insurances in their order; those that have ended only when asked for. None for who may not see them."""
    if not _may_see(store, "Coverage"):
        return []
    found = store.search(Coverage, {"beneficiary": f"Patient/{patient}", "_count": 50}).resources
    shown = [one for one in found if ended or one.status == "active"]
    return sorted(shown, key=lambda one: (one.status != "active", one.order or 9))


def payers(store: Store) -> list[tuple[str, str]]:
    """The insurers, as (id, name)."""
    found = store.search(Organization, {"type": "ins", "_count": 200}).resources
    named = found or [
        one for one in store.search(Organization, {"_count": 200}).resources if any(entry.system == PAYER_ID for entry in one.identifier)
    ]
    return sorted(((str(one.id), one.name or "") for one in named), key=lambda payer: payer[1])


def payer_name(coverage: Coverage) -> str:
    return (coverage.payor[0].display or "") if coverage.payor else ""


def zones_of(store: Store, appointments: Sequence[Appointment]) -> dict[str, str]:
    """The IANA zone of each place the appointments are at, by Location id."""
    places = {str(one.actor.target_id) for booked in appointments for one in booked.participant if one.actor and one.actor.target_type == "Location"}
    found = store.read_many([(Location, place) for place in sorted(places)])
    return {str(place.id): str(zone) for place in found if isinstance(place, Location) and (zone := place.extension_value(TIME_ZONE))}


def banner(store: Store, patient: Patient) -> Banner:
    """The patient banner with the allergies, for a page that is not the chart's."""
    if not _may_see(store, "AllergyIntolerance"):
        return Banner(patient, allergies_hidden=True)
    found = store.search(AllergyIntolerance, {"patient": f"Patient/{patient.id}", "clinical-status": "active", "_count": 50}).resources
    allergies = [Allergy(_substance(one), severe=is_severe_allergy(one)) for one in found if is_active_allergy(one)]
    return Banner(patient, allergies, _review(store, str(patient.id)) or stated_none(found), url=reverse("registration:patient", args=[patient.id]))


def _may_see(store: Store, type: str) -> bool:
    return store.policy.where(store.actor, "search", type) is not None


def _substance(allergy: AllergyIntolerance) -> str:
    code = allergy.code
    return (code.text or next((coding.display for coding in code.coding if coding.display), "")) if code else ""


def _review(store: Store, patient: str) -> Review | None:
    if not _may_see(store, "List"):
        return None
    page = store.search(List, {"subject": f"Patient/{patient}", "code": ALLERGIES_REVIEWED, "_sort": "-date", "_count": 5})
    latest = next((one for one in page.resources if one.status != "entered-in-error"), None)
    if latest is None:
        return None
    nothing = bool(latest.emptyReason and any(coding.code == "nilknown" for coding in latest.emptyReason.coding))
    return Review(latest.date, (latest.source.display or "") if latest.source else "", none_known=nothing)


def _appointments(store: Store, patient: str) -> list[Appointment]:
    if not _may_see(store, "Appointment"):
        return []
    return list(store.search(Appointment, {"patient": f"Patient/{patient}", "_sort": "-date", "_count": 100}).resources)


def _start(appointment: Appointment) -> dt.datetime | None:
    return dt.datetime.fromisoformat(appointment.start) if appointment.start and "T" in appointment.start else None
