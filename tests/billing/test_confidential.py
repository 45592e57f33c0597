"""A young person's confidential visits on the bills others open: the proxy's pages, papers and links show neither service nor amount."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from openward.access.actor import Actor
from openward.access.known import changing
from openward.access.models import ProxyGrant
from openward.access.proxies import as_proxy
from openward.accounts.models import User
from openward.billing import actions, ledger
from openward.billing.cards import Card
from openward.billing.errors import NothingToBill, WrongAmount
from openward.billing.models import ClaimRow, Payment, PaymentLink, Statement
from openward.billing.queries import confidential
from openward.billing.queries.balances import patient_balance
from openward.fhir.ids import key
from openward.fhir.resources import Claim, ExplanationOfBenefit, Invoice
from openward.outbox.models import Message
from openward.record import open_store, unit_of_work
from tests import cast
from tests.billing.clinic import PAID_IN_PART, Clinic, answer, file_of, patient

pytestmark = pytest.mark.django_db
D = Decimal
CARD = Card("4242 4242 4242 4242", 12, 2099, "123", "Teen")
SHARE = D("40.00")  # of each visit, by PAID_IN_PART


def born(years: int) -> str:
    return (timezone.localdate() - dt.timedelta(days=int(years * 365.25) + 30)).isoformat()


def billed(clinic: Clinic, name: str, *codes: str) -> Claim:
    """A visit whose claim the payer answered: the patient owes $40 of it."""
    visit = clinic.visit(name, "teen", codes=codes)
    claim = actions.claim_signed_visit(visit=str(visit.id), by=cast.system("bill"))
    assert claim is not None
    actions.submit(claims=[str(claim.id)], by=cast.system("send"))
    actions.take_file(data=file_of(answer(clinic.read(claim), *PAID_IN_PART), trace=f"T-{name}"), name=name, by=clinic.biller)
    return clinic.read(claim)


@pytest.fixture
def teen(clinic: Clinic) -> str:
    """One who is fifteen: an ordinary visit, and one for contraception. $80 are owed, $40 of it confidential."""
    id = str(clinic.make("teen", patient("Okafor", "Tess", birthDate=born(15))).id)
    clinic.make("teen-coverage", clinic.coverage("teen"))
    billed(clinic, "cold", "J00")
    billed(clinic, "private", "Z30.011")
    assert patient_balance(1, id) == 2 * SHARE
    return id


@pytest.fixture
def mum(clinic: Clinic, teen: str) -> User:
    user = User.objects.create_user(sign_in="mum", password=None, role="patient", name="Mum")
    facts: dict[str, Any] = {"kind": "parent", "areas": ["bills", "health"], "related": "RelatedPerson/x", "given_by": "desk"}
    with changing():
        ProxyGrant.objects.create(tenant=1, user_id=user.id, patient=key("Patient", teen), reference=f"Patient/{teen}", **facts)
    return user


def acting(user: User, teen: str) -> Actor:
    made = as_proxy(user.actor(), f"Patient/{teen}")
    assert made is not None
    return made


@pytest.fixture
def hers(mum: User) -> Client:
    made = Client()
    made.force_login(mum)
    return made


@pytest.fixture
def own(clinic: Clinic, teen: str) -> Client:
    made = Client()
    made.force_login(User.objects.create_user(sign_in="tess", password=None, role="patient", name="Tess", reference=f"Patient/{teen}"))
    return made


def old_statement(clinic: Clinic, teen: str, labels: list[str] | None) -> Statement:
    """One that was made when the visit was not yet kept off paper."""
    return Statement.objects.create(
        tenant=1, id="0199c1f0-0000-7000-8000-00000000aaaa", number="ST9", patient=teen, invoice="x", balance=D("80.00"), made_by="x",
        due_on=timezone.localdate(), pdf=b"%PDF-old", paperless=False, labels=labels,
    )  # fmt: skip


class TestTheProxysPages:
    def test_show_the_ordinary_visit_alone(self, hers: Client) -> None:
        page = hers.get("/portal/bills").content.decode()
        assert "$40.00" in page
        assert "$80.00" not in page
        number = ClaimRow.objects.get(labels=["SEX"]).number
        assert number not in page

    def test_ask_for_what_is_shown(self, hers: Client) -> None:
        assert "$40.00" in hers.get("/portal/bills/pay").content.decode()
        assert "$80.00" not in hers.get("/portal/").content.decode()

    def test_of_the_patient_show_everything(self, own: Client) -> None:
        assert "$80.00" in own.get("/portal/bills").content.decode()

    def test_of_a_small_childs_parent_show_everything(self, clinic: Clinic, teen: str, hers: Client) -> None:
        clinic.change("Patient", teen, birthDate=born(6))
        assert "$80.00" in hers.get("/portal/bills").content.decode()

    def test_show_no_statement_that_tells_of_it(self, clinic: Clinic, teen: str, hers: Client, own: Client) -> None:
        old_statement(clinic, teen, ["SEX"])
        assert "ST9" not in hers.get("/portal/bills").content.decode()
        assert hers.get("/portal/bills/statements/ST9").status_code == 404
        assert own.get("/portal/bills/statements/ST9").status_code == 200

    def test_show_no_statement_of_which_it_is_not_known(self, clinic: Clinic, teen: str, hers: Client) -> None:
        old_statement(clinic, teen, None)
        assert hers.get("/portal/bills/statements/ST9").status_code == 404

    def test_show_a_statement_of_ordinary_visits(self, clinic: Clinic, teen: str, hers: Client) -> None:
        made = actions.send_statement(patient=teen, by=clinic.biller)
        assert made.number in hers.get("/portal/bills").content.decode()
        assert hers.get(f"/portal/bills/statements/{made.number}").status_code == 200

    def test_hide_a_visit_without_insurance_too(self, clinic: Clinic, teen: str, mum: User) -> None:
        visit = clinic.visit("uninsured", "teen", codes=("A56.01",))
        actions.propose_charges(visit=str(visit.id), by=cast.system())
        actions.bill_patient(visit=str(visit.id), by=cast.system())
        assert patient_balance(1, teen) == D("223.00")
        assert confidential.balance(1, teen, confidential.hides_from(acting(mum, teen), teen)) == SHARE


class TestTheProxysApp:
    def test_shows_no_answer_of_the_payer_about_it(self, mum: User, teen: str) -> None:
        found = open_store(acting(mum, teen)).search(ExplanationOfBenefit, {"patient": f"Patient/{teen}"}).resources
        assert len(found) == 1
        assert len(open_store(cast.patient(teen)).search(ExplanationOfBenefit, {}).resources) == 2


class TestPaying:
    def test_more_than_is_shown_is_refused_without_telling_what_is_owed(self, mum: User, teen: str) -> None:
        with pytest.raises(WrongAmount) as refused:
            actions.pay_balance(patient=teen, amount=D("40.01"), card=CARD, by=acting(mum, teen), idempotency_key="a")
        assert "$40.00" in str(refused.value)
        assert "80" not in str(refused.value)

    def test_what_is_shown_leaves_the_rest_to_the_patient(self, mum: User, teen: str) -> None:
        by = acting(mum, teen)
        first = actions.pay_balance(patient=teen, amount=SHARE, card=CARD, by=by, idempotency_key="a")
        assert actions.pay_balance(patient=teen, amount=SHARE, card=CARD, by=by, idempotency_key="a").id == first.id
        assert patient_balance(1, teen) == SHARE
        assert confidential.balance(1, teen, confidential.hides_from(by, teen)) == 0

    def test_by_the_patient_for_the_confidential_visit_is_not_told_to_the_proxy(self, mum: User, own: Client, teen: str) -> None:
        tess = User.objects.get(sign_in="tess").actor()
        actions.pay_balance(patient=teen, amount=SHARE, card=CARD, by=tess, idempotency_key="b")
        lines = confidential.activity(1, teen, confidential.hides_from(acting(mum, teen), teen))
        assert [line.kind for line in lines] == ["answer"]
        assert lines[-1].running == SHARE

    def test_never_makes_the_proxy_owe_more_than_is_owed(self, clinic: Clinic, mum: User, own: Client, teen: str) -> None:
        tess = User.objects.get(sign_in="tess").actor()
        actions.pay_balance(patient=teen, amount=D("75.00"), card=CARD, by=tess, idempotency_key="b")
        assert confidential.activity(1, teen, confidential.hides_from(acting(mum, teen), teen))[-1].running == D("5.00")

    def test_at_the_desk_for_all_leaves_nothing_to_the_proxy(self, clinic: Clinic, mum: User, teen: str) -> None:
        actions.take_payment(patient=teen, amount=2 * SHARE, method="cash", by=clinic.biller, idempotency_key="c")
        assert confidential.activity(1, teen, confidential.hides_from(acting(mum, teen), teen))[-1].running == 0


class TestPaper:
    def test_of_a_young_person_leaves_without_the_visit(self, clinic: Clinic, teen: str) -> None:
        made = actions.send_statement(patient=teen, by=clinic.biller)
        assert (made.balance, made.labels) == (SHARE, [])
        invoice = clinic.store.read(Invoice, made.invoice)
        assert len(invoice.lineItem) == 1

    def test_of_nothing_but_the_visit_does_not_leave(self, clinic: Clinic, teen: str) -> None:
        actions.take_payment(patient=teen, amount=SHARE, method="cash", by=clinic.biller, idempotency_key="c")
        with pytest.raises(NothingToBill, match="not put on paper"):
            actions.send_statement(patient=teen, by=clinic.biller)
        assert not Statement.objects.exists()

    def test_of_a_grown_patient_tells_all(self, clinic: Clinic, teen: str) -> None:
        clinic.change("Patient", teen, birthDate=born(30))
        made = actions.send_statement(patient=teen, by=clinic.biller)
        assert (made.balance, made.labels) == (2 * SHARE, ["SEX"])

    def test_receipts_say_what_is_left_of_the_ordinary_part(self, clinic: Clinic, teen: str) -> None:
        from openward.billing.actions.payments import on_paper

        assert on_paper(1, teen) == SHARE


class TestALinkToPay:
    def url(self, clinic: Clinic, teen: str) -> str:
        actions.text_to_pay(patient=teen, by=clinic.biller)
        body = Message.objects.latest("id").body
        assert "Okafor" not in body
        assert "$" not in body
        return body[body.index("http") :].split("/pay/", 1)[1].strip()

    def test_asks_for_the_ordinary_part(self, clinic: Clinic, teen: str, client: Client) -> None:
        token = self.url(clinic, teen)
        page = client.get(reverse("billing:pay", kwargs={"token": token})).content.decode()
        assert "40.00" in page
        assert "80.00" not in page

    def test_takes_no_more_than_that(self, clinic: Clinic, teen: str) -> None:
        token = self.url(clinic, teen)
        with pytest.raises(WrongAmount):
            actions.pay_by_link(token=token, amount=D("41.00"), card=CARD, idempotency_key="x")
        actions.pay_by_link(token=token, amount=SHARE, card=CARD, idempotency_key="x")
        assert Payment.objects.get().amount == SHARE

    def test_is_not_sent_for_the_visit_alone(self, clinic: Clinic, teen: str) -> None:
        actions.take_payment(patient=teen, amount=SHARE, method="cash", by=clinic.biller, idempotency_key="c")
        with pytest.raises(WrongAmount):
            actions.text_to_pay(patient=teen, by=clinic.biller)
        assert not PaymentLink.objects.exists()


def test_a_posting_without_claim_or_visit_is_shown_to_all(clinic: Clinic, teen: str, mum: User) -> None:
    with unit_of_work(by=cast.system()) as work:
        lines = [ledger.debit(ledger.PATIENT, D("5.00"), patient=teen), ledger.credit(ledger.REVENUE, D("5.00"), patient=teen)]
        ledger.post(work, ledger.Posting("decision", ("decision", "fee"), timezone.localdate(), "Form fee", lines))
    assert confidential.balance(1, teen, confidential.hides_from(acting(mum, teen), teen)) == D("45.00")
