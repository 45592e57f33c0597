"""Two workers, two desks, two presses of one button: real commits, one outcome."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal as D
from threading import Barrier
from typing import Any

from django.db import connection

from openward.billing import actions
from openward.billing.cards import APPROVED, Card
from openward.billing.models import ClaimRow, LedgerTransaction, Payment, RemittanceRow
from openward.billing.queries.balances import account_balances, patient_balance
from tests.billing.clinic import PAID_IN_PART, Clinic, answer, file_of


def together(*calls: Callable[[], Any]) -> list[Any]:
    """The answers or the exceptions, each call in a thread and on a connection of its own, all let go at once."""
    gate = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            gate.wait()
            return call()
        except Exception as error:  # noqa: BLE001 - the outcome under test
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def test_one_remittance_by_two_workers_is_posted_once(committed_clinic: Clinic) -> None:
    clinic = committed_clinic
    data = file_of(answer(clinic.sent(), *PAID_IN_PART))
    outcomes = together(*[lambda: actions.take_file(data=data, name="era", by=clinic.biller)] * 2)
    assert sorted(outcome.already for outcome in outcomes) == [False, True]
    assert account_balances(1)["bank"] == D("60.00")


def test_one_payment_in_two_files_by_two_workers_is_posted_once(committed_clinic: Clinic) -> None:
    clinic = committed_clinic
    data = file_of(answer(clinic.sent(), *PAID_IN_PART))
    other = data.replace(b"000000007", b"000000008").replace(b"*7*X*", b"*8*X*").replace(b"GE*1*7", b"GE*1*8")
    outcomes = together(*[lambda each=each: actions.take_file(data=each, name="era", by=clinic.biller) for each in (data, other)])
    assert sorted(outcome.outcomes[0].state for outcome in outcomes) == ["already", "posted"]
    assert RemittanceRow.objects.count() == 1
    assert LedgerTransaction.objects.filter(kind="answer").count() == 1


def test_one_visit_by_two_billers_is_claimed_once(committed_clinic: Clinic) -> None:
    clinic = committed_clinic
    visit = str(clinic.visit().id)
    together(*[lambda: actions.claim_signed_visit(visit=visit, by=clinic.biller)] * 2)
    assert ClaimRow.objects.filter(visit=visit).count() == 1


def test_one_press_sent_twice_charges_the_card_once(committed_clinic: Clinic) -> None:
    clinic = committed_clinic
    actions.take_file(data=file_of(answer(clinic.sent(), *PAID_IN_PART)), name="era", by=clinic.biller)
    patient = clinic.ids["patient"]
    card = Card(APPROVED, 12, 2030)
    together(*[lambda: actions.pay_balance(patient=patient, amount=D("40.00"), card=card, by=clinic.biller, idempotency_key="k")] * 2)
    assert (patient_balance(1, patient), Payment.objects.count()) == (D("0.00"), 1)


def test_two_payments_of_the_whole_balance_pay_it_once(committed_clinic: Clinic) -> None:
    clinic = committed_clinic
    actions.take_file(data=file_of(answer(clinic.sent(), *PAID_IN_PART)), name="era", by=clinic.biller)
    patient, card = clinic.ids["patient"], Card(APPROVED, 12, 2030)
    pay = [
        lambda key=key: actions.pay_balance(patient=patient, amount=D("40.00"), card=card, by=clinic.biller, idempotency_key=key)
        for key in ("a", "b")
    ]
    outcomes = together(*pay)
    assert sum(isinstance(outcome, Payment) for outcome in outcomes) == 1
    assert patient_balance(1, patient) == 0
