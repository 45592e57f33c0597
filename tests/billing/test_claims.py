from __future__ import annotations

import datetime as dt
from decimal import Decimal as D
from typing import Any

import pytest

from openward.billing import actions, facts, jobs
from openward.billing.errors import AlreadyClaimed, ClaimIsSent, NoCoverage, NothingToBill, NotScrubbed, TooMuch
from openward.billing.models import ClaimRow, Submission
from openward.billing.queries.balances import claim_balances, patient_balance
from openward.billing.transitions import IllegalTransition
from openward.demo.models import Instance
from openward.fhir.errors import Conflict
from openward.fhir.resources import ChargeItem
from openward.formats.x12.read_837p import read_837p
from openward.record import unit_of_work
from tests import cast
from tests.billing.clinic import Clinic, patient
from tests.formats.x12.build import faults_found_outside


class TestCharges:
    def test_a_visit_is_charged_for_what_was_done(self, clinic: Clinic) -> None:
        visit = clinic.visit()
        charges = actions.propose_charges(visit=str(visit.id), by=clinic.biller)
        assert [(facts.code_of(charge.code), facts.charge_total(charge)) for charge in charges] == [
            ("OW-VISIT-20", D("125.00")),
            ("OW-LAB-1", D("18.00")),
        ]

    def test_a_vaccine_is_charged_by_its_code(self, clinic: Clinic) -> None:
        visit = clinic.visit(lab=False)
        clinic.make("flu", {
            "resourceType": "Immunization", "status": "completed", "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "140"}]},
            "patient": {"reference": f"Patient/{clinic.ids['patient']}"}, "encounter": {"reference": f"Encounter/{visit.id}"}, "occurrenceDateTime": "2026-11-03T14:10:00Z",
        })  # fmt: skip
        charges = actions.propose_charges(visit=str(visit.id), by=clinic.biller)
        assert [facts.code_of(charge.code) for charge in charges] == ["OW-VISIT-20", "G0008"]

    def test_asking_twice_charges_once(self, clinic: Clinic) -> None:
        visit = str(clinic.visit().id)
        actions.propose_charges(visit=visit, by=clinic.biller)
        actions.propose_charges(visit=visit, by=clinic.biller)
        assert len(clinic.store.search(ChargeItem, {"context": f"Encounter/{visit}"}).resources) == 2

    def test_signing_the_note_queues_the_bill_and_the_job_drafts_the_claim(self, clinic: Clinic) -> None:
        visit = clinic.visit()
        with unit_of_work(by=cast.staff("clinician", reference=f"Practitioner/{clinic.ids['clinician']}")) as work:
            queued: list[dict[str, object]] = []
            work.store.transaction.later = lambda job, **arguments: queued.append({"job": job.name, **arguments})  # type: ignore[attr-defined]
            work.store.create({
                "resourceType": "Composition", "status": "final", "type": {"coding": [{"system": "http://loinc.org", "code": "11506-3"}]}, "title": "Progress note",
                "subject": {"reference": f"Patient/{clinic.ids['patient']}"}, "encounter": {"reference": f"Encounter/{visit.id}"}, "date": "2026-11-03T15:00:00Z",
                "author": [{"reference": f"Practitioner/{clinic.ids['clinician']}"}],
            })  # fmt: skip
        assert queued == [{"job": "billing.bill_visit", "tenant": 1, "visit": str(visit.id)}]
        jobs.bill_visit(tenant=1, visit=str(visit.id))
        assert ClaimRow.objects.get().state == "ready"


