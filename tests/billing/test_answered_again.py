"""A claim answered more than once: nobody's money is counted twice, and what was decided meanwhile gives way to what the payer says last.

An unbelieving controller reads these: after each story the payer owes nothing more, nothing is refused, and the patient owes the share alone.
"""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from openward.billing import actions, facts, ledger
from openward.billing.errors import AlreadyBilled, NothingToBill, WrongAmount
from openward.billing.models import LedgerTransaction, RemittanceItem
from openward.billing.queries.balances import account_balances, claim_balances, patient_balance
from openward.fhir.errors import Conflict
from openward.fhir.resources import Claim
from openward.formats.x12.remittance import Adjustment
from tests.billing import clinic as at
from tests.billing.clinic import Clinic, answer, file_of
from tests.billing.test_at_once import together

ZERO = D("0.00")


def take(clinic: Clinic, data: bytes) -> actions.Taken:
    return actions.take_file(data=data, name="era.835", by=clinic.biller)


def stands(claim: Claim) -> dict[str, D]:
    """What is still open of a claim, by account; accounts that are even are left out."""
    wanted = (ledger.INSURANCE, ledger.DENIED, ledger.PATIENT, ledger.WRITE_OFF)
    return {name: total for name, total in claim_balances(1, str(claim.id)).items() if name in wanted and total}


def deny(clinic: Clinic, claim: Claim, trace: str = "NO") -> None:
    take(clinic, file_of(answer(claim, *at.DENIED, status="4"), trace=trace))


