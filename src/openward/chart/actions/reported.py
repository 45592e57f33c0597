"""Medications the patient takes that nobody here prescribed: told at the medication review, part of every drug check."""

from __future__ import annotations

from openward.access.actor import Actor
from openward.chart.actions.writing import must_exist, now_text, patient_reference, signature, visit_reference, without_empty
from openward.chart.codes import RXNORM
from openward.chart.drugs.available import knowledge_or_none
from openward.chart.queries.patients import current_visit
from openward.fhir.resources import CodeableConcept, Coding, Dosage, MedicationStatement
from openward.record import unit_of_work


def report_medication(*, patient: str, text: str, by: Actor, drug: str = "", taken: str = "", since: str = "") -> MedicationStatement:
    """Record what the patient says they take. `drug` is a name of the drug file where it was picked, `taken` how, in their words."""
    with unit_of_work(by=by) as work:
        must_exist(work.store, patient)
        return work.store.create(
            MedicationStatement(
                **without_empty(
                    status="active",
                    medicationCodeableConcept=_concept(text, drug),
                    subject=patient_reference(patient),
                    context=visit_reference(current_visit(work.store, patient)),
                    effectiveDateTime=since,
                    dateAsserted=now_text(),
                    informationSource=signature(by) if by.reference else patient_reference(patient),
                    dosage=[Dosage(text=taken)] if taken else [],
                )
            )
        )


def _concept(text: str, drug: str) -> CodeableConcept:
    knowledge = knowledge_or_none()
    known = knowledge.drugs.get(drug) if knowledge is not None else None
    concept = CodeableConcept(text=text)
    if known is not None and known.rxcui:
        concept.coding = [Coding(system=RXNORM, code=known.rxcui, display=known.name)]
    return concept


def no_longer_taken(*, statement: str, by: Actor) -> MedicationStatement:
    """The patient has stopped taking it."""
    with unit_of_work(by=by) as work:
        standing = work.store.read(MedicationStatement, statement)
        standing.status = "stopped"
        return work.store.update(standing)
