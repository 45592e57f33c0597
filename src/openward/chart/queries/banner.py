"""The patient banner: who this is and what they must not be given. One search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from django.urls import NoReverseMatch, reverse

from openward.access.permissions import Permission
from openward.chart.presenters.lists import AllergySlot
from openward.fhir.errors import NotFound
from openward.fhir.resources import AllergyIntolerance, List, Patient, Resource
from openward.fhir.store import Store
from openward.web.banner import Banner

R = TypeVar("R", bound=Resource)

ABOUT_ALLERGIES = ("AllergyIntolerance:patient", "List:subject")


def banner(store: Store, patient_id: str) -> Banner:
    """The banner of one patient, for the pages of every room. Raises NotFound. What the role may not see is said to be hidden, not absent."""
    if any(store.policy.where(store.actor, "search", type) is None for type in ("AllergyIntolerance", "List")):
        return Banner(store.read(Patient, patient_id), url=chart_url(store, patient_id), allergies_hidden=True)
    patient, around = patient_with(store, patient_id, ABOUT_ALLERGIES)
    return banner_of(store, patient, of_type(around, AllergyIntolerance), of_type(around, List))


def patient_with(store: Store, patient_id: str, including: Sequence[str]) -> tuple[Patient, list[Resource]]:
    """The patient and what refers to them, in one search. Raises NotFound."""
    page = store.search(Patient, {"_id": patient_id, "_revinclude": list(including)})
    if not page.resources:
        raise NotFound(type="Patient", id=patient_id)
    return page.resources[0], page.included


def of_type(resources: Sequence[Resource], type: type[R]) -> list[R]:
    return [one for one in resources if isinstance(one, type)]


def banner_of(store: Store, patient: Patient, allergies: Sequence[Any], reviews: Sequence[Any]) -> Banner:
    """The banner from what was read already."""
    slot = AllergySlot.of(allergies, reviews)
    return Banner(patient, [row.for_banner() for row in slot.rows], slot.review, flags_of(patient), chart_url(store, str(patient.id)))


def allergies_of(store: Store, patient_id: str) -> list[AllergyIntolerance]:
    return store.search(AllergyIntolerance, {"patient": patient_id, "_count": 100}).resources


def reviews_of(store: Store, patient_id: str) -> list[List]:
    """The recorded reviews of the patient's lists, newest first."""
    return store.search(List, {"patient": patient_id, "_sort": "-date", "_count": 50}).resources


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
    may = getattr(store.actor, "may", None)
    if may is None or not may(Permission.READ_CHART):
        return ""
    try:
        return reverse("chart:summary", kwargs={"patient": patient_id})
    except NoReverseMatch:
        return ""
