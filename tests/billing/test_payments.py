from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
import time_machine

from openward.billing import actions, ledger
from openward.billing.actions.payments import link_balance, make_link, open_link
from openward.billing.cards import APPROVED, Card, Charged, TestCards, processor
from openward.billing.errors import CardDeclined, LinkIsSpent, TooManyCards, WrongAmount
from openward.billing.models import Payment, Statement
from openward.billing.queries.balances import account_balances, ledger_lines, patient_balance
from openward.billing.queries.bills import bill
from openward.fhir.errors import Conflict, Forbidden
from openward.fhir.resources import Invoice, PaymentNotice
from openward.outbox.models import Message
from openward.record import unit_of_work
from tests import cast
from tests.billing.clinic import PAID_IN_PART, Clinic, answer, file_of

GOOD = Card(APPROVED, 12, 2030, "123")


def owing(clinic: Clinic) -> str:
    """A patient who owes $40.00: $15.00 deductible and $25.00 copay."""
    actions.take_file(data=file_of(answer(clinic.sent(), *PAID_IN_PART)), name="era", by=clinic.biller)
    return clinic.ids["patient"]


def pay(clinic: Clinic, patient: str, amount: str = "40.00", card: Card = GOOD, key: str = "k1", by: Any = None) -> Payment:
    return actions.pay_balance(patient=patient, amount=D(amount), card=card, by=by or clinic.biller, idempotency_key=key)


class TestPayingByCard:
    def test_the_balance_the_books_and_the_statement_agree(self, clinic: Clinic) -> None:
        patient = owing(clinic)
        pay(clinic, patient, "30.00")
        assert patient_balance(1, patient) == bill(clinic.store, patient).balance == ledger_lines(clinic.store, patient)[-1].running == D("10.00")
        assert account_balances(1)[ledger.CARDS] == D("30.00")

    def test_the_same_key_again_charges_nothing(self, clinic: Clinic) -> None:
        patient = owing(clinic)
        first, again = pay(clinic, patient, "30.00"), pay(clinic, patient, "30.00")
        assert (first.receipt, patient_balance(1, patient)) == (again.receipt, D("10.00"))

    def test_the_same_key_for_another_amount_is_refused(self, clinic: Clinic) -> None:
        patient = owing(clinic)
        pay(clinic, patient, "30.00")
        with pytest.raises(Conflict):
            pay(clinic, patient, "5.00")

    @pytest.mark.parametrize("number", ["4000000000000002", "4000000000009995", "4000000000000069", "5555555555554444"])
    def test_a_declined_card_changes_nothing(self, clinic: Clinic, number: str) -> None:
        patient = owing(clinic)
        with pytest.raises(CardDeclined):
            pay(clinic, patient, card=Card(number, 12, 2030))
        assert (patient_balance(1, patient), Payment.objects.get().state) == (D("40.00"), "declined")

    @pytest.mark.parametrize("amount", ["0.00", "-1.00", "40.01", "0.001", "NaN"])
    def test_only_what_is_owed_can_be_paid(self, clinic: Clinic, amount: str) -> None:
        patient = owing(clinic)
        with pytest.raises(WrongAmount):
            pay(clinic, patient, amount)

    def test_the_card_number_is_kept_nowhere(self, clinic: Clinic, data_folder: Any) -> None:
        payment = pay(clinic, owing(clinic))
        assert payment.last4 == "4242"
        assert APPROVED not in repr(GOOD)
        assert all(APPROVED not in file.read_text() for file in data_folder.rglob("*.json"))
        assert APPROVED not in str([vars(row) for row in Payment.objects.all()])

    def test_a_payment_notice_names_the_receipt(self, clinic: Clinic) -> None:
        payment = pay(clinic, owing(clinic))
        notice = clinic.store.read(PaymentNotice, payment.notice)
        assert (notice.identifier[0].value, notice.amount.value) == (payment.receipt, D("40.00"))

    def test_a_patient_pays_their_own_bill_and_nobody_elses(self, clinic: Clinic) -> None:
        patient = owing(clinic)
        with pytest.raises(Forbidden):
            pay(clinic, patient, by=cast.patient(cast.OTHER_PATIENT_ID))
        pay(clinic, patient, by=cast.patient(patient))
        assert patient_balance(1, patient) == 0

    def test_a_nurse_takes_no_payments(self, clinic: Clinic) -> None:
        with pytest.raises(Forbidden):
            pay(clinic, owing(clinic), by=cast.staff("nurse"))


