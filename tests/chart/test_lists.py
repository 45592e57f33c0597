"""Allergies, problems, diagnoses of a visit, and lists that were gone through."""

from __future__ import annotations

import pytest

from openward.chart.actions import (
    add_problem,
    confirm_no_allergies,
    prescribe,
    record_allergy,
    resolve_allergy,
    resolve_problem,
    review_allergies,
    review_medications,
    set_visit_diagnoses,
)
from openward.chart.actions.prescriptions import Prescription
from openward.chart.errors import DiagnosesChanged, NotBillable, StillAllergic
from openward.chart.queries import banner
from openward.chart.queries.visits import diagnoses_of
from openward.fhir.errors import Forbidden
from openward.fhir.resources import AllergyIntolerance, Condition, Encounter, List
from openward.record import open_store


class TestAllergies:
    def test_carry_substance_reaction_severity_and_risk(self, clinic, nurse):
        made = record_allergy(patient=clinic.patient, substance="amoxicillin", reaction="hives", severity="severe", criticality="high", by=nurse)
        stored = clinic.read(AllergyIntolerance, made.id)
        assert (stored.code.coding[0].code, stored.reaction[0].manifestation[0].text, stored.reaction[0].severity, stored.criticality, list(stored.category)) == (
            "723", "hives", "severe", "high", ["medication"],
        )  # fmt: skip

    def test_to_food_are_of_that_kind(self, clinic, nurse):
        assert list(record_allergy(patient=clinic.patient, substance="peanut", by=nurse).category) == ["food"]

    def test_stand_in_the_banner(self, clinic, nurse):
        record_allergy(patient=clinic.patient, substance="amoxicillin", criticality="high", by=nurse)
        assert banner(open_store(nurse), clinic.patient).allergy_text == "amoxicillin (severe)"

    def test_resolved_leave_the_banner_and_stay_in_the_record(self, clinic, nurse):
        made = record_allergy(patient=clinic.patient, substance="amoxicillin", by=nurse)
        resolve_allergy(allergy=str(made.id), by=nurse)
        assert banner(open_store(nurse), clinic.patient).allergy_text == "Allergies not asked"
        assert clinic.read(AllergyIntolerance, made.id).clinicalStatus.coding[0].code == "resolved"

    def test_cannot_be_recorded_by_the_front_desk(self, clinic):
        from tests.cast import staff

        with pytest.raises(Forbidden):
            record_allergy(patient=clinic.patient, substance="amoxicillin", by=staff("front-desk"))


class TestReviews:
    def test_none_known_is_said_with_who_and_when(self, clinic, nurse):
        confirm_no_allergies(patient=clinic.patient, by=nurse)
        assert "No known allergies — confirmed" in banner(open_store(nurse), clinic.patient).allergy_text
        assert "by Nurse Amari" in banner(open_store(nurse), clinic.patient).allergy_text

    def test_none_known_is_refused_while_some_are_recorded(self, clinic, nurse):
        record_allergy(patient=clinic.patient, substance="latex", by=nurse)
        with pytest.raises(StillAllergic):
            confirm_no_allergies(patient=clinic.patient, by=nurse)

    def test_are_snapshots_of_what_stood_then(self, clinic, nurse):
        made = record_allergy(patient=clinic.patient, substance="latex", by=nurse)
        review_allergies(patient=clinic.patient, by=nurse)
        (kept,) = clinic.all(List)
        assert (kept.mode, kept.entry[0].item.target_id, kept.code.coding[0].code) == ("snapshot", made.id, "48765-2")

    def test_of_medications_hold_the_active_ones(self, clinic, clinician, nurse):
        confirm_no_allergies(patient=clinic.patient, by=nurse)
        made = prescribe(
            patient=clinic.patient, prescription=Prescription(drug="lisinopril", strength="10 mg", form="tablet", dose="10 mg"), by=clinician
        )
        kept = review_medications(patient=clinic.patient, by=nurse)
        assert [entry.item.target_id for entry in kept.entry] == [made.id]