class TestPaidTwice:
    """The same claim paid under two trace numbers: the second money is the payer's, and the patient's share is one share."""

    def test_the_second_payment_is_posted_to_nobody_and_waits(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        take(clinic, file_of(answer(claim, *at.PAID_IN_PART)))
        outcome = take(clinic, file_of(answer(claim, *at.PAID_IN_PART), trace="TRACE2")).outcomes[0]
        assert (outcome.unmatched, stands(claim)) == (1, {ledger.PATIENT: D("40.00")})
        assert (account_balances(1)[ledger.BANK], account_balances(1)[ledger.UNMATCHED]) == (D("120.00"), D("-60.00"))

    def test_nor_does_a_person_post_it(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        take(clinic, file_of(answer(claim, *at.PAID_IN_PART)))
        outcome = take(clinic, file_of(answer(claim, *at.PAID_IN_PART), trace="TRACE2")).outcomes[0]
        with pytest.raises(Conflict, match="answered before"):
            actions.match_item(remittance=str(outcome.remittance), place=1, claim=str(claim.id), by=clinic.biller)
        assert patient_balance(1, clinic.ids["patient"]) == D("40.00")

    def test_twice_in_one_file_is_posted_once(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        take(clinic, file_of(answer(claim, *at.PAID_IN_PART), answer(claim, *at.PAID_IN_PART)))
        assert sorted(RemittanceItem.objects.values_list("state", flat=True)) == ["posted", "unmatched"]
        assert stands(claim) == {ledger.PATIENT: D("40.00")}

    def test_by_two_workers_at_once_is_posted_once(self, committed_clinic: Clinic) -> None:
        clinic = committed_clinic
        claim = clinic.sent()
        files = [file_of(answer(claim, *at.PAID_IN_PART), trace=trace) for trace in ("TRACE1", "TRACE2")]
        together(*[lambda each=each: take(clinic, each) for each in files])
        assert sorted(RemittanceItem.objects.values_list("state", flat=True)) == ["posted", "unmatched"]
        assert stands(claim) == {ledger.PATIENT: D("40.00")}


class TestAnsweredAnew:
    def test_a_denial_the_payer_thinks_better_of_is_refused_no_more(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        deny(clinic, claim)
        take(clinic, file_of(answer(claim, *at.PAID_IN_PART), trace="YES"))
        assert (clinic.state(claim), stands(claim)) == ("paid", {ledger.PATIENT: D("40.00")})

    def test_the_new_answer_may_stand_before_what_takes_the_old_one_back(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        first = answer(claim, *at.PAID_IN_PART)
        take(clinic, file_of(first))
        outcome = take(clinic, file_of(answer(claim, Adjustment("CO", "45", D("43.00"))), at.taken_back(first), trace="TRACE2")).outcomes[0]
        assert (outcome.unmatched, stands(claim), account_balances(1)[ledger.BANK]) == (0, {}, D("100.00"))

    def test_of_a_replacement_the_payer_takes_the_denial_back_and_pays(self, clinic: Clinic) -> None:
        """How payers answer a corrected claim: the first answer reversed, then the new one."""
        claim, no = clinic.sent(), None
        no = answer(claim, *at.DENIED, status="4")
        take(clinic, file_of(no, trace="NO"))
        actions.correct(claim=str(claim.id), by=clinic.biller)
        actions.submit(claims=[str(claim.id)], by=clinic.biller)
        take(clinic, file_of(at.taken_back(no), answer(claim, *at.PAID_IN_PART), trace="YES"))
        assert stands(claim) == {ledger.PATIENT: D("40.00")}

    def test_of_a_replacement_of_a_claim_refused_in_part(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        first = answer(claim, Adjustment("CO", "97", D("18.00")))
        take(clinic, file_of(first, trace="NO"))
        actions.correct(claim=str(claim.id), by=clinic.biller)
        actions.submit(claims=[str(claim.id)], by=clinic.biller)
        take(clinic, file_of(at.taken_back(first), answer(claim, *at.PAID_IN_PART), trace="YES"))
        assert (stands(claim), account_balances(1)[ledger.BANK]) == ({ledger.PATIENT: D("40.00")}, D("60.00"))


def test_a_claim_being_corrected_was_sent_and_is_not_thrown_away(clinic: Clinic) -> None:
    """Its money is in the books, and its visit would be charged a second time."""
    claim = clinic.sent()
    deny(clinic, claim)
    actions.correct(claim=str(claim.id), by=clinic.biller)
    with pytest.raises(Conflict):
        actions.throw_away(claim=str(claim.id), by=clinic.biller)
    assert facts.state_of(clinic.read(claim)) in ("draft", "ready")


@pytest.mark.parametrize("who", ["patient", "write-off"])
class TestWhatWasDecidedMeanwhile:
    """A denial was billed to the patient, or given up; then the payer pays after all."""

    def denied(self, clinic: Clinic, who: str) -> Claim:
        claim = clinic.sent()
        deny(clinic, claim)
        actions.settle_denial(claim=str(claim.id), who=who, why="Final", by=clinic.biller, key="k")  # type: ignore[arg-type]
        return claim

    def test_is_undone_by_an_answer(self, clinic: Clinic, who: str) -> None:
        claim = self.denied(clinic, who)
        take(clinic, file_of(answer(claim, *at.PAID_IN_PART), trace="YES"))
        assert (stands(claim), patient_balance(1, clinic.ids["patient"])) == ({ledger.PATIENT: D("40.00")}, D("40.00"))

    def test_is_undone_by_a_reversal(self, clinic: Clinic, who: str) -> None:
        claim = self.denied(clinic, who)
        take(clinic, file_of(at.taken_back(answer(claim, *at.DENIED, status="4")), trace="BACK"))
        assert stands(claim) == {ledger.INSURANCE: D("143.00")}

    def test_is_undone_by_a_correction(self, clinic: Clinic, who: str) -> None:
        claim = self.denied(clinic, who)
        actions.correct(claim=str(claim.id), by=clinic.biller)
        actions.submit(claims=[str(claim.id)], by=clinic.biller)
        assert stands(claim) == {ledger.INSURANCE: D("143.00")}

    def test_is_not_undone_twice(self, clinic: Clinic, who: str) -> None:
        claim = self.denied(clinic, who)
        for trace in ("YES", "AGAIN"):
            take(clinic, file_of(answer(claim, *at.PAID_IN_PART), trace=trace))
        assert stands(claim) == {ledger.PATIENT: D("40.00")}

    def test_leaves_a_statement_that_is_the_ledger(self, clinic: Clinic, who: str) -> None:
        claim = self.denied(clinic, who)
        take(clinic, file_of(answer(claim, *at.PAID_IN_PART), trace="YES"))
        assert actions.send_statement(patient=clinic.ids["patient"], by=clinic.biller).balance == D("40.00")


class TestTwoDesks:
    """Two people decide about the same money at the same moment: one does, the other is told."""

    def test_what_is_refused_goes_to_the_patient_or_is_given_up_never_both(self, committed_clinic: Clinic) -> None:
        clinic = committed_clinic
        claim = clinic.sent()
        deny(clinic, claim)
        outcomes = together(
            *[
                lambda who=who: actions.settle_denial(claim=str(claim.id), who=who, why="x", by=clinic.biller, key=who)
                for who in ("patient", "write-off")
            ]
        )
        assert (sum(isinstance(each, NothingToBill) for each in outcomes), sum(stands(claim).values())) == (1, D("143.00"))

    def test_what_is_owed_is_forgiven_once(self, committed_clinic: Clinic) -> None:
        clinic = committed_clinic
        take(clinic, file_of(answer(clinic.sent(), *at.PAID_IN_PART)))
        patient = clinic.ids["patient"]
        forgive = [
            lambda key=key: actions.give_up_balance(patient=patient, amount=D("40.00"), why="x", by=clinic.biller, key=key) for key in ("a", "b")
        ]
        outcomes = together(*forgive)
        assert (sum(isinstance(each, WrongAmount) for each in outcomes), patient_balance(1, patient)) == (1, ZERO)

    def test_a_visit_is_claimed_or_billed_to_the_patient_never_both(self, committed_clinic: Clinic) -> None:
        clinic = committed_clinic
        visit = str(clinic.visit().id)
        actions.propose_charges(visit=visit, by=clinic.biller)
        together(lambda: actions.bill_patient(visit=visit, by=clinic.biller), lambda: actions.build_claim(visit=visit, by=clinic.biller))
        claimed = LedgerTransaction.objects.filter(kind="visit").count() + len(list(clinic.store.search(Claim, {}).resources))
        assert claimed == 1


def test_a_charge_added_after_the_patient_was_billed_is_not_lost_in_silence(clinic: Clinic) -> None:
    visit = str(clinic.visit().id)
    actions.propose_charges(visit=visit, by=clinic.biller)
    actions.bill_patient(visit=visit, by=clinic.biller)
    late = {"coding": [{"system": "urn:openward:service-code", "code": "OW-LAB-1"}]}
    made = clinic.make("late", {
        "resourceType": "ChargeItem", "status": "billable", "code": late, "subject": {"reference": f"Patient/{clinic.ids['patient']}"},
        "context": {"reference": f"Encounter/{visit}"}, "quantity": {"value": 1}, "priceOverride": {"value": 18, "currency": "USD"},
    })  # fmt: skip
    with pytest.raises(AlreadyBilled):
        actions.bill_patient(visit=visit, by=clinic.biller)
    assert clinic.store.read("ChargeItem", str(made.id)).status == "billable"
