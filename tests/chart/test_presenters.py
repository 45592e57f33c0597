"""What people read: medication lines, results, absence."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from openward.chart.presenters.lists import AllergySlot
from openward.chart.presenters.medications import MedicationLine, name_of
from openward.chart.presenters.results import Person, ResultRow, grouped, plain_result
from openward.fhir.resources import AllergyIntolerance, List, MedicationRequest, Observation

ADA = Person("female", "1970-03-04")


def prescription(text: str = "lisinopril 10 mg tablet", **dosage: Any) -> MedicationLine:
    data = {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "medicationCodeableConcept": {"text": text}}
    return MedicationLine(MedicationRequest.of({**data, **({"dosageInstruction": [dosage]} if dosage else {})}))


class TestMedicationLines:
    @pytest.mark.parametrize(
        ("text", "generic", "product"),
        [
            ("lisinopril 10 mg tablet", "lisinopril", "10 mg tablet"),
            ("Hydrochlorothiazide 25 MG Oral Tablet", "hydrochlorothiazide", "25 mg oral tablet"),
            ("amLODIPine 5 MG / Hydrochlorothiazide 12.5 MG Oral Tablet", "amlodipine + hydrochlorothiazide", "5 mg + 12.5 mg oral tablet"),
            ("Levothyroxine Sodium 50 MCG Oral Tablet", "levothyroxine sodium", "50 micrograms oral tablet"),
            ("insulin lispro 100 UNT/ML", "insulin lispro", "100 units/mL"),
            ("aspirin", "aspirin", ""),
        ],
    )
    def test_name_the_generic_in_lower_case_and_the_strength_after_it(self, text, generic, product):
        assert (name_of(text).generic, name_of(text).product) == (generic, product)

    def test_write_the_brand_in_capitals(self):
        assert name_of("insulin human 70 UNT/ML [Humulin]").brand == "HUMULIN"

    @pytest.mark.parametrize(
        ("value", "unit", "shown"),
        [("0.50", "mg", "DOSE 0.5 mg"), ("5000", "U", "DOSE 5,000 units"), ("25", "mcg", "DOSE 25 micrograms"), ("1.0", "tablet", "DOSE 1 tablet")],
    )
    def test_write_doses_so_that_none_is_misread(self, value, unit, shown):
        line = prescription(doseAndRate=[{"doseQuantity": {"value": Decimal(value), "unit": unit}}])
        assert shown in line.plain

    def test_join_attributes_with_dashes(self):
        line = prescription(
            doseAndRate=[{"doseQuantity": {"value": Decimal("10"), "unit": "mg"}}],
            route={"text": "oral"},
            timing={"code": {"text": "once daily"}},
            asNeededCodeableConcept={"text": "pain"},
        )
        assert line.plain == "lisinopril — 10 mg tablet — DOSE 10 mg — oral — once daily — as needed for pain"

    def test_read_a_timing_without_a_name(self):
        assert "twice a day" in prescription(timing={"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}).plain

    def test_fall_back_to_the_free_text(self):
        data = {
            "resourceType": "MedicationRequest",
            "medicationCodeableConcept": {"text": "aspirin"},
            "dosageInstruction": [{"text": "take as told"}],
        }
        assert MedicationLine(MedicationRequest.of(data)).plain == "aspirin — take as told"


def lab(value: str, code: str = "4548-4", unit: str = "%", at: str = "2026-11-03T08:00:00Z", **more: Any) -> Observation:
    data = {
        "resourceType": "Observation",
        "id": at[:10] + code,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "effectiveDateTime": at,
        "valueQuantity": {"value": Decimal(value), "unit": unit, "code": unit},
        **more,
    }
    return Observation.of(data)


class TestResults:
    def test_are_read_against_the_catalog_when_the_laboratory_sent_no_range(self):
        row = ResultRow(lab("8.1"), ADA)
        assert (row.mark, row.reference) == ("H", "4.0–5.6")

    def test_are_read_against_the_laboratorys_own_range_before_that(self):
        row = ResultRow(lab("8.1", referenceRange=[{"low": {"value": Decimal("4")}, "high": {"value": Decimal("9")}}]), ADA)
        assert (row.mark, row.reference) == ("", "4–9")

    def test_believe_what_the_laboratory_marked(self):
        stated = {"interpretation": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "HH"}]}]}
        assert ResultRow(lab("5.0", **stated), ADA).is_critical

    def test_are_not_marked_in_a_unit_the_catalog_does_not_know(self):
        assert ResultRow(lab("65", unit="mmol/mol"), ADA).mark == ""

    @pytest.mark.parametrize(("sex", "mark"), [("male", "L"), ("female", "")])
    def test_depend_on_the_sex(self, sex, mark):
        assert ResultRow(lab("12.5", "718-7", "g/dL"), Person(sex, "1970-01-01")).mark == mark

    def test_find_the_critical(self):
        assert ResultRow(lab("6.9", "2823-3", "mmol/L"), ADA).mark == "HH"

    def test_stand_critical_first_within_their_day(self):
        groups = grouped([lab("5.0"), lab("6.9", "2823-3", "mmol/L"), lab("101", "2345-7", "mg/dL")], ADA)
        assert [group.latest.name for group in groups] == ["Potassium", "Glucose", "Hemoglobin A1c"]

    def test_put_codes_of_one_test_together(self):
        groups = grouped([lab("90", "2345-7", "mg/dL"), lab("95", "2339-0", "mg/dL", at="2026-10-01T08:00:00Z")], ADA)
        assert [len(group.rows) for group in groups] == [2]

    def test_are_compared_within_one_unit_only(self):
        (group,) = grouped(
            [lab("65", unit="mmol/mol"), lab("8.0", at="2026-10-01T08:00:00Z"), lab("50", unit="mmol/mol", at="2026-09-01T08:00:00Z")], ADA
        )
        assert (group.history, group.trend) == ((50.0, 65.0), "up")

    def test_say_why_there_is_no_value(self):
        empty = Observation.of({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "dataAbsentReason": {"text": "Hemolyzed"}})
        assert ResultRow(empty, ADA).value == "Hemolyzed"

    def test_the_latest_is_the_latest_whatever_zone_it_was_written_in(self):
        (group,) = grouped([lab("5.0", at="2026-11-20T23:00:00Z"), lab("8.1", at="2026-11-20T20:00:00-05:00")], ADA)
        assert group.latest.value == "8.1"


class TestPlainWords:
    def test_say_what_it_is_and_where_it_lies(self):
        assert plain_result(ResultRow(lab("8.1"), ADA)) == (
            "This measures your average blood sugar over the last three months. It was 8.1 % on 03-Nov-2026. "
            "Your result is higher than the usual range. The usual range is 4.0–5.6 %."
        )

    def test_say_when_all_is_usual(self):
        assert "Your result is in the usual range." in plain_result(ResultRow(lab("5.0"), ADA))

    def test_do_not_call_usual_what_has_a_range_in_words_only(self):
        """10 against "less than 5" was told to the patient as in the usual range: nothing had been held against the words."""
        told = plain_result(ResultRow(lab("10", code="0000-0", referenceRange=[{"text": "less than 5"}]), ADA))
        assert ("in the usual range" in told, "less than 5" in told) == (False, True)

    def test_call_usual_what_the_laboratory_says_is_normal(self):
        normal = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "N"}]}]
        told = plain_result(ResultRow(lab("3", code="0000-0", referenceRange=[{"text": "less than 5"}], interpretation=normal), ADA))
        assert "in the usual range" in told

    def test_do_not_call_usual_what_nobody_compared(self):
        assert "usual" not in plain_result(ResultRow(lab("65", unit="mmol/mol"), ADA))


class TestAllergies:
    def review(self, **more: Any) -> List:
        return List.of(
            {
                "resourceType": "List", "status": "current", "mode": "snapshot", "date": "2026-11-03T10:00:00Z", "source": {"display": "Nurse Amari"},
                "code": {"coding": [{"system": "http://loinc.org", "code": "48765-2"}]}, **more,
            }
        )  # fmt: skip

    def test_not_asked_is_not_none(self):
        assert AllergySlot.of([], []).absence == "Allergies not asked"

    def test_none_is_said_with_who_and_when(self):
        nil = self.review(emptyReason={"coding": [{"code": "nilknown"}]})
        assert AllergySlot.of([], [nil]).absence == "No known allergies — confirmed 03-Nov-2026 by Nurse Amari"

    def test_a_review_of_allergies_since_resolved_does_not_say_none(self):
        assert AllergySlot.of([], [self.review()]).absence == "Allergies not asked"

    def test_refuted_ones_are_not_shown(self):
        refuted = AllergyIntolerance.of(
            {"resourceType": "AllergyIntolerance", "code": {"text": "Penicillin"}, "verificationStatus": {"coding": [{"code": "refuted"}]}}
        )
        assert AllergySlot.of([refuted], []).rows == []

    def none_known(self, **more: Any) -> AllergyIntolerance:
        """As US Core has it. https://hl7.org/fhir/us/core/STU6.1/StructureDefinition-us-core-allergyintolerance.html"""
        code = {"coding": [{"system": "http://snomed.info/sct", "code": "716186003", "display": "No known allergy"}]}
        told = {"recordedDate": "2026-11-03T10:00:00Z", "recorder": {"display": "Dr Elsewhere"}}
        return AllergyIntolerance.of({"resourceType": "AllergyIntolerance", "code": code, **told, **more})

    def test_that_there_is_none_is_no_allergy_where_another_system_writes_it_as_one(self):
        slot = AllergySlot.of([self.none_known()], [])
        assert (slot.rows, slot.absence) == ([], "No known allergies — confirmed 03-Nov-2026 by Dr Elsewhere")

    def test_that_there_is_none_says_nothing_once_it_was_entered_in_error(self):
        wrong = self.none_known(verificationStatus={"coding": [{"code": "entered-in-error"}]})
        assert AllergySlot.of([wrong], []).absence == "Allergies not asked"

    def test_a_review_entered_in_error_was_none(self):
        nil = self.review(status="entered-in-error", emptyReason={"coding": [{"code": "nilknown"}]})
        assert AllergySlot.of([], [nil]).absence == "Allergies not asked"
