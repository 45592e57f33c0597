"""Two records of one person, at the front desk: found, compared, merged, taken apart."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from openward.accounts.models import User
from openward.billing import ledger
from openward.fhir.errors import Forbidden, Refused
from openward.fhir.resources import Extension, HumanName, Observation, Patient, Provenance
from openward.record import open_store, unit_of_work
from openward.registration import merging, queries
from openward.web.banner import replaced_by
from tests import cast

pytestmark = pytest.mark.django_db
DESK = cast.staff("front-desk")


@pytest.fixture
def desk() -> Client:
    client = Client()
    client.force_login(User.objects.create_user(sign_in="desk@example", password=None, role="front-desk", name="Robin Diaz"))
    return client


def registered(given: str, **more: Any) -> str:
    with unit_of_work(by=cast.system()) as work:
        name = [HumanName(family="Okafor", given=[given])]
        return str(work.store.create(Patient(name=name, birthDate="1980-02-03", gender="female", active=True, **more)).id)


@pytest.fixture
def ada() -> str:
    return registered("Ada")


@pytest.fixture
def double() -> str:
    """The same person again, with a pulse taken."""
    id = registered("Adah")
    with unit_of_work(by=cast.system()) as work:
        work.store.create({"resourceType": "Observation", "status": "final", "code": {"text": "Pulse"}, "subject": {"reference": f"Patient/{id}"}})
    return id


def test_who_was_said_to_be_a_different_person_is_not_merged_unwarned(desk: Client, ada: str) -> None:
    """Twins have one family name, one birth date and often one address: the reason the desk gave when registering the second stands by the button."""
    twin = registered("Ade", extension=[Extension(url="urn:openward:different-person", valueString="Her twin sister")])
    shown = text(desk.get(reverse("registration:merge", args=[ada, twin])))
    assert ("different person" in shown, "Her twin sister" in shown) == (True, True)


def pulse() -> str:
    (found,) = open_store(cast.system()).search(Observation).resources
    return str(found.subject.target_id) if found.subject else ""


def text(response: Any) -> str:
    return str(response.content.decode())


class TestAtTheDesk:
    def test_the_other_record_is_found_and_why(self, desk: Client, ada: str, double: str) -> None:
        page = text(desk.get(reverse("registration:duplicates", args=[ada])))
        assert "OKAFOR, Adah" in page
        assert "ame birth date" in page
        assert reverse("registration:merge", args=[ada, double]) in page

    def test_nobody_alike_is_said(self, desk: Client, ada: str) -> None:
        assert "No other record is like this one" in text(desk.get(reverse("registration:duplicates", args=[ada])))

    def test_both_are_shown_with_what_differs_and_what_would_move(self, desk: Client, ada: str, double: str) -> None:
        page = text(desk.get(reverse("registration:merge", args=[ada, double])))
        assert "OKAFOR, Adah" in page
        assert "differs" in page
        assert "1 entry moves: readings and results 1" in page
        assert "Nothing has to move." in page
        assert pulse() == double

    @pytest.mark.parametrize("stays", ["ada", "double"])
    def test_the_one_chosen_stays(self, desk: Client, ada: str, double: str, stays: str) -> None:
        keep = {"ada": ada, "double": double}[stays]
        response = desk.post(reverse("registration:merge", args=[ada, double]), {"keep": keep})
        assert response["Location"] == reverse("registration:patient", args=[keep])
        assert pulse() == keep
        gone = open_store(cast.system()).read(Patient, double if keep == ada else ada)
        assert (gone.active, replaced_by(gone)) == (False, keep)

    def test_the_merge_is_shown_and_undone(self, desk: Client, ada: str, double: str) -> None:
        desk.post(reverse("registration:merge", args=[ada, double]), {"keep": ada})
        (merged,) = merging.merges(open_store(DESK), ada)
        undo = reverse("registration:undo-merge", args=[ada, merged.task])
        assert undo in text(desk.get(reverse("registration:patient", args=[ada])))
        assert desk.post(undo).status_code == 303
        assert pulse() == double
        assert merging.merges(open_store(DESK), ada) == []

    def test_the_record_that_went_points_to_the_one_that_stays_and_is_no_longer_found(self, desk: Client, ada: str, double: str) -> None:
        merging.merge(by=DESK, source=double, target=ada)
        assert reverse("registration:patient", args=[ada]) in text(desk.get(reverse("registration:patient", args=[double])))
        assert [str(one.patient.id) for one in queries.find(open_store(DESK), "okafor")] == [ada]

    def test_the_old_number_finds_the_record_that_stays(self, ada: str, double: str) -> None:
        number = queries.number_of(open_store(DESK).read(Patient, double))
        merging.merge(by=DESK, source=double, target=ada)
        assert [str(one.patient.id) for one in queries.find(open_store(DESK), number)] == [ada]

    def test_what_cannot_be_merged_is_said_on_the_page(self, desk: Client, ada: str, double: str) -> None:
        merging.merge(by=DESK, source=double, target=ada)
        third = registered("Third")
        response = desk.get(reverse("registration:merge", args=[third, double]))
        assert response.status_code == 422
        assert "These records cannot be merged" in text(response)

    def test_a_record_is_not_merged_with_itself(self, desk: Client, ada: str) -> None:
        assert desk.get(reverse("registration:merge", args=[ada, ada])).status_code == 404


class TestWhoMay:
    @pytest.mark.parametrize("role", ["nurse", "clinician", "biller", "manager", "it-agent", "privacy-officer"])
    def test_without_the_permission_nothing_moves(self, ada: str, double: str, role: str) -> None:
        with pytest.raises(Forbidden):
            merging.merge(by=cast.staff(role), source=double, target=ada)
        assert pulse() == double

    def test_the_record_says_on_whose_behalf(self, ada: str, double: str) -> None:
        merging.merge(by=DESK, source=double, target=ada)
        (made,) = open_store(cast.system()).search(Provenance).resources
        assert made.agent[0].who.display == "Front desk"


def test_a_record_with_an_open_balance_stays_until_it_is_settled(ada: str, double: str) -> None:
    amount = Decimal("25.00")
    lines = [ledger.debit(ledger.PATIENT, amount, patient=double), ledger.credit(ledger.REVENUE, amount)]
    with unit_of_work(by=cast.system()) as work:
        ledger.post(work, ledger.Posting("test", ("test", "1"), dt.date(2026, 11, 3), "Visit", lines))
    with pytest.raises(Refused, match="balance"):
        merging.merge(by=DESK, source=double, target=ada)
    assert pulse() == double
    merging.merge(by=DESK, source=ada, target=double)
