"""A bank that does not answer, and a server that stops between its yes and our books: no money moves twice, none moves without a trace."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
import time_machine

from openward.billing import actions, jobs, ledger
from openward.billing.actions.payments import make_link
from openward.billing.actions.refunds import refunded
from openward.billing.cards import Charged, Declined, ProcessorUnreachable, TestCards
from openward.billing.errors import CardDeclined, PaymentUncertain, RefundDeclined, RefundUncertain, StillWorking, WrongAmount
from openward.billing.models import Payment, Refund
from openward.billing.queries.balances import account_balances, patient_balance
from openward.fhir.errors import Forbidden
from openward.record import unit_of_work
from tests import cast
from tests.billing.clinic import Clinic
from tests.billing.test_at_once import together
from tests.billing.test_payments import GOOD, owing, pay

CARD = {"number": "4242 4242 4242 4242", "expiry": "12/40", "code": "123"}


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The processor does what it is asked and its answer is lost; the names of what it was asked."""
    asked: list[str] = []

    def lost(name: str) -> Any:
        real = getattr(TestCards, name)

        def ask(self: TestCards, **facts: Any) -> Charged:
            asked.append(name)
            real(self, **facts)
            raise ProcessorUnreachable

        return ask

    for name in ("charge", "refund"):
        monkeypatch.setattr(TestCards, name, lost(name))
    return asked


def later(seconds: int = 3600) -> Any:
    return time_machine.travel(Payment.objects.latest("made_at").made_at.timestamp() + seconds)


def give(payment: Payment, amount: str = "15.00", key: str = "r", **more: Any) -> Payment:
    return actions.refund(payment=str(payment.id), amount=D(amount), why="x", idempotency_key=key, **more)


class TestAPaymentWithoutAnAnswer:
    def test_says_so_and_is_booked_when_the_bank_is_asked_again(self, clinic: Clinic, silent: list[str]) -> None:
        patient = owing(clinic)
        with pytest.raises(PaymentUncertain):
            pay(clinic, patient)
        assert (patient_balance(1, patient), Payment.objects.get().state) == (D("40.00"), "started")
        with later():
            jobs.finish_payments()
        assert (patient_balance(1, patient), account_balances(1)[ledger.CARDS]) == (D("0.00"), D("40.00"))

    def test_is_not_made_a_second_time_by_a_new_form(self, clinic: Clinic, silent: list[str]) -> None:
        patient = owing(clinic)
        for key, refusal in (("k1", PaymentUncertain), ("k2", StillWorking)):
            with pytest.raises(refusal):
                actions.pay_balance(patient=patient, amount=D("10.00"), card=GOOD, by=clinic.biller, idempotency_key=key)
        assert silent == ["charge"]

    def test_leaves_the_link_a_page_and_the_same_form(self, clinic: Clinic, silent: list[str], client: Any) -> None:
        patient = owing(clinic)
        with unit_of_work(by=cast.system("make a link")) as work:
            url = make_link(work, patient).split("//", 1)[1].split("/", 1)[1]
        answer = client.post(f"/{url}", {**CARD, "amount": "10.00", "key": "the-same-key"})
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "The bank did not answer" in page
        assert 'value="the-same-key"' in page

    def test_leaves_a_declined_one_a_new_form(self, clinic: Clinic, client: Any) -> None:
        with unit_of_work(by=cast.system("make a link")) as work:
            url = make_link(work, owing(clinic)).split("//", 1)[1].split("/", 1)[1]
        answer = client.post(f"/{url}", {**CARD, "number": "4000 0000 0000 0002", "amount": "10.00", "key": "the-same-key"})
        assert 'value="the-same-key"' not in answer.content.decode()


class TestARefund:
    def test_without_an_answer_is_booked_when_the_bank_is_asked_again(self, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
        payment = pay(clinic, owing(clinic))
        real = TestCards.refund

        def lost(self: TestCards, **facts: Any) -> Charged:
            real(self, **facts)
            raise ProcessorUnreachable

        monkeypatch.setattr(TestCards, "refund", lost)
        with pytest.raises(RefundUncertain):
            give(payment, by=clinic.biller)
        assert refunded(1, str(payment.id)) == 0
        with later():
            jobs.finish_payments()
        assert (refunded(1, str(payment.id)), patient_balance(1, payment.patient)) == (D("15.00"), D("15.00"))

    def test_whose_server_stopped_after_the_banks_yes_is_not_given_again(self, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
        payment = pay(clinic, owing(clinic))
        real = TestCards.refund

        def refund_and_die(self: TestCards, **facts: Any) -> Charged:
            real(self, **facts)
            raise KeyboardInterrupt

        monkeypatch.setattr(TestCards, "refund", refund_and_die)
        with pytest.raises(KeyboardInterrupt):
            give(payment, "40.00", by=clinic.biller)
        with pytest.raises(WrongAmount):
            give(payment, "40.00", key="a new form", by=clinic.biller)
        with later():
            jobs.finish_payments()
        assert (refunded(1, str(payment.id)), Refund.objects.get().state) == (D("40.00"), "given")

    def test_the_bank_never_saw_is_given_up_later_and_can_be_given(self, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
        payment = pay(clinic, owing(clinic))

        def die(self: TestCards, **facts: Any) -> Charged:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(TestCards, "refund", die)
            with pytest.raises(KeyboardInterrupt):
                give(payment, "40.00", by=clinic.biller)
        with later():
            jobs.finish_payments()
        give(payment, "40.00", key="a new form", by=clinic.biller)
        assert refunded(1, str(payment.id)) == D("40.00")

    def test_the_bank_refuses_moves_nothing(self, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
        payment = pay(clinic, owing(clinic))

        def no(self: TestCards, **facts: Any) -> Charged:
            raise Declined("the card was closed")

        monkeypatch.setattr(TestCards, "refund", no)
        with pytest.raises(RefundDeclined, match="the card was closed"):
            give(payment, by=clinic.biller)
        assert (refunded(1, str(payment.id)), patient_balance(1, payment.patient)) == (D("0.00"), D("0.00"))

    def test_by_two_desks_at_once_is_never_more_than_was_paid(self, committed_clinic: Clinic) -> None:
        clinic = committed_clinic
        payment = pay(clinic, owing(clinic))
        together(*[lambda key=key: give(payment, "30.00", key=key, by=clinic.biller) for key in ("a", "b")])
        assert refunded(1, str(payment.id)) == D("30.00")

    def test_is_not_for_the_patient_to_give(self, clinic: Clinic) -> None:
        payment = pay(clinic, owing(clinic))
        with pytest.raises(Forbidden):
            give(payment, by=cast.patient(payment.patient))


def test_a_declined_card_is_declined_however_often_it_is_pressed(clinic: Clinic) -> None:
    patient = owing(clinic)
    bad = type(GOOD)("4000000000000002", 12, 2040)
    for _ in range(2):
        with pytest.raises(CardDeclined):
            actions.pay_balance(patient=patient, amount=D("40.00"), card=bad, by=clinic.biller, idempotency_key="k")
    assert patient_balance(1, patient) == D("40.00")
