from __future__ import annotations

import datetime as dt
from decimal import Decimal as D
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openward.billing import ledger
from openward.billing.models import LedgerEntry, LedgerTransaction
from openward.billing.queries.balances import account_balances, patient_activity, patient_balance
from openward.record import unit_of_work
from tests import cast

DAY = dt.date(2026, 11, 3)


def posting(*lines: ledger.Line, source: str = "1") -> ledger.Posting:
    return ledger.Posting("test", ("test", source), DAY, "Test", lines)


def even(amount: str = "10.00", **who: Any) -> tuple[ledger.Line, ledger.Line]:
    return ledger.debit(ledger.PATIENT, D(amount), **who), ledger.credit(ledger.REVENUE, D(amount), **who)


def post(*postings: ledger.Posting) -> int:
    with unit_of_work(by=cast.system()) as work:
        return len(ledger.post_all(work, postings))


def check_now() -> None:
    """Run the checks that otherwise wait for the commit."""
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")


class TestTheDatabaseKeepsTheBooks:
    @pytest.mark.usefixtures("db")
    def test_debits_that_differ_from_credits_are_refused(self) -> None:
        post(posting(ledger.debit(ledger.PATIENT, D("10.00")), ledger.credit(ledger.REVENUE, D("9.99"))))
        with pytest.raises(DatabaseError, match="does not balance"):
            check_now()

    @pytest.mark.usefixtures("db")
    def test_a_transaction_without_entries_is_refused(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "insert into ledger_transaction (tenant, id, kind, source_kind, source_id, on_date, by_actor, words)"
                " values (1, gen_random_uuid(), 'test', 'test', 'empty', now(), 'test', 'Test')"
            )
        with pytest.raises(DatabaseError, match="does not balance"):
            check_now()

    @pytest.mark.parametrize(
        "change",
        [
            "update ledger_entry set debit = debit + 1",
            "delete from ledger_entry",
            "truncate ledger_entry",
            "update ledger_transaction set words = 'x'",
            "delete from ledger_transaction",
            "truncate ledger_transaction cascade",
        ],
    )
    @pytest.mark.usefixtures("db")
    def test_what_is_posted_is_never_changed_or_removed(self, change: str) -> None:
        post(posting(*even()))
        check_now()
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)

    @pytest.mark.parametrize("sides", [("-1", "0"), ("0", "-1"), ("1", "1"), ("0", "0")])
    @pytest.mark.usefixtures("db")
    def test_an_entry_has_one_side_and_it_is_positive(self, sides: tuple[str, str]) -> None:
        post(posting(*even()))
        with pytest.raises(DatabaseError, match="ledger_entry_one_side"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "insert into ledger_entry (tenant, transaction, place, account, debit, credit) select tenant, id, 9, 'bank', %s, %s from ledger_transaction",
                sides,
            )

    @pytest.mark.usefixtures("db")
    def test_another_currency_is_refused(self) -> None:
        with pytest.raises(DatabaseError, match="currency"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "insert into ledger_transaction (tenant, id, kind, source_kind, source_id, on_date, by_actor, words, currency)"
                " values (1, gen_random_uuid(), 'test', 'test', 'eur', now(), 'test', 'Test', 'EUR')"
            )

    def test_a_posted_transaction_takes_no_further_entries(self, committed_clinic: Any) -> None:
        post(posting(*even()))
        with pytest.raises(DatabaseError, match="no further entries"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "insert into ledger_entry (tenant, transaction, place, account, debit) select tenant, id, 9, 'bank', 1 from ledger_transaction"
            )


class TestOneSourceOnce:
    @pytest.mark.usefixtures("db")
    def test_the_same_source_again_posts_nothing(self) -> None:
        assert [post(posting(*even())), post(posting(*even()))] == [1, 0]
        assert patient_balance(1, "x") == 0
        assert LedgerTransaction.objects.count() == 1

    @pytest.mark.usefixtures("db")
    def test_another_tenant_has_its_own_sources(self) -> None:
        post(posting(*even()))
        from openward.access.actor import Actor

        with unit_of_work(by=Actor.system("test", tenant=2)) as work:
            assert ledger.post(work, posting(*even()))

    @pytest.mark.usefixtures("db")
    def test_a_posting_that_comes_to_nothing_is_left_out(self) -> None:
        assert post(posting(ledger.debit(ledger.BANK, D("0.00")), ledger.credit(ledger.UNMATCHED, D("0.00")))) == 0


amounts = st.integers(1, 99_999_999).map(lambda cents: D(cents) / 100)
accounts = st.sampled_from(sorted(ledger.ACCOUNTS))


class TestAnySequence:
    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.tuples(amounts, accounts, accounts, st.sampled_from(["a", "b"]), st.integers(1, 12)), max_size=12))
    @pytest.mark.usefixtures("db")
    def test_debits_equal_credits_and_the_statement_is_the_ledger(self, events: list[tuple[D, str, str, str, int]]) -> None:
        with transaction.atomic():
            for amount, one, other, patient, source in events:
                post(posting(ledger.debit(one, amount, patient=patient), ledger.credit(other, amount, patient=patient), source=str(source)))
            check_now()
            assert sum(account_balances(1).values()) == 0
            for patient in "ab":
                lines = patient_activity(1, patient)
                assert (lines[-1].running if lines else 0) == patient_balance(1, patient)
            transaction.set_rollback(True)
        with connection.cursor() as cursor:
            cursor.execute("set constraints all deferred")

    def test_money_is_never_a_float(self) -> None:
        assert all(isinstance(value, D) for line in even() for value in (line.debit, line.credit))


def test_the_models_say_what_the_tables_hold(db: None) -> None:
    post(posting(*even(patient="p", claim="c", payer="o")))
    entry = LedgerEntry.objects.order_by("place")[0]
    assert (entry.account, entry.debit, entry.credit, entry.patient, entry.claim, entry.payer) == (
        ledger.PATIENT,
        D("10.00"),
        D("0.00"),
        "p",
        "c",
        "o",
    )


def test_psycopg_gives_decimals(db: None) -> None:
    post(posting(*even()))
    with connection.cursor() as cursor:
        cursor.execute("select debit from ledger_entry order by place limit 1")
        assert cursor.fetchone() == (D("10.00"),)
    assert psycopg.__version__
