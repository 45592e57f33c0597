"""What is typed is checked beside its field, and puts into the record what it shows and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from openward.fhir.resources import ContactPoint, Coverage, HumanName, Patient, Reference
from openward.registration import facts
from openward.registration.forms import CoverageForm, PatientForm

ADA = {
    "family": "Okafor",
    "given": "Ada Mary",
    "birth_date": "3 Feb 1980",
    "sex": "female",
    "phone": "212 555 0123",
    "texts": "on",
    "email": "ada@example.org",
    "line": "100 Lantern Way",
    "city": "Maple Hollow",
    "state": "ny",
    "postal_code": "00121",
    "language": "es",
    "interpreter": "on",
    "contact_name": "Chi Okafor",
    "contact_relationship": "brother",
    "contact_phone": "(914) 555-0199",
}


def entered(**changed: Any) -> PatientForm:
    return PatientForm({**ADA, **changed})


def changed(patient: Patient, **fields: str) -> PatientForm:
    """The form of a patient on record as the browser sends it back, with these fields changed."""
    shown = PatientForm.shown(patient)
    asked = PatientForm(initial=shown)
    sent = {name: asked[name].value() for name in asked.fields}
    return PatientForm({**{name: value for name, value in sent.items() if value not in (None, False)}, **fields}, initial=shown)


class TestDemographics:
    def test_what_is_typed_is_put_into_the_patient(self) -> None:
        form = entered()
        assert form.is_valid(), form.errors
        patient = form.apply(Patient())
        assert patient.name[0].family == "Okafor"
        assert list(patient.name[0].given) == ["Ada", "Mary"]
        assert patient.birthDate == "1980-02-03"
        assert facts.phone_of(patient) == "+12125550123"
        assert facts.texts_welcome(patient)
        assert facts.address_words(patient) == "100 Lantern Way, Maple Hollow, NY 00121"

    def test_what_is_shown_and_saved_unchanged_changes_nothing(self) -> None:
        form = entered()
        assert form.is_valid()
        patient = form.apply(Patient())
        before = patient.copy()
        again = PatientForm({name: value for name, value in PatientForm.shown(patient).items() if value not in (None, False)})
        assert again.is_valid(), again.errors
        assert again.apply(patient) == before

    def test_what_stands_there_from_elsewhere_is_no_reason_to_refuse_a_change(self) -> None:
        """Only the year of birth is known, the telephone is none of a telephone company, the state is written in full, there is one name."""
        data = {
            "name": [{"family": "Suharto"}],
            "birthDate": "1980",
            "telecom": [{"system": "phone", "value": "555-677-3119"}],
            "address": [{"line": ["1 Main St"], "state": "Massachusetts"}],
        }
        patient = Patient.of({"resourceType": "Patient", **data})
        form = changed(patient, email="new@example.org")
        assert form.is_valid(), form.errors
        after = form.apply(patient).data
        assert [after.get(name) for name in ("name", "birthDate", "gender", "address")] == [data["name"], "1980", None, data["address"]]
        assert after["telecom"][0] == data["telecom"][0]

    def test_what_stands_there_from_elsewhere_is_held_to_the_rule_once_it_is_changed(self) -> None:
        patient = Patient.of({"resourceType": "Patient", "name": [{"family": "Suharto"}], "birthDate": "1980"})
        assert "birth_date" in changed(patient, birth_date="1981").errors

    def test_a_language_that_is_not_on_the_list_stays(self) -> None:
        spoken = {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "so-SO", "display": "Somali"}]}, "preferred": True}
        patient = Patient.of({"resourceType": "Patient", "name": [{"family": "Abdi", "given": ["Ayaan"]}], "communication": [spoken]})
        form = changed(patient, city="Maple Hollow")
        assert ("so", "Somali") in form.fields["language"].choices
        assert form.is_valid(), form.errors
        assert form.apply(patient).data["communication"] == [spoken]

    def test_of_an_emergency_contact_only_what_was_changed_is(self) -> None:
        roles = "http://terminology.hl7.org/CodeSystem/v2-0131"
        mother = {
            "relationship": [{"coding": [{"system": roles, "code": "N"}], "text": "mother"}, {"coding": [{"system": roles, "code": "C"}]}],
            "name": {"family": "Okafor", "given": ["Ngozi"]},
            "telecom": [{"system": "phone", "value": "+12125550111"}, {"system": "email", "value": "ngozi@example.org"}],
            "address": {"city": "Lagos"},
            "gender": "female",
        }
        patient = Patient.of({"resourceType": "Patient", "name": [{"family": "Okafor", "given": ["Ada"]}], "contact": [mother]})
        form = changed(patient, contact_phone="(212) 555-0199")
        assert form.is_valid(), form.errors
        assert form.apply(patient).data["contact"] == [{**mother, "telecom": [{"system": "phone", "value": "+12125550199"}, mother["telecom"][1]]}]

    def test_another_emergency_contact_has_nothing_of_the_one_before(self) -> None:
        contact = {
            "relationship": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0131", "code": "C"}]}],
            "name": {"text": "Ngozi Okafor"},
            "address": {"city": "Lagos"},
        }
        patient = Patient.of({"resourceType": "Patient", "name": [{"family": "Okafor", "given": ["Ada"]}], "contact": [contact]})
        form = changed(patient, contact_name="Chi Okafor")
        assert form.is_valid(), form.errors
        assert "address" not in form.apply(patient).data["contact"][0]

    def test_another_telephone_and_an_old_name_stay(self) -> None:
        patient = Patient(
            name=[HumanName(use="official", family="Eze", given=["Ada"]), HumanName(use="maiden", family="Obi")],
            telecom=[ContactPoint(system="phone", value="+12125550100", rank=1), ContactPoint(system="phone", value="+12125550111", use="work")],
        )
        form = entered()
        assert form.is_valid()
        form.apply(patient)
        assert [point.value for point in patient.telecom if point.system == "phone"] == ["+12125550123", "+12125550111"]
        assert [name.family for name in patient.name] == ["Okafor", "Obi"]

    def test_a_telephone_that_is_cleared_goes(self) -> None:
        patient = Patient(telecom=[ContactPoint(system="phone", value="+12125550100")])
        form = entered(phone="", texts="")
        assert form.is_valid()
        assert facts.phone_of(form.apply(patient)) is None

    # field, what is typed, what is said
    @pytest.mark.parametrize(
        ("field", "typed", "said"),
        [
            ("family", "", "Enter the family name."),
            ("given", " ", "Enter at least one given name."),
            ("birth_date", "", "Enter the birth date."),
            ("birth_date", "31 Feb 1980", "Enter a date such as 3 Feb 1980"),
            ("birth_date", "1 Jan 2199", "Enter a date such as 3 Feb 1980"),
            ("sex", "", "Choose the sex, or Not known."),
            ("phone", "555", "Enter a telephone number with its area code"),
            ("email", "ada", "Enter a valid email address."),
            ("state", "New York", "at most 2 characters"),
            ("state", "1Y", "Enter the state as two letters"),
            ("contact_name", "", "Enter whose telephone this is."),
        ],
    )
    def test_what_is_wrong_is_said_beside_its_field(self, field: str, typed: str, said: str) -> None:
        form = entered(**{field: typed})
        assert not form.is_valid()
        assert said in " ".join(form.errors[field])

    def test_texts_need_a_telephone(self) -> None:
        form = entered(phone="")
        assert not form.is_valid()
        assert "phone" in form.errors


class TestReaching:
    def patient(self, **changed: Any) -> Patient:
        form = entered(**changed)
        assert form.is_valid(), form.errors
        return form.apply(Patient())

    def test_by_text_when_that_is_welcome(self) -> None:
        assert facts.reach_of(self.patient()) == facts.Reach("sms", "+12125550123")

    def test_else_by_email(self) -> None:
        assert facts.reach_of(self.patient(texts="")) == facts.Reach("email", "ada@example.org")

    def test_else_by_letter(self) -> None:
        reach = facts.reach_of(self.patient(texts="", email=""))
        assert reach is not None
        assert reach.channel == "letter"

    def test_else_not_at_all(self) -> None:
        assert facts.reach_of(self.patient(texts="", email="", line="", city="", state="", postal_code="")) is None


class TestCoverage:
    PAYERS = (("p1", "Juniper Mutual"), ("p2", "Blue Fern"))

    def entered(self, **changed: Any) -> CoverageForm:
        typed = {"payer": "p1", "subscriber_id": "XZ-1", "relationship": "self", "order": "1", "group": "G7", "start": "1/1/2026", **changed}
        return CoverageForm(typed, payers=self.PAYERS)

    def test_it_is_put_into_the_coverage(self) -> None:
        form = self.entered()
        assert form.is_valid(), form.errors
        coverage = form.apply(Coverage(status="active", beneficiary=Reference("Patient/1")))
        assert (coverage.payor[0].reference, coverage.subscriberId, coverage.order, coverage.period.start) == (
            "Organization/p1",
            "XZ-1",
            1,
            "2026-01-01",
        )
        assert facts.plan_class(coverage, "group").value == "G7"

    def test_what_is_shown_and_saved_unchanged_changes_nothing(self) -> None:
        form = self.entered(relationship="child", subscriber="Chi Okafor", plan="Gold", end="12/31/2026")
        assert form.is_valid(), form.errors
        coverage = form.apply(Coverage(status="active", beneficiary=Reference("Patient/1")))
        before = coverage.copy()
        again = CoverageForm(CoverageForm.shown(coverage), payers=self.PAYERS)
        assert again.is_valid(), again.errors
        assert again.apply(coverage) == before

    @pytest.mark.parametrize(
        ("field", "changed", "said"),
        [
            ("payer", {"payer": ""}, "Choose the insurer."),
            ("payer", {"payer": "p3"}, "not one of the available choices"),
            ("subscriber_id", {"subscriber_id": ""}, "Enter the member number on the card."),
            ("end", {"end": "12/31/2025"}, "The end is before the start."),
            ("subscriber", {"relationship": "child"}, "Enter the name of the subscriber."),
        ],
    )
    def test_what_is_wrong_is_said_beside_its_field(self, field: str, changed: dict[str, str], said: str) -> None:
        form = self.entered(**changed)
        assert not form.is_valid()
        assert said in " ".join(form.errors[field])
