from __future__ import annotations

from decimal import Decimal as D

import pytest

from openward.billing import actions, ledger
from openward.billing.models import LedgerTransaction, RefusedFile, RemittanceItem, RemittanceRow
from openward.billing.queries.balances import account_balances, claim_balances, patient_balance
from openward.fhir.resources import ExplanationOfBenefit, PaymentReconciliation
from openward.formats.x12.remittance import Adjustment, ProviderAdjustment
from tests.billing import clinic as at
from tests.billing.clinic import Clinic, answer, file_of


def take(clinic: Clinic, data: bytes, name: str = "era.835") -> actions.remittances.Taken:
    return actions.take_file(data=data, name=name, by=clinic.biller)


class TestPosting:
    def test_the_books_say_paid_agreed_and_the_patients_share(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        take(clinic, file_of(answer(claim, *at.PAID_IN_PART)))
        assert claim_balances(1, str(claim.id)) == {
            ledger.INSURANCE: D("0.00"),
            ledger.REVENUE: D("-143.00"),
            ledger.BANK: D("60.00"),
            ledger.AGREED: D("43.00"),
            ledger.PATIENT: D("40.00"),
        }

    def test_the_claim_is_paid_and_the_patient_owes_the_share(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        take(clinic, file_of(answer(claim, *at.PAID_IN_PART)))
        assert (clinic.state(claim), patient_balance(1, clinic.ids["patient"])) == ("paid", D("40.00"))

    def test_what_the_payer_decided_is_an_explanation_of_benefit(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        take(
            clinic,
            file_of(
                at.line_answers(claim, (Adjustment("CO", "45", D("25.00")), Adjustment("PR", "2", D("20.00"))), (Adjustment("CO", "97", D("18.00")),))
            ),
        )
        [made] = clinic.store.search(ExplanationOfBenefit, {"claim": f"Claim/{claim.id}"})
        assert [(item.sequence, [a.amount.value for a in item.adjudication]) for item in made.item] == [
            (1, [D("125.00"), D("80.00"), D("25.00"), D("20.00")]),
            (2, [D("18.00"), D("0.00"), D("18.00")]),
        ]

    def test_the_payment_is_a_reconciliation_that_names_claim_and_answer(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        outcome = take(clinic, file_of(answer(claim, *at.PAID_IN_PART))).outcomes[0]
        row = RemittanceRow.objects.get(id=outcome.remittance)
        made = clinic.store.read(PaymentReconciliation, row.reconciliation)
        assert (made.paymentAmount.value, made.detail[0].request.target_id) == (D("60.00"), claim.id)

    def test_money_outside_claims_leaves_the_bank_at_what_was_really_paid(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        taken = ProviderAdjustment("1234567893", at.DAY, "WO", "OLD", D("10.00"))
        take(clinic, file_of(answer(claim, *at.PAID_IN_PART), amount=D("50.00"), provider_adjustments=(taken,)))
        sums = account_balances(1)
        assert (sums[ledger.BANK], sums[ledger.PAYER_ADJUSTMENT]) == (D("50.00"), D("10.00"))


class TestDenials:
    def test_a_denied_claim_is_denied_and_nothing_is_written_off(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        take(clinic, file_of(answer(claim, *at.DENIED, status="4")))
        sums = claim_balances(1, str(claim.id))
        assert (clinic.state(claim), sums[ledger.DENIED], sums.get(ledger.AGREED), sums.get(ledger.WRITE_OFF)) == ("denied", D("143.00"), None, None)

    def test_a_contractual_reason_on_a_denied_claim_writes_nothing_off_either(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        take(clinic, file_of(answer(claim, Adjustment("CO", "45", D("143.00")), status="4")))
        assert claim_balances(1, str(claim.id))[ledger.DENIED] == D("143.00")

    def test_one_refused_line_stays_owed_while_the_rest_is_paid(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        take(clinic, file_of(at.line_answers(claim, (), (Adjustment("CO", "97", D("18.00")),))))
        assert (clinic.state(claim), claim_balances(1, str(claim.id))[ledger.DENIED]) == ("paid", D("18.00"))

    def test_a_corrected_claim_is_sent_as_a_replacement_and_what_was_refused_is_owed_again(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        take(clinic, file_of(answer(claim, *at.DENIED, status="4")))
        actions.correct(claim=str(claim.id), by=clinic.biller)
        actions.submit(claims=[str(claim.id)], by=clinic.biller)
        sums = claim_balances(1, str(claim.id))
        assert (clinic.state(claim), sums[ledger.INSURANCE], sums[ledger.DENIED], sums[ledger.REVENUE]) == (
            "submitted",
            D("143.00"),
            D("0.00"),
            D("-143.00"),
        )

    def test_a_person_decides_that_the_patient_pays_it(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        take(clinic, file_of(answer(claim, *at.DENIED, status="4")))
        actions.settle_denial(claim=str(claim.id), who="patient", why="Coverage had ended", by=clinic.biller, key="k1")
        assert patient_balance(1, clinic.ids["patient"]) == D("143.00")


class TestTheSameAgain:
    def test_the_same_bytes_post_nothing(self, clinic: Clinic) -> None:
        data = file_of(answer(clinic.sent(), *at.PAID_IN_PART))
        take(clinic, data)
        before = LedgerTransaction.objects.count()
        assert take(clinic, data, "copy.835").already
        assert LedgerTransaction.objects.count() == before

    def test_the_same_payer_and_trace_in_another_file_post_nothing(self, clinic: Clinic) -> None:
        payment = answer(clinic.sent(), *at.PAID_IN_PART)
        take(clinic, file_of(payment))
        before = LedgerTransaction.objects.count()
        again = take(clinic, file_of(payment).replace(b"000000007", b"000000008").replace(b"*7*X*", b"*8*X*").replace(b"GE*1*7", b"GE*1*8"))
        assert [outcome.state for outcome in again.outcomes] == ["already"]
        assert LedgerTransaction.objects.count() == before


class TestReversals:
    def test_an_answer_taken_back_leaves_the_claim_unanswered(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        first = answer(claim, *at.PAID_IN_PART)
        take(clinic, file_of(first))
        take(clinic, file_of(at.taken_back(first), trace="TRACE2"))
        sums = claim_balances(1, str(claim.id))
        assert (clinic.state(claim), sums[ledger.INSURANCE], sums[ledger.BANK], sums[ledger.PATIENT]) == (
            "submitted",
            D("143.00"),
            D("0.00"),
            D("0.00"),
        )

    def test_taken_back_and_answered_anew_in_one_remittance(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        first = answer(claim, *at.PAID_IN_PART)
        take(clinic, file_of(first))
        take(clinic, file_of(at.taken_back(first), answer(claim, Adjustment("CO", "45", D("43.00"))), trace="TRACE2"))
        sums = claim_balances(1, str(claim.id))
        assert (clinic.state(claim), sums[ledger.BANK], sums[ledger.PATIENT]) == ("paid", D("100.00"), D("0.00"))

    def test_taking_back_what_was_never_posted_waits_for_a_person(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        outcome = take(clinic, file_of(at.taken_back(answer(claim, *at.PAID_IN_PART)))).outcomes[0]
        assert (outcome.unmatched, clinic.state(claim)) == (1, "submitted")

    def test_an_answer_is_taken_back_once(self, clinic: Clinic) -> None:
        first = answer(clinic.sent(), *at.PAID_IN_PART)
        take(clinic, file_of(first))
        take(clinic, file_of(at.taken_back(first), trace="TRACE2"))
        assert take(clinic, file_of(at.taken_back(first), trace="TRACE3")).outcomes[0].unmatched == 1


class TestUnmatched:
    def unknown(self, clinic: Clinic) -> tuple[str, str]:
        claim = clinic.sent()
        outcome = take(clinic, file_of(answer(claim, *at.PAID_IN_PART, claim="ELSEWHERE1"))).outcomes[0]
        return str(claim.id), str(outcome.remittance)

    def test_money_for_a_claim_not_found_is_in_the_bank_and_waits(self, clinic: Clinic) -> None:
        self.unknown(clinic)
        sums = account_balances(1)
        assert (sums[ledger.BANK], sums[ledger.UNMATCHED]) == (D("60.00"), D("-60.00"))

    def test_a_person_matches_it_and_the_claim_is_posted(self, clinic: Clinic) -> None:
        claim, remittance = self.unknown(clinic)
        actions.match_item(remittance=remittance, place=1, claim=claim, by=clinic.biller)
        sums = account_balances(1)
        assert (sums[ledger.UNMATCHED], sums[ledger.INSURANCE], sums[ledger.PATIENT]) == (D("0.00"), D("0.00"), D("40.00"))
        assert RemittanceItem.objects.get().state == "matched"

    def test_it_is_worked_once(self, clinic: Clinic) -> None:
        claim, remittance = self.unknown(clinic)
        actions.set_aside(remittance=remittance, place=1, why="Another practice's", by=clinic.biller)
        with pytest.raises(actions.remittances.Conflict):
            actions.match_item(remittance=remittance, place=1, claim=claim, by=clinic.biller)

    def test_a_charge_that_differs_waits_for_a_person(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        outcome = take(clinic, file_of(answer(claim, charge=D("100.00"), paid=D("100.00")))).outcomes[0]
        assert outcome.unmatched == 1

    def test_an_answer_to_a_claim_never_sent_waits_for_a_person(self, clinic: Clinic) -> None:
        assert take(clinic, file_of(answer(clinic.claim()))).outcomes[0].unmatched == 1


class TestWhatIsNotPosted:
    def test_an_unbalanced_remittance_is_quarantined_whole_with_the_reason(self, clinic: Clinic) -> None:
        claim = clinic.sent()
        outcome = take(clinic, file_of(answer(claim, *at.PAID_IN_PART), amount=D("61.00"))).outcomes[0]
        row = RemittanceRow.objects.get()
        assert (outcome.state, row.state) == ("quarantined", "quarantined")
        assert "61.00" in row.reason
        assert (clinic.state(claim), account_balances(1).get(ledger.BANK)) == ("submitted", None)

    def test_the_corrected_advice_with_the_same_trace_is_posted(self, clinic: Clinic) -> None:
        payment = answer(clinic.sent(), *at.PAID_IN_PART)
        take(clinic, file_of(payment, amount=D("61.00")))
        assert take(clinic, file_of(payment)).outcomes[0].state == "posted"

    def test_a_quarantined_one_is_closed_with_a_reason(self, clinic: Clinic) -> None:
        outcome = take(clinic, file_of(answer(clinic.sent(), *at.PAID_IN_PART), amount=D("61.00"))).outcomes[0]
        actions.close_quarantined(remittance=str(outcome.remittance), why="Payer sent a corrected one", by=clinic.biller)
        assert RemittanceRow.objects.get().state == "closed"

    def test_a_truncated_file_is_refused_with_the_place(self, clinic: Clinic) -> None:
        data = file_of(answer(clinic.sent(), *at.PAID_IN_PART))
        refused = take(clinic, data[:-40]).refused
        assert "byte" in refused
        assert RefusedFile.objects.get().reason == refused
        assert not RemittanceRow.objects.exists()
