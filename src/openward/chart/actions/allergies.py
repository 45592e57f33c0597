"""Allergies, and saying that a list was looked at: a List snapshot with who and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openward.access.actor import Actor
from openward.chart.actions.writing import coded, must_exist, now_text, patient_reference, signature, visit_reference, without_empty
from openward.chart.codes import ALLERGY_CLINICAL, ALLERGY_LIST, ALLERGY_VERIFICATION, EMPTY_REASON, LOINC, MEDICATION_LIST, RXNORM
from openward.chart.drugs.available import knowledge_or_none
from openward.chart.errors import StillAllergic
from openward.chart.presenters.lists import AllergyRow
from openward.chart.queries.banner import allergies_of
from openward.chart.queries.patients import current_visit
from openward.chart.queries.summary import active_prescriptions, reported_medications
from openward.fhir.resources import AllergyIntolerance, AllergyIntoleranceReaction, CodeableConcept, Coding, List, ListEntry, Reference
from openward.fhir.work import UnitOfWork
from openward.record import unit_of_work

TITLES = {ALLERGY_LIST: "Allergies and adverse reactions", MEDICATION_LIST: "Medications"}


def record_allergy(
    *, patient: str, substance: str, by: Actor, reaction: str = "", severity: str = "", criticality: str = "", kind: str = "allergy", onset: str = ""
) -> AllergyIntolerance:
    """Record an allergy or intolerance as the patient tells it. `severity` mild|moderate|severe; `criticality` low|high|unable-to-assess."""
    with unit_of_work(by=by) as work:
        must_exist(work.store, patient)
        code, category = _substance(substance)
        allergy = AllergyIntolerance(
            **without_empty(
                clinicalStatus=coded(ALLERGY_CLINICAL, "active"),
                verificationStatus=coded(ALLERGY_VERIFICATION, "confirmed"),
                type=kind,
                category=[category] if category else [],
                criticality=criticality,
                code=code,
                patient=patient_reference(patient),
                encounter=visit_reference(current_visit(work.store, patient)),
                onsetDateTime=onset,
                recordedDate=now_text(),
                recorder=signature(by) if by.reference else None,
            )
        )
        if reaction:
            allergy.reaction = [AllergyIntoleranceReaction(**without_empty(manifestation=[CodeableConcept(text=reaction)], severity=severity))]
        return work.store.create(allergy)


def _substance(text: str) -> tuple[CodeableConcept, str]:
    """The substance with its RxNorm ingredient where it is one of the drug file, and what kind of thing it is."""
    knowledge = knowledge_or_none()
    if knowledge is None:
        return CodeableConcept(text=text), ""
    drug = knowledge.drugs.get(text.lower())
    if drug is not None:
        concept = CodeableConcept(text=text)
        if drug.rxcui:
            concept.coding = [Coding(system=RXNORM, code=drug.rxcui, display=drug.name)]
        return concept, "medication"
    if any(text.lower() in group.words for group in knowledge.groups):
        return CodeableConcept(text=text), "medication"
    return CodeableConcept(text=text), next((kind for kind, names in knowledge.other_substances.items() if text.lower() in names), "")


def resolve_allergy(*, allergy: str, by: Actor, was_wrong: bool = False) -> AllergyIntolerance:
    """The allergy no longer holds, or never did (`was_wrong`: refuted); it stays in the record."""
    with unit_of_work(by=by) as work:
        standing = work.store.read(AllergyIntolerance, allergy)
        standing.clinicalStatus = coded(ALLERGY_CLINICAL, "inactive" if was_wrong else "resolved")
        if was_wrong:
            standing.verificationStatus = coded(ALLERGY_VERIFICATION, "refuted")
        return work.store.update(standing)


def review_allergies(*, patient: str, by: Actor) -> List:
    """Say that the allergy list was gone through with the patient and is right as it stands."""
    with unit_of_work(by=by) as work:
        must_exist(work.store, patient)
        active = [row.resource for row in map(AllergyRow, allergies_of(work.store, patient)) if row.is_active]
        return _snapshot(work, ALLERGY_LIST, patient, active, by)


def confirm_no_allergies(*, patient: str, by: Actor) -> List:
    """Say that the patient knows of no allergies. Raises StillAllergic while active ones are recorded."""
    with unit_of_work(by=by) as work:
        must_exist(work.store, patient)
        if any(AllergyRow(one).is_active for one in allergies_of(work.store, patient)):
            raise StillAllergic
        return _snapshot(work, ALLERGY_LIST, patient, [], by)


def review_medications(*, patient: str, by: Actor) -> List:
    """Say that the medication list was gone through with the patient."""
    with unit_of_work(by=by) as work:
        must_exist(work.store, patient)
        return _snapshot(work, MEDICATION_LIST, patient, [*active_prescriptions(work.store, patient), *reported_medications(work.store, patient)], by)


def _snapshot(work: UnitOfWork, code: str, patient: str, items: Sequence[Any], by: Actor) -> List:
    """A List of what stood at this moment; an empty one says that nothing is known."""
    made = List(
        **without_empty(
            status="current",
            mode="snapshot",
            title=TITLES[code],
            code=coded(LOINC, code, text=TITLES[code]),
            subject=patient_reference(patient),
            encounter=visit_reference(current_visit(work.store, patient)),
            date=now_text(),
            source=signature(by),
            entry=[ListEntry(item=Reference.to(item)) for item in items],
        )
    )
    if not items:
        made.emptyReason = coded(EMPTY_REASON, "nilknown", display="Nil Known")
    return work.store.create(made)
