"""Whose record an app is let into: a patient's own, or the one that a member of staff picks."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.access.permissions import Permission
from openward.fhir.ids import is_id
from openward.registration import finding
from openward.smart import launching
from openward.web.pages import PageRequest

AT_MOST = 10


@dataclass(frozen=True, slots=True)
class Choice:
    id: str
    name: str
    born: str
    number: str


def own(actor: Actor) -> str:
    """The id of the patient a person is; nothing for staff, and for who acts for someone else just now."""
    reference = actor.reference or ""
    return reference.removeprefix("Patient/") if reference.startswith("Patient/") and actor.on_behalf_of is None else ""


def found(request: PageRequest, text: str) -> list[Choice]:
    """The patients that fit what was typed, as far as this person may find patients at all."""
    if not request.actor.may(Permission.FIND_PATIENTS):
        return []
    return [Choice(str(row.found.patient.id), row.name, row.born, row.number) for row in finding.rows(request, text, limit=AT_MOST)]


def chosen(request: PageRequest, needed: bool) -> tuple[str, str]:
    """(patient, encounter) of the consent form, seen with this person's own eyes. Raises ValueError with words, and FhirError for what they may not see."""
    encounter = request.POST.get("encounter", "")
    patient = own(request.actor) if request.actor.kind == "patient" else request.POST.get("patient", "")
    if not needed and request.actor.kind != "patient":
        return "", ""
    if not patient:
        raise ValueError(_("Choose the patient first."))
    if not is_id(patient) or (encounter and not is_id(encounter)):
        raise ValueError(_("This is no patient or visit."))
    launching.may_be_about(request.store, patient, encounter)
    return patient, encounter