class TestTheClaim:
    def test_it_carries_lines_diagnoses_pointers_and_total(self, clinic: Clinic) -> None:
        claim = clinic.claim()
        assert facts.total_of(claim) == claim.total.value == D("143.00")
        assert [facts.code_of(entry.diagnosisCodeableConcept) for entry in claim.diagnosis] == ["I10", "E11.9"]
        assert all(list(item.diagnosisSequence) == [1, 2] for item in claim.item)

    def test_it_is_ready_when_nothing_is_missing(self, clinic: Clinic) -> None:
        assert facts.state_of(clinic.claim()) == "ready"

    def test_it_has_a_number_of_its_own(self, clinic: Clinic) -> None:
        clinic.make("ben", {"resourceType": "Patient", "name": [{"family": "Okafor", "given": ["Ben"]}]})
        clinic.make("ben-coverage", clinic.coverage("ben"))
        numbers = {facts.number_of(clinic.claim("one")), facts.number_of(clinic.claim("two", "ben"))}
        assert len(numbers) == 2
        assert all(number.startswith("OW") for number in numbers)

    def test_a_visit_is_claimed_once(self, clinic: Clinic) -> None:
        clinic.claim()
        with pytest.raises(AlreadyClaimed):
            actions.build_claim(visit=clinic.ids["visit"], by=clinic.biller)

    def test_without_charges_there_is_nothing_to_claim(self, clinic: Clinic) -> None:
        with pytest.raises(NothingToBill):
            actions.build_claim(visit=str(clinic.visit().id), by=clinic.biller)

    def test_without_insurance_the_patient_is_billed(self, clinic: Clinic) -> None:
        clinic.change("Coverage", clinic.ids["coverage"], status="cancelled")
        visit = str(clinic.visit().id)
        actions.propose_charges(visit=visit, by=clinic.biller)
        with pytest.raises(NoCoverage):
            actions.build_claim(visit=visit, by=clinic.biller)
        actions.bill_patient(visit=visit, by=clinic.biller)
        assert patient_balance(1, clinic.ids["patient"]) == D("143.00")

    def test_mending_the_patient_makes_the_draft_ready(self, clinic: Clinic) -> None:
        clinic.change("Patient", clinic.ids["patient"], birthDate=None)
        claim = clinic.claim()
        assert facts.state_of(claim) == "draft"
        clinic.change("Patient", clinic.ids["patient"], birthDate="1980-02-03")
        jobs.check_claim(tenant=1, claim=str(claim.id))
        assert clinic.state(claim) == "ready"


