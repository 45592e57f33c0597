"""Prescribing through the record: the check, its reasons, renewing, stopping."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import time_machine

from openward.chart.actions import (
    Prescription,
    check_prescription,
    confirm_no_allergies,
    no_longer_taken,
    prescribe,
    record_allergy,
    renew,
    report_medication,
    stop,
)
from openward.chart.drugs import knowledge as files
from openward.chart.drugs.available import trouble
from openward.chart.errors import AlreadyRenewed, IllegalTransition, NeedsAcknowledgement, NeedsReason, WrongFromTheStart
from openward.chart.presenters.medications import MedicationLine
from openward.fhir.resources import DetectedIssue, MedicationRequest
from openward.record import open_store

AMOXICILLIN = Prescription(
    drug="amoxicillin", strength="500 mg", form="capsule", dose="500 mg", route="oral", frequency="tid", quantity=Decimal(21), unit="capsule", days=7
)
LISINOPRIL = Prescription(
    drug="lisinopril", strength="10 mg", form="tablet", dose="10 mg", route="oral", frequency="daily", quantity=Decimal(90), unit="tablet", refills=3
)


@pytest.fixture
def no_allergies(clinic, nurse):
    confirm_no_allergies(patient=clinic.patient, by=nurse)


class TestAPrescription:
    def test_is_an_order_with_code_dose_and_supply(self, clinic, clinician, no_allergies):
        made = clinic.read(MedicationRequest, prescribe(patient=clinic.patient, prescription=LISINOPRIL, by=clinician).id)
        coding, dose = made.medicationCodeableConcept.coding[0], made.dosageInstruction[0].doseAndRate[0].doseQuantity
        assert (made.intent, coding.code, str(dose.value), dose.unit, made.dispenseRequest.numberOfRepeatsAllowed) == (
            "order",
            "29046",
            "10",
            "mg",
            3,
        )

    def test_reads_as_a_medication_line(self, clinic, clinician, no_allergies):
        made = prescribe(patient=clinic.patient, prescription=LISINOPRIL, by=clinician)
        assert MedicationLine(made).plain == "lisinopril — 10 mg tablet — DOSE 10 mg — oral — once daily"

    def test_without_a_certain_code_is_written_in_words(self, clinic, clinician, no_allergies):
        made = prescribe(
            patient=clinic.patient,
            prescription=Prescription(drug="dabigatran", strength="75 mg", form="capsule", dose="75 mg", frequency="bid"),
            by=clinician,
        )
        assert (list(made.medicationCodeableConcept.coding), made.medicationCodeableConcept.text) == ([], "dabigatran 75 mg capsule")

    def test_belongs_to_the_open_visit(self, clinic, clinician, no_allergies):
        assert prescribe(patient=clinic.patient, prescription=LISINOPRIL, by=clinician).encounter.target_id == clinic.visit

    def test_that_is_clear_leaves_no_issue(self, clinic, clinician, no_allergies):
        prescribe(patient=clinic.patient, prescription=LISINOPRIL, by=clinician)
        assert clinic.all(DetectedIssue) == []


class TestASevereFinding:
    def test_stops_the_prescription(self, clinic, clinician, nurse):
        record_allergy(patient=clinic.patient, substance="penicillin", reaction="hives", by=nurse)
        with pytest.raises(NeedsReason):
            prescribe(patient=clinic.patient, prescription=AMOXICILLIN, by=clinician)
        assert clinic.all(MedicationRequest) == []

    def test_overridden_is_recorded_with_its_reason_and_both_sides(self, clinic, clinician, nurse):
        allergy = record_allergy(patient=clinic.patient, substance="penicillin", reaction="hives", by=nurse)
        made = prescribe(patient=clinic.patient, prescription=AMOXICILLIN, reason="Tolerated since", by=clinician)
        (issue,) = clinic.all(DetectedIssue)
        assert issue.mitigation[0].action.text == "Tolerated since"
        assert [one.data["reference"] for one in issue.implicated] == [f"MedicationRequest/{made.id}", f"AllergyIntolerance/{allergy.id}"]

    def test_against_what_the_patient_takes_from_elsewhere_can_be_overridden_too(self, clinic, clinician, no_allergies, nurse):
        """The other side is a MedicationStatement: referred to as a prescription it did not exist, and nothing could be prescribed at all."""
        told = report_medication(patient=clinic.patient, text="warfarin 1 mg tablet", drug="warfarin", by=nurse)
        ibuprofen = Prescription(drug="ibuprofen", strength="200 mg", form="tablet", dose="200 mg", frequency="tid")
        made = prescribe(patient=clinic.patient, prescription=ibuprofen, reason="Three days, INR is watched", by=clinician)
        (issue,) = clinic.all(DetectedIssue)
        assert [one.data["reference"] for one in issue.implicated] == [f"MedicationRequest/{made.id}", f"MedicationStatement/{told.id}"]

    def test_cannot_be_overridden_by_blanks(self, clinic, clinician, nurse):
        record_allergy(patient=clinic.patient, substance="penicillin", by=nurse)
        with pytest.raises(NeedsReason):
            prescribe(patient=clinic.patient, prescription=AMOXICILLIN, reason="   ", by=clinician)

    def test_is_seen_in_what_others_prescribed(self, clinic, clinician, no_allergies):
        clinic.put(
            resourceType="MedicationRequest",
            status="active",
            intent="order",
            medicationCodeableConcept={"text": "Warfarin Sodium 5 MG Oral Tablet"},
            subject={"reference": f"Patient/{clinic.patient}"},
        )
        outcome = check_prescription(store=open_store(clinician), patient=clinic.patient, text="metronidazole 500 mg tablet")
        assert [(one.kind, one.against) for one in outcome.severe] == [("interaction", "Warfarin Sodium 5 MG Oral Tablet")]

    def test_an_allergy_since_resolved_no_longer_counts(self, clinic, clinician, nurse):
        from openward.chart.actions import resolve_allergy

        allergy = record_allergy(patient=clinic.patient, substance="penicillin", by=nurse)
        resolve_allergy(allergy=str(allergy.id), was_wrong=True, by=nurse)
        confirm_no_allergies(patient=clinic.patient, by=nurse)
        assert prescribe(patient=clinic.patient, prescription=AMOXICILLIN, by=clinician).status == "active"


class TestWhenTheCheckCannotRun:
    @pytest.fixture
    def no_file(self, monkeypatch, tmp_path):
        monkeypatch.setattr(files, "CONTENT", tmp_path)

    def test_the_prescriber_must_say_that_they_know(self, clinic, clinician, no_file):
        with pytest.raises(NeedsAcknowledgement):
            prescribe(patient=clinic.patient, prescription=LISINOPRIL, by=clinician)

    def test_what_was_not_checked_is_on_record(self, clinic, clinician, no_file):
        prescribe(patient=clinic.patient, prescription=LISINOPRIL, acknowledged=True, by=clinician)
        (issue,) = clinic.all(DetectedIssue)
        assert issue.code.text == "Drug check unavailable"

    def test_health_says_so(self, no_file):
        assert "not checked for allergies" in (trouble() or "")

    def test_health_says_nothing_when_all_is_well(self):
        assert trouble() is None

    def test_a_file_past_its_date_is_not_used(self, clinic, clinician):
        with time_machine.travel(dt.datetime(2030, 1, 1, tzinfo=dt.UTC), tick=False):
            outcome = check_prescription(store=open_store(clinician), patient=clinic.patient, text="lisinopril")
        assert (outcome.ran, outcome.is_clear) == (False, False)

    def test_allergies_nobody_asked_about_are_named(self, clinic, clinician):
        outcome = check_prescription(store=open_store(clinician), patient=clinic.patient, text="lisinopril")
        assert [one.what for one in outcome.not_checked] == ["allergies"]


class TestRenewing:
    def test_continues_the_old_one_and_completes_it(self, clinic, clinician, no_allergies):
        old = prescribe(patient=clinic.patient, prescription=LISINOPRIL, by=clinician)
        new = renew(medication=str(old.id), by=clinician)
        assert (new.priorPrescription.target_id, clinic.read(MedicationRequest, old.id).status, new.status) == (old.id, "completed", "active")

    def test_twice_is_refused(self, clinic, clinician, colleague, no_allergies):
        """Two windows, or two people at one refill request: the patient had two active prescriptions of one drug, told of by a moderate hint at most."""
        old = prescribe(patient=clinic.patient, prescription=LISINOPRIL, by=clinician)
        renew(medication=str(old.id), by=clinician)
        with pytest.raises(AlreadyRenewed):
            renew(medication=str(old.id), by=colleague)
        assert len(clinic.all(MedicationRequest, status="active")) == 1

    def test_again_when_the_one_after_it_was_stopped_is_not(self, clinic, clinician, no_allergies):
        old = prescribe(patient=clinic.patient, prescription=LISINOPRIL, by=clinician)
        stop(medication=str(renew(medication=str(old.id), by=clinician).id), reason="Side effect", by=clinician)
        assert renew(medication=str(old.id), by=clinician).status == "active"

    def test_what_was_entered_in_error_is_refused(self, clinic, clinician, no_allergies):
        wrong = prescribe(patient=clinic.patient, prescription=LISINOPRIL, by=clinician)
        wrong.status = "entered-in-error"
        open_store(clinician).update(wrong)
        with pytest.raises(WrongFromTheStart):
            renew(medication=str(wrong.id), by=clinician)

    def test_is_no_duplicate_of_the_one_it_continues(self, clinic, clinician, no_allergies):
        old = prescribe(patient=clinic.patient, prescription=LISINOPRIL, by=clinician)
        renew(medication=str(old.id), by=clinician)
        assert clinic.all(DetectedIssue) == []

    def test_checks_what_has_become_known_since(self, clinic, clinician, nurse):
        confirm_no_allergies(patient=clinic.patient, by=nurse)
        old = prescribe(patient=clinic.patient, prescription=AMOXICILLIN, by=clinician)
        record_allergy(patient=clinic.patient, substance="amoxicillin", by=nurse)
        with pytest.raises(NeedsReason):
            renew(medication=str(old.id), by=clinician)


class TestStopping:
    def test_keeps_the_reason(self, clinic, clinician, no_allergies):
        made = prescribe(patient=clinic.patient, prescription=LISINOPRIL, by=clinician)
        stop(medication=str(made.id), reason="Side effect: cough", by=clinician)
        stored = clinic.read(MedicationRequest, made.id)
        assert (stored.status, stored.statusReason.text) == ("stopped", "Side effect: cough")

    def test_cannot_be_undone_by_writing_active(self, clinic, clinician, no_allergies):
        made = prescribe(patient=clinic.patient, prescription=LISINOPRIL, by=clinician)
        stopped = stop(medication=str(made.id), reason="x", by=clinician)
        stopped.status = "active"
        with pytest.raises(IllegalTransition):
            open_store(clinician).update(stopped)


class TestWhatThePatientTakesBesides:
    def test_counts_in_the_check(self, clinic, clinician, nurse, no_allergies):
        report_medication(patient=clinic.patient, text="St. John's wort", drug="st. john's wort", taken="one a day", by=nurse)
        outcome = check_prescription(store=open_store(clinician), patient=clinic.patient, text="apixaban 5 mg tablet")
        assert [(one.severity, one.against) for one in outcome.warnings] == [("severe", "St. John's wort")]

    def test_in_words_nobody_knows_is_named_as_not_checked(self, clinic, clinician, nurse, no_allergies):
        report_medication(patient=clinic.patient, text="Aunt's blue pills", by=nurse)
        outcome = check_prescription(store=open_store(clinician), patient=clinic.patient, text="apixaban 5 mg tablet")
        assert [one.what for one in outcome.not_checked] == ["Aunt's blue pills"]

    def test_no_longer_taken_no_longer_counts(self, clinic, clinician, nurse, no_allergies):
        told = report_medication(patient=clinic.patient, text="ibuprofen", by=nurse)
        no_longer_taken(statement=str(told.id), by=nurse)
        assert check_prescription(store=open_store(clinician), patient=clinic.patient, text="apixaban 5 mg tablet").is_clear

    def test_stands_on_the_chart_as_told(self, clinic, nurse, sign_in):
        report_medication(patient=clinic.patient, text="ibuprofen 400 mg tablet", taken="when it hurts", by=nurse)
        page = sign_in("nurse").get(f"/chart/{clinic.patient}/").content.decode()
        assert "told by the patient" in page
        assert "when it hurts" in page
