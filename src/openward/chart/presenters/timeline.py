"""Everything that happened, newest first, in one list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from openward.chart.presenters.lists import AllergyRow, DocumentRow, ImmunizationRow, ProblemRow, VisitRow
from openward.chart.presenters.medications import MedicationLine
from openward.chart.presenters.wording import concept, date_of, in_order, who
from openward.web.words import gettext as _


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline. `kind` is the noun it is filtered by."""

    kind: str
    at: str
    title: str
    icon: str
    detail: str = ""
    by: str = ""
    resource: str = ""


def events(resources: Iterable[Any], most: int | None = None) -> list[Event]:
    """The timeline of these resources, at most the newest `most`; what has no date or no place in it is left out."""
    dated = sorted(((date_of(one), one) for one in resources if one.resourceType in TELLERS), key=lambda pair: in_order(pair[0]), reverse=True)
    return [event for at, one in dated[:most] if at and (event := _event(one)) is not None]


def _event(resource: Any) -> Event | None:
    tell = TELLERS.get(resource.resourceType)
    return tell(resource) if tell is not None else None


def _visit(resource: Any) -> Event:
    row = VisitRow(resource)
    return Event("visits", row.at, row.what, "stethoscope", row.reason, row.clinician, row.id)


def _problem(resource: Any) -> Event:
    row = ProblemRow(resource)
    return Event(
        "problems", date_of(resource), _("Problem: {name}").format(name=row.name), "clipboard-list", row.status, who(resource.recorder), row.id
    )


def _medication(resource: Any) -> Event:
    row = MedicationLine(resource)
    return Event("medications", date_of(resource), _("Prescribed: {name}").format(name=row.name.generic), "pill", row.plain, row.prescriber, row.id)


def _allergy(resource: Any) -> Event:
    row = AllergyRow(resource)
    return Event(
        "allergies", date_of(resource), _("Allergy recorded: {name}").format(name=row.substance), "triangle-alert", row.reaction, row.recorder, row.id
    )


def _immunization(resource: Any) -> Event:
    row = ImmunizationRow(resource)
    return Event("immunizations", date_of(resource), row.vaccine, "syringe", row.detail, "", str(resource.id))


def _document(resource: Any) -> Event:
    row = DocumentRow(resource)
    return Event("documents", row.at, row.title, "file-text", row.status, row.author, row.id)


def _report(resource: Any) -> Event:
    return Event(
        "results",
        date_of(resource),
        _("Result: {name}").format(name=concept(resource.code)),
        "flask-conical",
        str(resource.conclusion or ""),
        "",
        str(resource.id),
    )


def _order(resource: Any) -> Event:
    return Event(
        "results",
        date_of(resource),
        _("Ordered: {name}").format(name=concept(resource.code)),
        "test-tube",
        "",
        who(resource.requester),
        str(resource.id),
    )


TELLERS = {
    "Encounter": _visit,
    "Condition": _problem,
    "MedicationRequest": _medication,
    "AllergyIntolerance": _allergy,
    "Immunization": _immunization,
    "Composition": _document,
    "DocumentReference": _document,
    "DiagnosticReport": _report,
    "ServiceRequest": _order,
}