class TestChanging:
    def test_units_and_price_change_the_total(self, clinic: Clinic) -> None:
        claim = clinic.claim()
        changed = actions.change_line(
            claim=str(claim.id), line=1, by=clinic.biller, units=D(2), price=D("100.00"), pointers=[1], modifiers=["25"], place="11"
        )
        assert (changed.total.value, facts.code_of(changed.item[0].modifier[0])) == (D("218.00"), "25")

    def test_a_line_without_a_reason_makes_it_a_draft_again(self, clinic: Clinic) -> None:
        claim = clinic.claim()
        changed = actions.change_line(
            claim=str(claim.id), line=1, by=clinic.biller, units=D(1), price=D("125.00"), pointers=[], modifiers=[], place="11"
        )
        assert facts.state_of(changed) == "draft"

    def test_pointers_follow_their_diagnosis_when_the_order_changes(self, clinic: Clinic) -> None:
        claim = clinic.claim()
        codes = [claim.diagnosis[1].diagnosisCodeableConcept, claim.diagnosis[0].diagnosisCodeableConcept]
        actions.change_line(claim=str(claim.id), line=1, by=clinic.biller, units=D(1), price=D("125.00"), pointers=[2], modifiers=[], place="11")
        changed = actions.change_diagnoses(claim=str(claim.id), codes=codes, by=clinic.biller)
        assert list(changed.item[0].diagnosisSequence) == [1]

    def test_a_service_is_added_from_the_fee_schedule_and_taken_off(self, clinic: Clinic) -> None:
        claim = clinic.claim()
        added = actions.add_line(claim=str(claim.id), code="g0008", by=clinic.biller)
        assert added.total.value == D("173.00")
        assert actions.drop_line(claim=str(claim.id), line=3, by=clinic.biller).total.value == D("143.00")

    def test_a_claim_that_was_sent_is_not_changed(self, clinic: Clinic) -> None:
        with pytest.raises(ClaimIsSent):
            actions.drop_line(claim=str(clinic.sent().id), line=1, by=clinic.biller)

    def test_a_claim_that_was_sent_is_not_deleted(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        with pytest.raises(Conflict), unit_of_work(by=cast.system()) as work:
            work.store.delete("Claim", str(claim.id))

    def test_states_do_not_jump_whoever_writes(self, clinic: Clinic) -> None:
        claim = clinic.claim()
        facts.set_state(claim, "paid")
        with pytest.raises(IllegalTransition), unit_of_work(by=cast.client()) as work:
            work.store.update(claim)


class TestSending:
    def test_the_file_an_outside_reader_finds_no_fault_with_lies_in_the_folder(self, clinic: Clinic, data_folder: object) -> None:
        submission = actions.submit(claims=[str(clinic.claim().id)], by=clinic.biller)
        jobs.send_submission(tenant=1, submission=str(submission.id))
        file = data_folder / "clearinghouse" / "out" / submission.file_name  # type: ignore[operator]
        assert faults_found_outside(file.read_bytes()) == []
        assert [path.name for path in file.parent.iterdir()] == [file.name]
        assert Submission.objects.get().state == "sent"

    def test_the_file_says_what_the_claim_says(self, clinic: Clinic) -> None:
        claim = clinic.claim()
        submission = actions.submit(claims=[str(claim.id)], by=clinic.biller)
        [sent] = read_837p(bytes(submission.body))[0].claims
        assert (sent.control, sent.total, sent.member_id, sent.diagnoses) == (facts.number_of(claim), D("143.00"), "MEM12345", ("I10", "E119"))
        assert sent.rendering is not None
        assert (sent.billing.number, sent.rendering.number, sent.payer.number) == ("1234567893", "1679576722", "OWPAY1")

    def test_a_child_insured_through_a_parent_is_the_patient_of_the_claim(self, clinic: Clinic) -> None:
        from tests.billing.clinic import patient

        clinic.make("kid", patient("Okafor", "Zoe", birthDate="2015-07-09"))
        subscriber = {"reference": f"Patient/{clinic.ids['patient']}"}
        clinic.make("kid-coverage", clinic.coverage("kid", subscriber=subscriber, relationship={"coding": [{"code": "child"}]}))
        submission = actions.submit(claims=[str(clinic.claim("kid-visit", "kid").id)], by=clinic.biller)
        [sent] = read_837p(bytes(submission.body))[0].claims
        assert sent.patient is not None
        assert (sent.subscriber.given, sent.patient.given, sent.relationship) == ("ADA", "ZOE", "19")
        assert faults_found_outside(bytes(submission.body)) == []

    def test_sending_charges_the_payer_in_the_books(self, clinic: Clinic) -> None:
        assert claim_balances(1, str(clinic.sent().id)) == {"insurance-receivable": D("143.00"), "service-revenue": D("-143.00")}

    def test_a_claim_that_is_not_ready_is_not_sent_and_neither_are_the_others(self, clinic: Clinic) -> None:
        good = clinic.claim("good")
        bad = clinic.claim("bad", codes=())
        with pytest.raises(NotScrubbed):
            actions.submit(claims=[str(good.id), str(bad.id)], by=clinic.biller)
        assert (clinic.state(good), Submission.objects.count()) == ("ready", 0)

    def test_what_broke_since_is_found_when_sending(self, clinic: Clinic) -> None:
        claim = clinic.claim()
        clinic.change("Patient", clinic.ids["patient"], address=None)
        with pytest.raises(NotScrubbed) as refused:
            actions.submit(claims=[str(claim.id)], by=clinic.biller)
        assert "address" in refused.value.issues[0].diagnostics

    def test_a_claim_is_sent_once(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        with pytest.raises(ClaimIsSent):
            actions.submit(claims=[str(claim.id)], by=clinic.biller)

    def test_a_replacement_names_the_payers_claim(self, clinic: Clinic) -> None:
        from tests.billing.clinic import DENIED, answer, file_of

        claim = clinic.sent()
        actions.take_file(data=file_of(answer(claim, *DENIED, status="4")), name="x", by=clinic.biller)
        actions.correct(claim=str(claim.id), by=clinic.biller)
        submission = actions.submit(claims=[str(claim.id)], by=clinic.biller)
        [sent] = read_837p(bytes(submission.body))[0].claims
        assert (sent.frequency, sent.payer_control) == ("7", "PCN1")

    def test_a_holder_known_by_name_only_is_the_subscriber(self, clinic: Clinic) -> None:
        from tests.billing.clinic import patient

        clinic.make("kid", patient("Okafor", "Zoe", birthDate="2015-07-09"))
        holder = {"display": "OKAFOR, Ada (Mrs)"}
        clinic.make("kid-coverage", clinic.coverage("kid", subscriber=holder, relationship={"coding": [{"code": "child"}]}))
        submission = actions.submit(claims=[str(clinic.claim("kid-visit", "kid").id)], by=clinic.biller)
        [sent] = read_837p(bytes(submission.body))[0].claims
        assert (sent.subscriber.family, sent.subscriber.given) == ("OKAFOR", "ADA")


class TestWhoseInsuranceItIs:
    """005010X222A1: SBR02 is 18 and the subscriber is the patient only when they are one person."""

    def _coverage(self, clinic: Clinic, code: str | None) -> None:
        holder = clinic.make("holder", {
            "resourceType": "RelatedPerson", "patient": {"reference": f"Patient/{clinic.ids['patient']}"}, "name": [{"family": "Brandt", "given": ["Ben"]}],
        })  # fmt: skip
        said = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/subscriber-relationship", "code": code}]} if code else None
        clinic.change("Coverage", clinic.ids["coverage"], subscriber={"reference": f"RelatedPerson/{holder.id}"}, relationship=said)

    @pytest.mark.parametrize("code", [None, "child", "employee"])
    def test_who_holds_it_is_the_subscriber_whatever_the_word_for_it(self, clinic: Clinic, code: str | None) -> None:
        self._coverage(clinic, code)
        submission = actions.submit(claims=[str(clinic.claim().id)], by=clinic.biller)
        [sent] = read_837p(bytes(submission.body))[0].claims
        assert (sent.subscriber.family, sent.patient.family if sent.patient else None) == ("BRANDT", "OKAFOR")
        assert faults_found_outside(bytes(submission.body)) == []


class TestReadyIsReady:
    def test_a_claim_whose_file_cannot_be_written_is_a_draft_that_says_so_and_holds_up_no_other(self, clinic: Clinic) -> None:
        clinic.make("other", patient("Sidorova", "Ольга"))
        clinic.make("other coverage", clinic.coverage("other"))
        bad, good = clinic.claim("bad visit", "other"), clinic.claim()
        assert (clinic.state(bad), clinic.state(good)) == ("draft", "ready")
        with pytest.raises(NotScrubbed):
            actions.submit(claims=[str(bad.id)], by=clinic.biller)
        assert actions.submit(claims=[str(good.id)], by=clinic.biller).total == D("143.00")


class TestATrialIsATrial:
    """ISA15: T for test data, P for production data."""

    def _usage(self, clinic: Clinic) -> str:
        return bytes(actions.submit(claims=[str(clinic.claim().id)], by=clinic.biller).body).decode().split("*")[15]

    def test_claims_of_a_demo_clinic_are_marked_however_the_process_was_started(self, clinic: Clinic, settings: Any) -> None:
        settings.OPENWARD_DEMO = False
        Instance.objects.create(tenant=1, seed=7, patients=1, made_for=dt.date(2026, 11, 3), made_at=dt.datetime.now(dt.UTC))
        assert self._usage(clinic) == "T"

    def test_claims_of_a_practice_are_meant(self, clinic: Clinic, settings: Any) -> None:
        settings.OPENWARD_DEMO = False
        assert self._usage(clinic) == "P"


class TestMoreThanTheBooksHold:
    @pytest.mark.parametrize("net", [D("10000000000"), D("1e30"), D("-1e14")])
    def test_is_refused_from_outside_with_a_sentence(self, clinic: Clinic, net: D) -> None:
        data = dict(clinic.claim().data)
        data["item"] = [{**data["item"][0], "net": {"value": net, "currency": "USD"}}]
        with pytest.raises(TooMuch):
            clinic.store.update(data)

    def test_is_refused_on_the_page_of_a_line(self, clinic: Clinic) -> None:
        line = {"pointers": [1], "modifiers": [], "place": "11"}
        with pytest.raises(TooMuch):
            actions.change_line(claim=str(clinic.claim().id), line=1, by=clinic.biller, units=D("999999.99"), price=D("99999999.99"), **line)


class TestAClientThatWritesAClaimOfOurs:
    """Whoever writes: what was sent stays what it was, and the payer's answer finds it."""

    def test_does_not_change_what_was_asked_of_the_payer(self, clinic: Clinic) -> None:
        data = dict(clinic.sent().data)
        data["item"] = [{**data["item"][0], "net": {"value": D("1.00"), "currency": "USD"}}, *data["item"][1:]]
        with pytest.raises(ClaimIsSent):
            clinic.store.update(data)

    def test_may_leave_the_number_out_and_the_claim_keeps_it(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        kept = clinic.store.update({name: value for name, value in claim.data.items() if name != "identifier"})
        assert facts.number_of(kept) == facts.number_of(claim) == ClaimRow.objects.get().number

    def test_does_not_give_it_another_number(self, clinic: Clinic) -> None:
        claim = clinic.claim()
        with pytest.raises(Conflict, match="payers answer by it"):
            clinic.store.update({**claim.data, "identifier": [{"system": "urn:openward:claim", "value": "OW9999999"}]})
