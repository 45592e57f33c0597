"""What every action of the chart writes alike: who, for whom, in which visit, when."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from openward.access.actor import Actor
from openward.chart.errors import RecordMerged
from openward.fhir.resources import CodeableConcept, Coding, Encounter, Patient, Reference
from openward.web.banner import is_replaced


def signature(actor: Actor) -> Reference:
    """The actor as the author of what they write: their own resource, or their name where they have none."""
    return Reference(actor.reference, display=actor.name) if actor.reference else Reference(display=actor.name)


def practitioner(actor: Actor) -> Reference | None:
    """The actor where FHIR wants a Practitioner by reference; None for people without one."""
    return Reference(actor.reference, display=actor.name) if actor.reference and actor.reference.startswith("Practitioner/") else None


def patient_reference(patient: str) -> Reference:
    return Reference(f"Patient/{patient}")


def visit_reference(visit: Encounter | str | None) -> Reference | None:
    if visit is None:
        return None
    return Reference(f"Encounter/{visit if isinstance(visit, str) else visit.id}")


def coded(system: str, code: str, text: str = "", display: str = "") -> CodeableConcept:
    concept = CodeableConcept(coding=[Coding(system=system, code=code)])
    if display:
        concept.coding[0].display = display
    if text:
        concept.text = text
    return concept


def now_text() -> str:
    """This instant as FHIR writes it, in UTC."""
    return timezone.now().isoformat(timespec="seconds").replace("+00:00", "Z")


def today_text() -> str:
    return timezone.localdate().isoformat()


def without_empty(**elements: Any) -> dict[str, Any]:
    """Elements that have a value: FHIR has no empty ones."""
    return {name: value for name, value in elements.items() if value not in (None, "", [], ())}


def must_exist(store: Any, patient: str) -> Patient:
    """The patient. Raises NotFound before anything is written about somebody who is not there, RecordMerged about a record that is nobody's any more."""
    found: Patient = store.read(Patient, patient)
    if is_replaced(found):
        raise RecordMerged
    return found
