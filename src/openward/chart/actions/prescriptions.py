"""Prescribing: the check first, then the order; what was overridden is recorded with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import timezone

from openward.access.actor import Actor
from openward.chart.actions.writing import coded, must_exist, now_text, patient_reference, practitioner, signature, visit_reference, without_empty
from openward.chart.codes import ACT_CODE, RXNORM, UCUM
from openward.chart.drugs.available import current_knowledge, knowledge_or_none
from openward.chart.drugs.check import Outcome, Situation, Warning_, check, unavailable
from openward.chart.drugs.knowledge import Drug, Knowledge, KnowledgeUnavailable
from openward.chart.drugs.recognition import recognise, recognise_allergy
from openward.chart.errors import AlreadyRenewed, NeedsAcknowledgement, NeedsReason, WrongFromTheStart
from openward.chart.presenters.lists import AllergyRow, AllergySlot
from openward.chart.presenters.medications import dosage
from openward.chart.presenters.wording import codes_in, concept, who
from openward.chart.queries.banner import allergies_of, reviews_of
from openward.chart.queries.patients import current_visit
from openward.chart.queries.summary import active_prescriptions, reported_medications
from openward.fhir.resources import (
    Annotation,
    CodeableConcept,
    Coding,
    DetectedIssue,
    DetectedIssueMitigation,
    Dosage,
    DosageDoseAndRate,
    Duration,
    MedicationRequest,
    MedicationRequestDispenseRequest,
    Quantity,
    Reference,
    Timing,
)
from openward.fhir.store import Store
from openward.fhir.work import UnitOfWork
from openward.record import unit_of_work

ISSUES = {"allergy": ("ALGY", "Allergy"), "duplicate": ("DUPTHPY", "Duplicate therapy"), "interaction": ("DRG", "Drug interaction")}


@dataclass(frozen=True, slots=True)
class Prescription:
    """What the prescriber chose. `drug` is a name of the drug file or free words; `dose` such as `10 mg`; `frequency` a key of the drug file."""

    drug: str
    strength: str = ""
    form: str = ""
    dose: str = ""
    route: str = ""
    frequency: str = ""
    as_needed: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    refills: int = 0
    days: int | None = None
    note: str = ""

    @property
    def text(self) -> str:
        """`lisinopril 10 mg tablet`."""
        return " ".join(part for part in (self.drug, self.strength, self.form) if part)


def check_prescription(*, store: Store, patient: str, text: str, codes: tuple[str, ...] = (), except_for: str | None = None) -> Outcome:
    """Check a drug against what the patient takes and must not be given. Never raises for a check that cannot run: it says so."""
    try:
        knowledge = current_knowledge()
    except KnowledgeUnavailable as reason:
        return unavailable(str(reason))
    return check(knowledge, recognise(knowledge, text, codes), _situation(store, knowledge, patient, except_for))


def _situation(store: Store, knowledge: Knowledge, patient: str, except_for: str | None) -> Situation:
    slot = AllergySlot.of(allergies_of(store, patient), reviews_of(store, patient))
    taken = [*active_prescriptions(store, patient), *reported_medications(store, patient)]
    active = [one for one in taken if one.id != except_for]
    return Situation(
        active=[
            recognise(knowledge, _name(one), codes_in(one.medicationCodeableConcept, RXNORM), reference=f"{one.resourceType}/{one.id}")
            for one in _once_each(active)
        ],
        allergies=[_allergy(knowledge, row) for row in slot.rows],
        allergies_asked=slot.was_asked,
    )


def _once_each(prescriptions: list[Any]) -> list[Any]:
    """A drug on the list twice is one duplicate, not two."""
    return list({_name(one): one for one in prescriptions}.values())


def _name(prescription: Any) -> str:
    return concept(prescription.medicationCodeableConcept, who(prescription.medicationReference))


def _allergy(knowledge: Knowledge, row: AllergyRow) -> Any:
    resource = row.resource
    return recognise_allergy(
        knowledge,
        row.substance,
        codes_in(resource.code, RXNORM),
        categories=list(resource.category),
        intolerance=resource.data.get("type") == "intolerance",
        reaction=row.reaction if resource.reaction else "",
        reference=f"AllergyIntolerance/{resource.id}",
    )


def prescribe(*, patient: str, prescription: Prescription, by: Actor, reason: str = "", acknowledged: bool = False) -> MedicationRequest:
    """Prescribe. The check runs again here, on the record as it is now.

    Raises NeedsReason when something severe was found and `reason` is empty, NeedsAcknowledgement when the check could not run and nobody said they know.
    """
    with unit_of_work(by=by) as work:
        must_exist(work.store, patient)
        made = _request(work, patient, prescription, by)
        codes = tuple(codes_in(made.medicationCodeableConcept, RXNORM))
        outcome = check_prescription(store=work.store, patient=patient, text=prescription.text, codes=codes)
        return _checked(work, work.store.create, made, outcome, by, reason, acknowledged)


def renew(*, medication: str, by: Actor, refills: int | None = None, reason: str = "", acknowledged: bool = False) -> MedicationRequest:
    """Prescribe the same again; the old prescription is completed and the new one says which it continues. Checked as a new one.

    Raises AlreadyRenewed where that was done before (by a colleague, in another window): the patient would take it twice. WrongFromTheStart for one
    that was entered in error.
    """
    with unit_of_work(by=by) as work:
        old = work.store.read(MedicationRequest, medication)
        patient = str(old.subject.target_id)
        _refuse_to_renew(work, old, patient)
        again = old.copy()
        for name in ("id", "meta", "identifier", "statusReason", "reportedBoolean", "reportedReference"):
            again.data.pop(name, None)
        again.status, again.authoredOn, again.requester = "active", timezone.now(), signature(by)
        again.encounter = visit_reference(current_visit(work.store, patient))
        again.priorPrescription = Reference(f"MedicationRequest/{old.id}")
        if refills is not None and again.dispenseRequest is not None:
            again.dispenseRequest.numberOfRepeatsAllowed = refills
        codes = tuple(codes_in(old.medicationCodeableConcept, RXNORM))
        outcome = check_prescription(store=work.store, patient=patient, text=_name(old), codes=codes, except_for=str(old.id))
        made = _checked(work, work.store.create, again, outcome, by, reason, acknowledged)
        if old.status in ("active", "on-hold", "unknown"):
            old.status = "stopped" if old.status == "on-hold" else "completed"
            # Two who renew it at the same moment: the second is refused whole.
            work.store.update(old, if_match=int(str(old.meta.versionId)) if old.meta is not None else None)
        return made


def _refuse_to_renew(work: UnitOfWork, old: MedicationRequest, patient: str) -> None:
    if old.status == "entered-in-error":
        raise WrongFromTheStart
    if any(one.priorPrescription is not None and one.priorPrescription.target_id == old.id for one in active_prescriptions(work.store, patient)):
        raise AlreadyRenewed


def stop(*, medication: str, reason: str, by: Actor) -> MedicationRequest:
    """The patient should no longer take it; `reason` in words."""
    with unit_of_work(by=by) as work:
        standing = work.store.read(MedicationRequest, medication)
        standing.status = "stopped"
        standing.statusReason = CodeableConcept(text=reason)
        return work.store.update(standing)


def _checked(
    work: UnitOfWork, create: Any, made: MedicationRequest, outcome: Outcome, by: Actor, reason: str, acknowledged: bool
) -> MedicationRequest:
    if outcome.needs_reason and not reason.strip():
        raise NeedsReason
    if not outcome.ran and not acknowledged:
        raise NeedsAcknowledgement
    stored: MedicationRequest = create(made)
    for warning in outcome.severe:
        work.store.create(_overridden(stored, warning, by, reason))
    if not outcome.is_complete:
        work.store.create(_not_checked(stored, outcome, by))
    return stored


def _overridden(prescription: MedicationRequest, warning: Warning_, by: Actor, reason: str) -> DetectedIssue:
    code, text = ISSUES[warning.kind]
    implicated = [Reference(f"MedicationRequest/{prescription.id}")] + ([Reference(warning.reference)] if warning.reference else [])
    mitigation = DetectedIssueMitigation(**without_empty(action=CodeableConcept(text=reason), date=now_text(), author=practitioner(by)))
    return DetectedIssue(
        **without_empty(
            status="final",
            code=coded(ACT_CODE, code, text=text),
            severity="high",
            patient=prescription.subject,
            identifiedDateTime=now_text(),
            author=practitioner(by),
            implicated=implicated,
            detail=f"{warning.against}: {warning.effect} {warning.advice} Source: {warning.source}.",
            mitigation=[mitigation],
        )
    )


def _not_checked(prescription: MedicationRequest, outcome: Outcome, by: Actor) -> DetectedIssue:
    """That the prescription was written without the check, or with part of it missing, is on record too."""
    return DetectedIssue(
        **without_empty(
            status="final",
            code=CodeableConcept(text="Drug check unavailable" if not outcome.ran else "Drug check incomplete"),
            severity="moderate",
            patient=prescription.subject,
            identifiedDateTime=now_text(),
            author=practitioner(by),
            implicated=[Reference(f"MedicationRequest/{prescription.id}")],
            detail="Not checked: " + "; ".join(f"{one.what} ({one.why})" for one in outcome.not_checked),
        )
    )


def _request(work: UnitOfWork, patient: str, chosen: Prescription, by: Actor) -> MedicationRequest:
    knowledge = knowledge_or_none()
    drug = knowledge.drugs.get(chosen.drug) if knowledge is not None else None
    return MedicationRequest(
        **without_empty(
            status="active",
            intent="order",
            medicationCodeableConcept=_medication(chosen, drug),
            subject=patient_reference(patient),
            encounter=visit_reference(current_visit(work.store, patient)),
            authoredOn=now_text(),
            requester=signature(by),
            dosageInstruction=[_dosage(chosen, knowledge)],
            dispenseRequest=_dispense(chosen),
            note=[Annotation(text=chosen.note)] if chosen.note else [],
        )
    )


def _medication(chosen: Prescription, drug: Drug | None) -> CodeableConcept:
    concept = CodeableConcept(text=chosen.text)
    if drug is not None and drug.rxcui:
        concept.coding = [Coding(system=RXNORM, code=drug.rxcui, display=drug.name)]
    return concept


def _dosage(chosen: Prescription, knowledge: Knowledge | None) -> Dosage:
    made = Dosage()
    frequency = knowledge.frequencies.get(chosen.frequency) if knowledge is not None else None
    if frequency is not None:
        made.timing = Timing.over(_copied(frequency.timing))
    elif chosen.frequency:
        made.timing = Timing(code=CodeableConcept(text=chosen.frequency))
    if chosen.as_needed:
        made.asNeededCodeableConcept = CodeableConcept(text=chosen.as_needed)
    if chosen.route:
        made.route = CodeableConcept(text=chosen.route)
    if quantity := dose_quantity(chosen.dose):
        made.doseAndRate = [DosageDoseAndRate(doseQuantity=quantity)]
    shown = " — ".join(f"{one.label} {one.value}".strip() for one in dosage(made))
    made.text = shown if quantity or not chosen.dose else " — ".join(part for part in (f"DOSE {chosen.dose}", shown) if part)
    return made


def _copied(timing: Any) -> dict[str, Any]:
    return {name: dict(part) if isinstance(part, dict) else part for name, part in timing.items()}


def dose_quantity(text: str) -> Quantity | None:
    """`10 mg`, `2 puffs` as a quantity; None for what is no number and a unit, such as `875 mg/125 mg`."""
    value, _space, unit = text.strip().partition(" ")
    try:
        number = Decimal(value.replace(",", ""))
    except InvalidOperation:
        return None
    if not number.is_finite() or number <= 0 or "/" in unit and any(part[:1].isdigit() for part in unit.split("/")[1:]):
        return None
    return Quantity(value=number, unit=unit) if unit else Quantity(value=number)


def _dispense(chosen: Prescription) -> MedicationRequestDispenseRequest | None:
    if chosen.quantity is None and not chosen.refills and chosen.days is None:
        return None
    made = MedicationRequestDispenseRequest(numberOfRepeatsAllowed=chosen.refills)
    if chosen.quantity is not None:
        made.quantity = Quantity(**without_empty(value=chosen.quantity, unit=chosen.unit))
    if chosen.days:
        made.expectedSupplyDuration = Duration(value=Decimal(chosen.days), unit="days", system=UCUM, code="d")
    return made