class TestProblems:
    def test_are_coded_and_dated(self, clinic, clinician):
        made = add_problem(patient=clinic.patient, code="E11.9", onset="2020-05", by=clinician)
        assert (made.code.coding[0].system, made.code.text, made.onsetDateTime) == (
            "http://hl7.org/fhir/sid/icd-10-cm", "Type 2 diabetes mellitus without complications", "2020-05",
        )  # fmt: skip

    def test_can_be_in_words(self, clinic, clinician):
        made = add_problem(patient=clinic.patient, text="Lives alone on a boat", by=clinician)
        assert (made.code.text, list(made.code.coding)) == ("Lives alone on a boat", [])

    def test_resolved_have_an_end_and_can_come_back(self, clinic, clinician):
        made = add_problem(patient=clinic.patient, code="J06.9", by=clinician)
        assert resolve_problem(problem=str(made.id), on="2026-11-20", by=clinician).abatementDateTime == "2026-11-20"
        back = resolve_problem(problem=str(made.id), reopen=True, by=clinician)
        assert (back.clinicalStatus.coding[0].code, back.abatementDateTime) == ("active", None)


class TestDiagnosesOfAVisit:
    def test_stand_in_rank_order(self, clinic, clinician):
        set_visit_diagnoses(visit=clinic.visit, codes=["E11.9", "I10"], by=clinician)
        stored = clinic.read(Encounter, clinic.visit)
        assert [(one.rank, one.condition.display) for one in stored.diagnosis] == [
            (1, "Type 2 diabetes mellitus without complications"),
            (2, "Essential (primary) hypertension"),
        ]

    def test_use_the_problem_where_the_patient_has_it(self, clinic, clinician):
        problem = add_problem(patient=clinic.patient, code="I10", by=clinician)
        visit = set_visit_diagnoses(visit=clinic.visit, codes=["I10"], by=clinician)
        assert visit.diagnosis[0].condition.target_id == problem.id

    def test_never_are_what_was_entered_in_error(self, clinic, clinician):
        """Condition.verificationStatus entered-in-error: "the statement was entered in error and is not valid"; it went on the visit and the claim."""
        wrong = add_problem(patient=clinic.patient, code="I10", by=clinician)
        verification = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
        del wrong.data["clinicalStatus"]
        wrong.data["verificationStatus"] = {"coding": [{"system": verification, "code": "entered-in-error"}]}
        clinic.put(**wrong.data)
        visit = set_visit_diagnoses(visit=clinic.visit, codes=["I10"], by=clinician)
        assert visit.diagnosis[0].condition.target_id != wrong.id

    def test_chosen_on_a_screen_that_no_longer_holds_are_refused(self, clinic, clinician, colleague):
        """What the colleague added meanwhile was gone from the visit without a word."""
        set_visit_diagnoses(visit=clinic.visit, codes=["I10"], shown=[], by=clinician)
        set_visit_diagnoses(visit=clinic.visit, codes=["I10", "E11.9"], shown=["I10"], by=colleague)
        with pytest.raises(DiagnosesChanged):
            set_visit_diagnoses(visit=clinic.visit, codes=["I10", "J06.9"], shown=["I10"], by=clinician)
        assert len(clinic.read(Encounter, clinic.visit).diagnosis) == 2

    def test_without_a_code_of_icd_10_stay_when_the_others_are_saved(self, clinic, clinician):
        """What came from elsewhere in other words: keeping it was refused as a heading without a name."""
        own = add_problem(patient=clinic.patient, text="Fear of boats", by=clinician)
        kept = set_visit_diagnoses(visit=clinic.visit, codes=[f"Condition/{own.id}"], by=clinician)
        (shown,) = diagnoses_of(open_store(clinician), kept)
        again = set_visit_diagnoses(visit=clinic.visit, codes=[shown.key, "I10"], shown=[shown.key], by=clinician)
        assert [one.condition.display for one in again.diagnosis] == ["Fear of boats", "Essential (primary) hypertension"]

    def test_are_never_headings(self, clinic, clinician):
        with pytest.raises(NotBillable):
            set_visit_diagnoses(visit=clinic.visit, codes=["E11"], by=clinician)
        assert clinic.all(Condition) == []

    def test_can_be_taken_away(self, clinic, clinician):
        set_visit_diagnoses(visit=clinic.visit, codes=["E11.9", "I10"], by=clinician)
        assert len(set_visit_diagnoses(visit=clinic.visit, codes=["I10"], by=clinician).diagnosis) == 1
