"""The patient banner: who this is and what they must not be given. Three statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import NoReverseMatch, reverse

from openward.chart.codes import ALLERGY_LIST, LOINC
from openward.chart.presenters.lists import AllergySlot
from openward.fhir.errors import Forbidden
from openward.fhir.resources import AllergyIntolerance, List, Patient
from openward.fhir.store import Store
from openward.web.banner import Banner


def banner(store: Store, patient_id: str) -> Banner:
    """The banner of one patient, for the pages of every room. Raises NotFound. What the role may not see is said to be hidden, not absent."""
    patient = store.read(Patient, patient_id)
    try:
        allergies, reviews = allergies_of(store, patient_id), reviews_of(store, patient_id)
    except Forbidden:
        return Banner(patient, url=chart_url(store, patient_id), allergies_hidden=True)
    return banner_of(store, patient, allergies, reviews)


def banner_of(store: Store, patient: Patient, allergies: Sequence[Any], reviews: Sequence[Any]) -> Banner:
    """The banner from what was read already."""
    slot = AllergySlot.of(allergies, reviews)
    return Banner(patient, [row.for_banner() for row in slot.rows], slot.review, flags_of(patient), chart_url(store, str(patient.id)))


def allergies_of(store: Store, patient_id: str) -> list[AllergyIntolerance]:
    return store.search(AllergyIntolerance, {"patient": patient_id, "_count": 100}).resources


def reviews_of(store: Store, patient_id: str) -> list[List]:
    """The recorded reviews of the allergy and medication lists, newest first."""
    return store.search(List, {"patient": patient_id, "code": f"{LOINC}|{ALLERGY_LIST},{LOINC}|10160-0", "_sort": "-date", "_count": 20}).resources


def flags_of(patient: Patient) -> list[str]:
    """Short words that change how one speaks with the person."""
    return [
        f"Speaks {one.language.text or next((c.display for c in one.language.coding if c.display), '')}"
        for one in patient.communication
        if one.preferred and not _is_english(one)
    ]


def _is_english(one: Any) -> bool:
    return any((coding.code or "").startswith("en") for coding in one.language.coding)


def chart_url(store: Store, patient_id: str) -> str:
    """The chart, for those who may open it; none for the others."""
    from openward.access.permissions import Permission

    may = getattr(store.actor, "may", None)
    if may is None or not may(Permission.READ_CHART):
        return ""
    try:
        return reverse("chart:summary", kwargs={"patient": patient_id})
    except NoReverseMatch:
        return ""
