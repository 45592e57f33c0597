"""Who a bill is addressed to, by what way, and how often."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from openward.billing import actions
from openward.billing.errors import NothingToBill, SentToday
from openward.billing.models import Statement
from openward.billing.presenters.statements import StatementPage
from openward.billing.queries.bills import bill
from openward.fhir.errors import Conflict
from openward.fhir.resources import Patient
from openward.outbox.models import Message
from tests.billing import clinic as at
from tests.billing.clinic import Clinic, D, answer, file_of
from tests.billing.test_at_once import together
from tests.billing.test_payments import owing, pay

TODAY = dt.date(2026, 11, 22)


def addressee(clinic: Clinic) -> str:
    patient = clinic.ids["patient"]
    page = StatementPage("ST1", TODAY, TODAY, None, clinic.store.read(Patient, patient), bill(clinic.store, patient), "")
    return str(page.words(qr="")["to"][0])


class TestTheEnvelope:
    @pytest.mark.parametrize(
        ("facts", "name"),
        [
            ({}, "Ada Okafor"),
            ({"birthDate": "2015-07-09"}, "The parent or guardian of Ada Okafor"),
            ({"birthDate": "2008-11-22"}, "Ada Okafor"),
            ({"birthDate": "2008-11-23"}, "The parent or guardian of Ada Okafor"),
            ({"deceasedDateTime": "2026-11-12"}, "The estate of Ada Okafor"),
            ({"deceasedBoolean": True, "birthDate": "2015-07-09"}, "The estate of Ada Okafor"),
            ({"deceasedBoolean": False}, "Ada Okafor"),
        ],
        ids=["grown", "child", "eighteen today", "eighteen tomorrow", "died", "a child that died", "alive"],
    )
    def test_names_who_is_to_pay(self, clinic: Clinic, facts: dict[str, object], name: str) -> None:
        clinic.change("Patient", clinic.ids["patient"], **facts)
        assert addressee(clinic) == name


class TestThePhoneOfTheDead:
    def test_gets_no_link(self, clinic: Clinic) -> None:
        patient = owing(clinic)
        clinic.change("Patient", patient, deceasedBoolean=True)
        with pytest.raises(Conflict, match="has died"):
            actions.text_to_pay(patient=patient, by=clinic.biller)

    def test_gets_no_statement_however_they_wanted_it(self, clinic: Clinic) -> None:
        patient = owing(clinic)
        actions.go_paperless(patient=patient, yes=True, by=clinic.biller)
        clinic.change("Patient", patient, deceasedBoolean=True)
        actions.send_statement(patient=patient, by=clinic.biller)
        assert list(Message.objects.filter(kind="statement").values_list("channel", flat=True)) == ["letter"]


class TestTheSameBill:
    def test_is_not_sent_twice_on_one_day(self, clinic: Clinic) -> None:
        patient = owing(clinic)
        actions.send_statement(patient=patient, by=clinic.biller)
        with pytest.raises(SentToday):
            actions.send_statement(patient=patient, by=clinic.biller)
        assert (Statement.objects.count(), Message.objects.filter(kind="statement").count()) == (1, 1)

    def test_by_two_desks_at_once_is_sent_once(self, committed_clinic: Clinic) -> None:
        clinic = committed_clinic
        patient = owing(clinic)
        together(*[lambda: actions.send_statement(patient=patient, by=clinic.biller)] * 2)
        assert Statement.objects.count() == 1

    def test_is_sent_again_tomorrow(self, clinic: Clinic) -> None:
        patient = owing(clinic)
        made = actions.send_statement(patient=patient, by=clinic.biller)
        with time_machine.travel(made.made_at + dt.timedelta(days=1)):
            assert actions.send_statement(patient=patient, by=clinic.biller).number != made.number

    def test_is_another_bill_once_something_was_paid(self, clinic: Clinic) -> None:
        patient = owing(clinic)
        actions.send_statement(patient=patient, by=clinic.biller)
        pay(clinic, patient, "10.00")
        assert actions.send_statement(patient=patient, by=clinic.biller).balance == D("30.00")


def test_a_credit_is_nobodys_bill(clinic: Clinic) -> None:
    """A patient the practice owes money gets no bill of less than nothing."""
    claim = clinic.sent()
    first = answer(claim, *at.PAID_IN_PART)
    actions.take_file(data=file_of(first), name="era", by=clinic.biller)
    pay(clinic, clinic.ids["patient"])
    actions.take_file(
        data=file_of(at.taken_back(first), answer(claim, at.Adjustment("CO", "45", D("43.00"))), trace="T2"), name="era2", by=clinic.biller
    )
    with pytest.raises(NothingToBill, match="owes nothing"):
        actions.send_statement(patient=clinic.ids["patient"], by=clinic.biller)
