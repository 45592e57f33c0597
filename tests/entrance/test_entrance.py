"""The sign-in page, sessions and invitations, as a browser meets them."""

from __future__ import annotations

import time

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from openward.accounts import resets
from openward.accounts.actions import invite_patient, make_user
from openward.accounts.models import User
from openward.audit.models import AuditEvent
from openward.fhir.resources import HumanName, Patient
from openward.record import open_store
from tests import cast

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
SIGN_IN = "/account/sign-in"


@pytest.fixture
def nurse() -> User:
    return make_user(sign_in="nurse@example.org", password=PASSWORD, role="nurse", name="Nell Night")


def events(interaction: str, outcome: int) -> int:
    return AuditEvent.objects.filter(interaction=interaction, outcome=outcome).count()


class TestSigningIn:
    def test_opens_the_home_and_leaves_an_event(self, client: Client, nurse: User) -> None:
        answer = client.post(SIGN_IN, {"sign_in": "nurse@example.org", "password": PASSWORD})
        assert (answer.status_code, answer["Location"]) == (302, "/")
        assert events("sign-in", 0) == 1

    def test_goes_back_to_where_one_wanted_to_go(self, client: Client, nurse: User) -> None:
        answer = client.post(SIGN_IN, {"sign_in": "nurse@example.org", "password": PASSWORD, "next": "/desk/mine"})
        assert answer["Location"] == "/desk/mine"

    @pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "http:///evil.example"])
    def test_never_leads_to_another_site(self, client: Client, nurse: User, elsewhere: str) -> None:
        answer = client.post(SIGN_IN, {"sign_in": "nurse@example.org", "password": PASSWORD, "next": elsewhere})
        assert answer["Location"] == "/"

    def test_with_a_wrong_password_says_no_more_than_that_and_leaves_an_event(self, client: Client, nurse: User) -> None:
        wrong = client.post(SIGN_IN, {"sign_in": "nurse@example.org", "password": "wrong"})
        unknown = client.post(SIGN_IN, {"sign_in": "nobody@example.org", "password": "wrong"})
        assert wrong.status_code == unknown.status_code == 422
        assert "do not belong together" in wrong.content.decode()
        assert "do not belong together" in unknown.content.decode()
        assert events("sign-in", 4) == 2

    def test_gives_a_new_session_key(self, client: Client, nurse: User) -> None:
        client.get(SIGN_IN)
        session = client.session
        session["before"] = True
        session.save()
        client.cookies["openward_session"] = session.session_key
        client.post(SIGN_IN, {"sign_in": "nurse@example.org", "password": PASSWORD})
        assert client.session.session_key != session.session_key

    def test_cookies_are_out_of_reach_of_scripts_and_other_sites(self, client: Client, nurse: User) -> None:
        client.post(SIGN_IN, {"sign_in": "nurse@example.org", "password": PASSWORD})
        cookie = client.cookies["openward_session"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        client.get("/account/password")
        assert client.cookies["openward_csrf"]["samesite"] == "Lax"


class TestASession:
    @pytest.fixture
    def inside(self, client: Client, nurse: User) -> Client:
        client.post(SIGN_IN, {"sign_in": "nurse@example.org", "password": PASSWORD})
        client.get("/desk/mine")
        return client

    def test_ends_after_half_an_hour_of_nothing(self, inside: Client) -> None:
        with time_machine.travel(time.time() + 31 * 60):
            assert inside.get("/desk/mine").status_code == 302

    def test_is_not_kept_alive_by_what_pages_ask_by_themselves(self, inside: Client) -> None:
        start = time.time()
        for minute in (10, 20, 29):
            with time_machine.travel(start + minute * 60):
                inside.get("/desk/mine", headers={"X-Openward-Background": "1"})
        with time_machine.travel(start + 31 * 60):
            assert inside.get("/desk/mine").status_code == 302

    def test_goes_on_while_one_works(self, inside: Client) -> None:
        start = time.time()
        for minute in (10, 20, 30, 40):
            with time_machine.travel(start + minute * 60):
                assert inside.get("/desk/mine").status_code == 200

    def test_is_no_place_to_guess_the_password(self, inside: Client, nurse: User) -> None:
        """ASVS 6.3.1: wrong tries count at the form that changes the password as at every door."""
        wrong = {"current": "wrong", "password": "another horse battery", "again": "another horse battery"}
        assert [inside.post("/account/password", wrong).status_code for _ in range(5)] == [422] * 4 + [302]
        assert inside.get("/desk/mine").status_code == 302
        assert AuditEvent.objects.filter(interaction="sign-in", outcome=4, detail__contains="changing the password refused").count() == 5

    def test_ends_links_for_a_new_password_when_it_is_changed(self, inside: Client, nurse: User) -> None:
        token = resets.begin(nurse)
        inside.post("/account/password", {"current": PASSWORD, "password": "another horse battery", "again": "another horse battery"})
        assert Client().get(f"/account/reset/{token}").status_code == 410

    def test_ends_by_signing_out(self, inside: Client) -> None:
        inside.post("/account/sign-out")
        assert inside.get("/desk/mine").status_code == 302

    def test_of_someone_who_was_ended_is_over(self, inside: Client, nurse: User) -> None:
        User.objects.filter(pk=nurse.pk).update(is_active=False)
        assert inside.get("/desk/mine").status_code == 302

    def test_ends_elsewhere_when_the_password_changes(self, inside: Client, nurse: User) -> None:
        other = Client()
        other.post(SIGN_IN, {"sign_in": "nurse@example.org", "password": PASSWORD})
        new = "another good password"
        answer = inside.post("/account/password", {"current": PASSWORD, "password": new, "again": new})
        assert answer.status_code == 303
        assert inside.get("/desk/mine").status_code == 200
        assert other.get("/desk/mine").status_code == 302

    def test_pages_are_kept_by_no_cache(self, inside: Client) -> None:
        assert inside.get("/desk/mine")["Cache-Control"] == "no-store"


class TestAnInvitation:
    @pytest.fixture
    def link(self) -> str:
        open_store(cast.system()).update(Patient(id=cast.PATIENT_ID, name=[HumanName(family="Example", given=["Ada"])], birthDate="1985-03-27"))
        return reverse(
            "accounts:invitation", kwargs={"token": invite_patient(reference=f"Patient/{cast.PATIENT_ID}", name="Ada Example", by=cast.system())[1]}
        )

    def filled(self, **changed: object) -> dict[str, object]:
        return {
            "birth_month": 3,
            "birth_day": 27,
            "birth_year": 1985,
            "sign_in": "ada@example.org",
            "password": PASSWORD,
            "again": PASSWORD,
            **changed,
        }

    def test_leads_a_patient_into_the_portal(self, client: Client, link: str) -> None:
        assert client.post(link, self.filled())["Location"] == "/"
        assert client.get("/portal/").status_code == 200

    @pytest.mark.parametrize(
        ("changed", "words"),
        [({"birth_day": 28}, "not the birth date"), ({"birth_month": 2, "birth_day": 30}, "does not exist"), ({"again": "other"}, "not the same")],
    )
    def test_says_what_is_wrong_beside_the_field(self, client: Client, link: str, changed: dict[str, object], words: str) -> None:
        answer = client.post(link, self.filled(**changed))
        assert answer.status_code == 422
        assert words in answer.content.decode()

    def test_that_never_was_is_closed(self, client: Client) -> None:
        assert client.get("/account/invitation/nonsense").status_code == 410


@pytest.mark.parametrize(
    "path",
    [
        "/account/elsewhere/%00",
        "/account/elsewhere/%00/back",
        "/portal/bills/statements/%00",
        "/privacy/sharing/%00/withdraw",
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_address_with_a_character_that_no_address_has_is_not_there(client: Client, path: str, method: str) -> None:
    """PostgreSQL holds no NUL: asked for one, it raised, and anybody from the street could fill the log with crashes."""
    patient = User.objects.create_user(sign_in="nul@example.org", password=None, role="patient", name="P", reference="Patient/1")
    client.force_login(patient)
    assert getattr(client, method)(path).status_code in (404, 405)


def test_a_question_with_that_character_is_not_understood(client: Client) -> None:
    assert client.get("/desk/report?page=%00").status_code == 400