class TestAServerThatStopsInTheMiddle:
    def test_a_charge_the_processor_made_is_finished_later(self, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
        patient = owing(clinic)
        real = TestCards.charge

        def charge_and_die(self: TestCards, **charge: Any) -> Charged:
            real(self, **charge)
            raise KeyboardInterrupt

        monkeypatch.setattr(TestCards, "charge", charge_and_die)
        with pytest.raises(KeyboardInterrupt):
            pay(clinic, patient)
        assert patient_balance(1, patient) == D("40.00")
        with time_machine.travel(Payment.objects.get().made_at.timestamp() + 3600):
            actions.finish_started(by=cast.system())
        assert (patient_balance(1, patient), Payment.objects.get().state) == (D("0.00"), "paid")

    def test_one_the_processor_never_saw_is_declined_later(self, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
        patient = owing(clinic)

        def die(self: TestCards, **charge: Any) -> Charged:
            raise KeyboardInterrupt

        monkeypatch.setattr(TestCards, "charge", die)
        with pytest.raises(KeyboardInterrupt):
            pay(clinic, patient)
        with time_machine.travel(Payment.objects.get().made_at.timestamp() + 3600):
            actions.finish_started(by=cast.system())
        assert (patient_balance(1, patient), Payment.objects.get().state) == (D("40.00"), "declined")

    def test_the_processor_charges_a_key_once(self, clinic: Clinic) -> None:
        first = processor().charge(card=GOOD, amount=D("5.00"), key="k", words="")
        assert processor().charge(card=GOOD, amount=D("5.00"), key="k", words="") == first == processor().find("k")


class TestAtTheDesk:
    def test_cash_lowers_the_balance(self, clinic: Clinic) -> None:
        patient = owing(clinic)
        actions.take_payment(patient=patient, amount=D("40.00"), method="cash", by=clinic.biller, idempotency_key="c1")
        assert (patient_balance(1, patient), account_balances(1)[ledger.DRAWER]) == (D("0.00"), D("40.00"))

    def test_a_refund_goes_back_the_way_it_came_and_once(self, clinic: Clinic) -> None:
        patient = owing(clinic)
        payment = pay(clinic, patient)
        for _ in range(2):
            actions.refund(payment=str(payment.id), amount=D("15.00"), why="Paid twice", by=clinic.biller, idempotency_key="r1")
        assert (patient_balance(1, patient), account_balances(1)[ledger.CARDS]) == (D("15.00"), D("25.00"))

    def test_no_more_is_given_back_than_was_paid(self, clinic: Clinic) -> None:
        payment = pay(clinic, owing(clinic))
        actions.refund(payment=str(payment.id), amount=D("30.00"), why="x", by=clinic.biller, idempotency_key="r1")
        with pytest.raises(WrongAmount):
            actions.refund(payment=str(payment.id), amount=D("10.01"), why="x", by=clinic.biller, idempotency_key="r2")

    def test_a_balance_is_forgiven_with_a_reason(self, clinic: Clinic) -> None:
        patient = owing(clinic)
        actions.give_up_balance(patient=patient, amount=D("40.00"), why="Hardship", by=clinic.biller, key="w1")
        assert (patient_balance(1, patient), account_balances(1)[ledger.WRITE_OFF]) == (D("0.00"), D("40.00"))


class TestStatements:
    def test_it_says_what_the_ledger_says_and_why(self, clinic: Clinic) -> None:
        patient = owing(clinic)
        account = bill(clinic.store, patient)
        [visit] = account.visits
        assert visit.charge == visit.agreed + visit.paid + visit.pending + visit.given_up + visit.share
        assert {(share.code, share.amount) for share in visit.why} == {("1", D("15.00")), ("3", D("25.00"))}
        assert sum((each.share for each in account.visits), D(0)) + sum((line.amount for line in account.other), D(0)) == patient_balance(1, patient)

    def test_it_is_a_pdf_and_an_invoice_of_the_balance(self, clinic: Clinic) -> None:
        made = actions.send_statement(patient=owing(clinic), by=clinic.biller)
        assert bytes(Statement.objects.get().pdf).startswith(b"%PDF")
        assert clinic.store.read(Invoice, made.invoice).totalNet.value == made.balance == D("40.00")

    def test_the_message_tells_nothing_clinical_and_no_amount(self, clinic: Clinic) -> None:
        actions.send_statement(patient=owing(clinic), by=clinic.biller)
        words, link, _token = Message.objects.get().body.partition("/billing/pay/")  # a token is chance, and may hold any of these
        assert link
        assert not any(word in words for word in ("Okafor", "40", "visit", "I10"))

    def test_whoever_owes_nothing_gets_none(self, clinic: Clinic) -> None:
        with pytest.raises(actions.statements.NothingToBill):
            actions.send_statement(patient=clinic.ids["patient"], by=clinic.biller)

    def test_paperless_patients_get_no_letter(self, clinic: Clinic) -> None:
        patient = owing(clinic)
        actions.go_paperless(patient=patient, yes=True, by=cast.patient(patient))
        actions.send_statement(patient=patient, by=clinic.biller)
        assert Message.objects.get().channel == "email"

    def test_what_was_even_before_is_not_explained_again(self, clinic: Clinic) -> None:
        patient = owing(clinic)
        pay(clinic, patient)
        second = clinic.sent("later")
        actions.take_file(data=file_of(answer(second, *PAID_IN_PART), trace="T2"), name="era2", by=clinic.biller)
        account = bill(clinic.store, patient)
        assert (len(account.visits), len(account.other), account.balance) == (1, 0, D("40.00"))


class TestPaymentLinks:
    def link(self, clinic: Clinic, patient: str) -> str:
        with unit_of_work(by=clinic.biller) as work:
            return make_link(work, patient).rsplit("/", 1)[1]

    def test_it_pays_without_an_account_and_only_once(self, clinic: Clinic) -> None:
        patient = owing(clinic)
        token = self.link(clinic, patient)
        actions.pay_by_link(token=token, amount=D("40.00"), card=GOOD, idempotency_key="l1")
        assert patient_balance(1, patient) == 0
        with pytest.raises(LinkIsSpent):
            open_link(token)

    def test_it_is_no_place_to_try_out_cards(self, clinic: Clinic) -> None:
        token, bad = self.link(clinic, owing(clinic)), Card("4000000000000002", 12, 2030)
        for number in range(10):
            with pytest.raises(CardDeclined):
                actions.pay_by_link(token=token, amount=D("1.00"), card=bad, idempotency_key=f"k{number}")
        with pytest.raises(TooManyCards):
            actions.pay_by_link(token=token, amount=D("1.00"), card=GOOD, idempotency_key="k")
        with time_machine.travel(Payment.objects.latest("made_at").made_at.timestamp() + 86_401):
            assert actions.pay_by_link(token=token, amount=D("1.00"), card=GOOD, idempotency_key="k").state == "paid"

    def test_it_expires(self, clinic: Clinic) -> None:
        token = self.link(clinic, owing(clinic))
        with time_machine.travel("2030-01-01"), pytest.raises(LinkIsSpent):
            open_link(token)

    def test_a_newer_link_ends_the_older_one(self, clinic: Clinic) -> None:
        patient = owing(clinic)
        first, second = self.link(clinic, patient), self.link(clinic, patient)
        with pytest.raises(LinkIsSpent):
            open_link(first)
        assert link_balance(open_link(second)) == D("40.00")

    def test_the_token_itself_is_not_kept(self, clinic: Clinic) -> None:
        token = self.link(clinic, owing(clinic))
        assert token.encode() not in bytes(open_link(token).token_digest)
