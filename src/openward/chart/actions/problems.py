"""Problems, and what a visit was about."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from openward.access.actor import Actor
from openward.chart import diagnoses
from openward.chart.actions.writing import coded, must_exist, now_text, patient_reference, signature, today_text, visit_reference, without_empty
from openward.chart.codes import CONDITION_CATEGORY, CONDITION_CLINICAL, CONDITION_VERIFICATION, DIAGNOSIS_ROLE, ICD10
from openward.chart.errors import DiagnosesChanged, NotBillable
from openward.chart.presenters.wording import code_in, concept, status_of
from openward.chart.queries.patients import current_visit
from openward.chart.queries.visits import diagnoses_of
from openward.fhir.resources import CodeableConcept, Condition, Encounter, EncounterDiagnosis, Reference
from openward.fhir.work import UnitOfWork
from openward.record import unit_of_work

WRONG = ("entered-in-error", "refuted")


def add_problem(*, patient: str, by: Actor, code: str = "", text: str = "", onset: str = "", note: str = "") -> Condition:
    """Add to the problem list, by ICD-10-CM code or in words where no code fits. `onset` is a date, a month or a year."""
    with unit_of_work(by=by) as work:
        must_exist(work.store, patient)
        visit = current_visit(work.store, patient)
        condition = _condition(patient, _named(code, text), "problem-list-item", by, visit, onset)
        if note:
            condition.data["note"] = [{"text": note}]
        return work.store.create(condition)


def resolve_problem(*, problem: str, by: Actor, on: str = "", reopen: bool = False) -> Condition:
    """The problem is over (`on` a date, today when empty), or is back (`reopen`)."""
    with unit_of_work(by=by) as work:
        condition = work.store.read(Condition, problem)
        condition.clinicalStatus = coded(CONDITION_CLINICAL, "active" if reopen else "resolved")
        condition.abatementDateTime = None if reopen else on or today_text()
        return work.store.update(condition)


def set_visit_diagnoses(*, visit: str, codes: Sequence[str], by: Actor, shown: Collection[str] | None = None) -> Encounter:
    """What the visit was about, the main one first: codes of ICD-10-CM, or `Condition/<id>` for one that has none.

    `shown` are the keys (see VisitDiagnosis) that stood on the screen the choice was made on. Raises DiagnosesChanged when the visit has others by
    now, NotBillable for headings; a code the patient has on the list is not made twice.
    """
    with unit_of_work(by=by) as work:
        encounter = work.store.read(Encounter, visit)
        if shown is not None and {one.key for one in diagnoses_of(work.store, encounter)} != set(shown):
            raise DiagnosesChanged
        known = _conditions_of(work, _patient_of(encounter))
        encounter.diagnosis = []
        for rank, code in enumerate(dict.fromkeys(codes), 1):
            condition = known.get(code) or work.store.create(_visit_diagnosis(encounter, code, by))
            use = coded(DIAGNOSIS_ROLE, "billing", display="Billing")
            encounter.diagnosis.append(
                EncounterDiagnosis(condition=Reference(f"Condition/{condition.id}", display=concept(condition.code)), use=use, rank=rank)
            )
        return work.store.update(encounter)


def _patient_of(encounter: Encounter) -> str:
    return str(encounter.subject.target_id) if encounter.subject is not None else ""


def _visit_diagnosis(encounter: Encounter, code: str, by: Actor) -> Condition:
    found = diagnoses.named(code)
    if found is None or not found.is_billable:
        raise NotBillable(code=code)
    return _condition(_patient_of(encounter), _named(code, ""), "encounter-diagnosis", by, encounter, "")


def _conditions_of(work: UnitOfWork, patient: str) -> dict[str, Condition]:
    """The patient's conditions by reference and by ICD-10-CM code; those on the problem list before those of one visit, none that was a mistake."""
    found = [
        one for one in work.store.search(Condition, {"patient": patient, "_count": 200}).resources if status_of(one.verificationStatus) not in WRONG
    ]
    listed = sorted(found, key=lambda one: any(c.code == "problem-list-item" for category in one.category for c in category.coding))
    by_code = {code: one for one in listed if (code := code_in(one.code, ICD10))}
    return by_code | {f"Condition/{one.id}": one for one in found}


def _named(code: str, text: str) -> CodeableConcept:
    found = diagnoses.named(code) if code else None
    if found is None:
        return CodeableConcept(text=text or code)
    return coded(ICD10, found.code, text=text or found.name, display=found.name)


def _condition(patient: str, code: CodeableConcept, category: str, by: Actor, visit: Encounter | None, onset: str) -> Condition:
    return Condition(
        **without_empty(
            clinicalStatus=coded(CONDITION_CLINICAL, "active"),
            verificationStatus=coded(CONDITION_VERIFICATION, "confirmed"),
            category=[coded(CONDITION_CATEGORY, category)],
            code=code,
            subject=patient_reference(patient),
            encounter=visit_reference(visit),
            onsetDateTime=onset,
            recordedDate=now_text(),
            recorder=signature(by) if by.reference else None,
        )
    )
