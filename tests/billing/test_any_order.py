"""Whatever happens in whatever order, the books balance and the statement says what the ledger says."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openward.billing import actions
from openward.billing.cards import APPROVED, Card
from openward.billing.queries.balances import account_balances, claim_balances, patient_activity, patient_balance
from openward.billing.queries.bills import bill
from openward.fhir.errors import FhirError
from openward.formats.x12.remittance import Adjustment
from tests.billing.clinic import Clinic, answer, file_of, taken_back

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["pay", "deny", "share", "back", "again", "card", "correct", "settle", "give_up", "forgive", "refund"]), st.integers(1, 143)
    ),
    max_size=10,
)


class Story:
    """One claim and everything that can happen to its money."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic, self.claim = clinic, clinic.sent()
        self.last: Any = None
        self.file = b""
        self.count = 0

    @property
    def patient(self) -> str:
        return self.clinic.ids["patient"]

    def step(self, name: str, dollars: int) -> None:
        self.count += 1
        getattr(self, f"_{name}")(D(dollars))

    def _take(self, payment: Any) -> None:
        self.last, self.file = payment, file_of(payment, trace=f"T{self.count}")
        actions.take_file(data=self.file, name="era", by=self.clinic.biller)

    def _pay(self, dollars: D) -> None:
        self._take(answer(self.claim, Adjustment("CO", "45", D(143) - dollars)))

    def _deny(self, dollars: D) -> None:
        self._take(answer(self.claim, Adjustment("CO", "50", D(143)), status="4"))

    def _share(self, dollars: D) -> None:
        self._take(answer(self.claim, Adjustment("PR", "1", dollars)))

    def _back(self, dollars: D) -> None:
        if self.last is not None and self.last.status != "22":
            self._take(taken_back(self.last))

    def _again(self, dollars: D) -> None:
        if self.file:
            actions.take_file(data=self.file, name="again", by=self.clinic.biller)

    def _card(self, dollars: D) -> None:
        actions.pay_balance(
            patient=self.patient, amount=dollars, card=Card(APPROVED, 12, 2040), by=self.clinic.biller, idempotency_key=f"k{self.count}"
        )

    def _correct(self, dollars: D) -> None:
        actions.correct(claim=str(self.claim.id), by=self.clinic.biller)
        actions.submit(claims=[str(self.claim.id)], by=self.clinic.biller)

    def _settle(self, dollars: D) -> None:
        actions.settle_denial(claim=str(self.claim.id), who="patient", why="x", by=self.clinic.biller, key=str(self.count))

    def _give_up(self, dollars: D) -> None:
        actions.settle_denial(claim=str(self.claim.id), who="write-off", why="x", by=self.clinic.biller, key=str(self.count))

    def _forgive(self, dollars: D) -> None:
        actions.give_up_balance(patient=self.patient, amount=dollars, why="x", by=self.clinic.biller, key=str(self.count))

    def _refund(self, dollars: D) -> None:
        from openward.billing.models import Payment

        for payment in Payment.objects.filter(state="paid")[:1]:
            actions.refund(payment=str(payment.id), amount=dollars, why="x", by=self.clinic.biller, idempotency_key=str(self.count))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
@pytest.mark.django_db
def test_the_books_balance_and_the_statement_is_the_ledger(data_folder: Any, steps: list[tuple[str, int]]) -> None:
    with transaction.atomic():
        story = Story(Clinic.open())
        for name, dollars in steps:
            try:
                with transaction.atomic():
                    story.step(name, dollars)
            except FhirError:
                continue  # refused: nothing may have changed
        with connection.cursor() as cursor:
            cursor.execute("set constraints all immediate")
        _agree(story)
        transaction.set_rollback(True)
    with connection.cursor() as cursor:
        cursor.execute("set constraints all deferred")


def _agree(story: Story) -> None:
    sums, owed = account_balances(1), patient_balance(1, story.patient)
    lines = patient_activity(1, story.patient)
    explained = bill(story.clinic.store, story.patient)
    assert sum(sums.values()) == 0
    assert sums.get("patient-receivable", D(0)) == owed == explained.balance == (lines[-1].running if lines else 0)
    assert sum((visit.share for visit in explained.visits), D(0)) + sum((line.amount for line in explained.other), D(0)) == owed
    _nothing_twice(claim_balances(1, str(story.claim.id)))


def _nothing_twice(sums: Mapping[str, D]) -> None:
    """Whatever payers answer, and however often: a claim is charged once, and no part of it is owed by two, or by less than nobody."""
    ends = ["insurance-receivable", "denied", "patient-receivable", "write-off"]
    assert sums["service-revenue"] == D("-143.00")
    assert all(sums.get(account, D(0)) >= 0 for account in ends)
    assert sum(sums.get(account, D(0)) for account in ends) <= D("143.00")
