"""Invitations handed over at the desk: by letter with a code, for patients and for those who look after them."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from openward.accounts.models import Invitation, User
from openward.fhir.resources import ContactPoint, HumanName, Patient
from openward.record import open_store
from tests import cast
from tests.entrance.conftest import PASSWORD, events

pytestmark = pytest.mark.django_db
LETTER = f"/account/invite/{cast.PATIENT_ID}"
CARER = {"who": "carer", "name": "Cara Carer", "birth_date": "1960-05-06", "proofed_by": "photo-id"}


@pytest.fixture
def desk(client: Client) -> Client:
    open_store(cast.system()).update(Patient(id=cast.PATIENT_ID, name=[HumanName(family="Example", given=["Ada"])], birthDate="1985-03-27"))
    client.force_login(User.objects.create_user(sign_in="desk@example.org", password=None, role="front-desk", name="Fay"))
    return client


def code_of(desk: Client, **filled: str) -> str:
    page = desk.post(LETTER, {"who": "patient", "proofed_by": "photo-id", **filled}).content.decode()
    return re.search(r'letter-code">([0-9A-Z]{5}-[0-9A-Z]{5})<', page)[1]  # type: ignore[index]


def accepts(code: str, birth: tuple[int, int, int], sign_in: str = "ada@example.org") -> tuple[Client, int]:
    client = Client()
    there = client.post("/account/invitation", {"code": code})
    if there.status_code != 302:
        return client, there.status_code
    year, month, day = birth
    filled = {"birth_year": year, "birth_month": month, "birth_day": day, "sign_in": sign_in, "password": PASSWORD, "again": PASSWORD}
    return client, client.post(there["Location"], filled).status_code


class TestALetter:
    def test_makes_the_patients_sign_in_by_code_and_birth_date(self, desk: Client) -> None:
        client, status = accepts(code_of(desk), (1985, 3, 27))
        assert (status, client.get("/portal/").status_code) == (302, 200)
        assert User.objects.get(sign_in="ada@example.org").reference == f"Patient/{cast.PATIENT_ID}"

    def test_is_typed_as_people_type(self, desk: Client) -> None:
        assert accepts(f" {code_of(desk).lower().replace('-', ' ')}", (1985, 3, 27))[1] == 302

    def test_opens_nothing_with_another_birth_date(self, desk: Client) -> None:
        assert accepts(code_of(desk), (1985, 3, 28))[1] == 422
        assert not User.objects.filter(sign_in="ada@example.org").exists()

    def test_works_once(self, desk: Client) -> None:
        code = code_of(desk)
        accepts(code, (1985, 3, 27))
        assert accepts(code, (1985, 3, 27), "other@example.org")[1] == 422

    def test_says_how_the_identity_was_proofed_and_by_whom(self, desk: Client) -> None:
        code_of(desk, proofed_by="known")
        assert Invitation.objects.get().proofed_by == "known"
        assert events("invite", detail="known") == 1

    def test_needs_the_proof(self, desk: Client) -> None:
        assert desk.post(LETTER, {"who": "patient"}).status_code == 422
        assert not Invitation.objects.exists()

    def test_code_is_not_kept(self, desk: Client) -> None:
        code = code_of(desk).replace("-", "").encode()
        assert code not in bytes(Invitation.objects.get().code_digest or b"")

    def test_code_is_tried_only_where_tries_are_counted(self, desk: Client) -> None:
        code = code_of(desk)
        assert Client().get(f"/account/invitation/{code}").status_code == 410

    def test_guessed_from_one_address_ends(self, client: Client) -> None:
        for _ in range(50):
            client.post("/account/invitation", {"code": "AAAAA-AAAAA"})
        assert "Too many wrong tries" in client.post("/account/invitation", {"code": "AAAAA-AAAAA"}).content.decode()

    def test_that_was_never_opened_leads_nowhere(self, client: Client) -> None:
        assert client.get("/account/invitation/by-code").status_code == 410


class TestACarer:
    def test_gets_a_sign_in_and_no_record(self, desk: Client) -> None:
        client, status = accepts(code_of(desk, **CARER), (1960, 5, 6), "cara@example.org")
        assert status == 302
        assert (User.objects.get(sign_in="cara@example.org").role, User.objects.get(sign_in="cara@example.org").reference) == ("patient", "")
        assert "Ada" not in client.get("/portal/").content.decode()

    def test_two_of_them_are_two(self, desk: Client) -> None:
        for name in ("cara@example.org", "carl@example.org"):
            assert accepts(code_of(desk, **CARER), (1960, 5, 6), name)[1] == 302
        assert User.objects.filter(reference="", role="patient").count() == 2

    def test_birth_date_is_kept_as_a_digest(self, desk: Client) -> None:
        code_of(desk, **CARER)
        assert "1960" not in Invitation.objects.get().birth_digest

    @pytest.mark.parametrize("lacking", [{"name": ""}, {"birth_date": ""}, {"birth_date": "1760-05-06"}, {"birth_date": "2999-01-01"}])
    def test_without_name_or_birth_date_is_not_invited(self, desk: Client, lacking: dict[str, str]) -> None:
        assert desk.post(LETTER, {**CARER, **lacking}).status_code == 422


class TestAChild:
    """A letter for a child ends in a parent's hands, and the sign-in it makes would see what the child may keep to themselves from twelve on."""

    def born(self, years: int) -> None:
        day = timezone.localdate() - dt.timedelta(days=int(years * 365.25) + 30)
        mail = [ContactPoint(system="email", value="mum@example.org")]
        open_store(cast.system()).update(Patient(id=cast.PATIENT_ID, name=[HumanName(family="Kid")], birthDate=day.isoformat(), telecom=mail))

    def test_gets_no_sign_in_of_their_own(self, desk: Client) -> None:
        self.born(8)
        answer = desk.post(LETTER, {"who": "patient", "proofed_by": "photo-id"})
        assert answer.status_code == 422
        assert "Invite who looks after them" in answer.content.decode()
        assert not Invitation.objects.exists()

    def test_is_looked_after_by_whom_the_desk_invites(self, desk: Client) -> None:
        self.born(8)
        assert code_of(desk, **CARER)

    def test_of_an_age_to_keep_things_gets_their_letter_in_person(self, desk: Client) -> None:
        self.born(15)
        assert code_of(desk)

    def test_of_that_age_gets_none_by_a_message_that_may_reach_a_parent(self, desk: Client) -> None:
        self.born(15)
        answer = desk.post(reverse("registration:invite", args=[cast.PATIENT_ID]))
        assert answer.status_code == 422
        assert "give it to the young person themselves" in answer.content.decode()
        assert not Invitation.objects.exists()
