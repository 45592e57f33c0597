"""The whole of one noun of a patient, page by page, and the timeline of everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from openward.chart import labs
from openward.chart.codes import CATEGORY, LABORATORY
from openward.chart.presenters.lists import AllergyRow, DocumentRow, ImmunizationRow, ProblemRow, VisitRow
from openward.chart.presenters.medications import MedicationLine
from openward.chart.presenters.results import Person, ResultGroup, ResultRow, grouped
from openward.chart.presenters.timeline import Event, events
from openward.fhir.resources import Observation, Patient
from openward.fhir.store import Store

PAGE = 50
IN_TIMELINE = {
    "Encounter": "date", "Condition": "recorded-date", "MedicationRequest": "authoredon", "AllergyIntolerance": "date", "Immunization": "date",
    "Composition": "date", "DocumentReference": "date", "DiagnosticReport": "date",
}  # fmt: skip

KINDS = {
    "visits": ("Encounter",), "problems": ("Condition",), "medications": ("MedicationRequest",), "allergies": ("AllergyIntolerance",),
    "immunizations": ("Immunization",), "documents": ("Composition", "DocumentReference"), "results": ("DiagnosticReport",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Noun:
    """One list: its type, the search for it, and how a line is made."""

    title: str | Promise
    type: str
    params: dict[str, Any]
    row: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a list."""

    rows: Sequence[Any]
    next: str = ""


HISTORIES: dict[str, Noun] = {
    "problems": Noun(_("Problems"), "Condition", {"_sort": "-onset-date"}, ProblemRow),
    "medications": Noun(_("Medications"), "MedicationRequest", {"_sort": "-authoredon"}, MedicationLine),
    "allergies": Noun(_("Allergies"), "AllergyIntolerance", {"_sort": "-date"}, AllergyRow),
    "results": Noun(_("Results"), "Observation", {"_sort": "-date", "category": f"{CATEGORY}|{LABORATORY}"}, ResultRow),
    "visits": Noun(_("Visits"), "Encounter", {"_sort": "-date"}, VisitRow),
    "notes": Noun(_("Notes"), "Composition", {"_sort": "-date"}, DocumentRow),
    "documents": Noun(_("Documents"), "DocumentReference", {"_sort": "-date"}, DocumentRow),
    "immunizations": Noun(_("Immunizations"), "Immunization", {"_sort": "-date"}, ImmunizationRow),
    "timeline": Noun(_("Timeline"), "", {}, Event),
}


def history(store: Store, patient: Patient, noun: str, cursor: str = "", kind: str = "") -> Found:
    """One page. For the timeline `cursor` is the date of the last line shown, else the store's own."""
    if noun == "timeline":
        return _timeline(store, str(patient.id), cursor, kind)
    entry = HISTORIES[noun]
    params = {"patient": str(patient.id), "_count": PAGE, **entry.params, **({"_cursor": cursor} if cursor else {})}
    found = store.search(entry.type, params)
    return Found([_row(entry, resource, patient) for resource in found.resources if _stands(resource)], found.next or "")


def _row(entry: Noun, resource: Any, patient: Patient) -> Any:
    return ResultRow(resource, Person(patient.gender, patient.birthDate)) if entry.row is ResultRow else entry.row(resource)


def _stands(resource: Any) -> bool:
    return resource.data.get("status") != "entered-in-error"


def _timeline(store: Store, patient: str, before: str, kind: str) -> Found:
    """The newest lines of every kind, or of one, merged; the next page begins where this one ends."""
    found: list[Any] = []
    types = KINDS.get(kind, tuple(IN_TIMELINE))
    for type, date in IN_TIMELINE.items():
        if type not in types:
            continue
        asked = {"patient": patient, "_sort": f"-{date}", "_count": PAGE, **({date: f"lt{before}"} if before else {})}
        found += [resource for resource in store.search(type, asked).resources if _stands(resource)]
    lines = events(found)
    shown = lines[:PAGE]
    return Found(shown, shown[-1].at if len(lines) > PAGE else "")


def values_of_test(store: Store, patient: Patient, key: str) -> ResultGroup | None:
    """Every value of one test (a key of the catalog, or a LOINC code), newest first."""
    test = labs.catalog().get(key)
    codes = [code for code in (test.loinc, *test.also) if code] if test is not None else [key]
    found = store.search(Observation, {"patient": str(patient.id), "code": ",".join(codes), "_sort": "-date", "_count": 200}).resources
    groups = grouped(found, Person(patient.gender, patient.birthDate))
    return groups[0] if groups else None
