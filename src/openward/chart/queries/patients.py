"""Small questions about a patient that several pages ask."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils import timezone

from openward.chart.codes import OPEN_VISIT
from openward.chart.presenters.wording import years_between
from openward.fhir.resources import Encounter, Patient
from openward.fhir.store import Store
from openward.web.display import person_name


def current_visit(store: Store, patient_id: str) -> Encounter | None:
    """The visit that is open now, the latest when there are several; None when the patient is not here."""
    found = store.search(Encounter, {"patient": patient_id, "status": ",".join(OPEN_VISIT), "_sort": "-date", "_count": 1}).resources
    return found[0] if found else None


def open_among(visits: Iterable[Encounter]) -> Encounter | None:
    return next((visit for visit in visits if visit.status in OPEN_VISIT), None)


def age_of(patient: Patient, at: dt.date | None = None) -> Decimal | None:
    """In years with their fraction, for limits by age; None when the birth date is not known."""
    return years_between(patient.birthDate, at or timezone.localdate())


def name_of(patient: Any) -> str:
    """`FAMILY, Given (Title)`."""
    names = list(patient.name)
    official = [name for name in names if name.use in ("official", "usual")] or names
    return person_name(official[0] if official else None)


def spoken_name(patient: Any) -> str:
    """`Ada Okafor`, for letters and lists that people read aloud."""
    name = next(iter(patient.name), None)
    if name is None:
        return name_of(patient)
    return " ".join([*name.given, name.family or ""]).strip() or (name.text or "")


def patients_by_id(store: Store, ids: Iterable[str | None]) -> dict[str, Patient]:
    wanted = dict.fromkeys(id for id in ids if id)
    return {str(found.id): found for found in store.read_many((Patient, id) for id in wanted) if isinstance(found, Patient)}


def practitioner_name(store: Store, id: str | None) -> str:
    from openward.fhir.resources import Practitioner

    found = store.find(Practitioner, id) if id else None
    return spoken_name(found) if found is not None else ""
