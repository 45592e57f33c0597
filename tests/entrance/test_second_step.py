"""The second step: who has one is not in before it, by no address; no code works twice; and roles can demand one."""

from __future__ import annotations

import datetime as dt
import re
import time

import pytest
import time_machine
from allauth.mfa.models import Authenticator as Row
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from openward.accounts import factors
from openward.accounts.models import User
from tests.entrance.conftest import PASSWORD, SIGN_IN, events, grows_stale, is_inside, signs_in

pytestmark = pytest.mark.django_db
SECOND = "/account/second-step"


def code(secret: str, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def sets_up_an_app(client: Client) -> tuple[str, list[str]]:
    """The secret the page showed, and the recovery codes."""
    page = client.get("/account/set-up/app").content.decode()
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page)[1].replace(" ", "")  # type: ignore[index]
    done = client.post("/account/set-up/app", {"code": code(secret)})
    assert done.status_code in (200, 303), done.content.decode()
    return secret, re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", done.content.decode())


@pytest.fixture
def app(client: Client, nurse: User) -> tuple[str, list[str]]:
    signs_in(client, nurse)
    made = sets_up_an_app(client)
    client.post("/account/sign-out")
    return made


def later() -> time_machine.travel:
    """The next code but one: the first was used up by setting up."""
    return time_machine.travel(time.time() + 60)


class TestACodeOfTheApp:
    def test_after_the_password_opens(self, client: Client, nurse: User, app: tuple[str, list[str]]) -> None:
        with later():
            assert signs_in(client, nurse, next="/desk/mine")["Location"] == SECOND
            assert client.post(SECOND, {"code": code(app[0])})["Location"] == "/desk/mine"
            assert is_inside(client)

    def test_works_once(self, client: Client, nurse: User, app: tuple[str, list[str]]) -> None:
        with later():
            used = code(app[0])
            signs_in(client, nurse)
            client.post(SECOND, {"code": used})
            thief = Client()
            signs_in(thief, nurse)
            assert thief.post(SECOND, {"code": used}).status_code == 422
            assert not is_inside(thief)

    def test_that_set_the_app_up_does_not_work_again(self, client: Client, nurse: User) -> None:
        with time_machine.travel(time.time(), tick=False):  # a half-minute that ends in between would bring another code
            signs_in(client, nurse)
            secret, _ = sets_up_an_app(client)
            client.post("/account/sign-out")
            signs_in(client, nurse)
            assert client.post(SECOND, {"code": code(secret)}).status_code == 422

    def test_of_an_hour_ago_does_not_open(self, client: Client, nurse: User, app: tuple[str, list[str]]) -> None:
        signs_in(client, nurse)
        assert client.post(SECOND, {"code": code(app[0], steps=-120)}).status_code == 422

    def test_may_be_half_a_minute_off(self, client: Client, nurse: User, app: tuple[str, list[str]]) -> None:
        with later():
            signs_in(client, nurse)
            assert client.post(SECOND, {"code": code(app[0], steps=1)}).status_code == 302

    def test_guessed_five_times_locks_also_with_the_right_password_in_between(self, client: Client, nurse: User, app: tuple[str, list[str]]) -> None:
        for _ in range(5):
            signs_in(client, nurse)
            client.post(SECOND, {"code": "000000"})
        with later():
            assert signs_in(client, nurse).status_code == 422
        assert events("sign-in", 4, "second step refused") == 5

    def test_secret_stands_sealed_in_the_database(self, nurse: User, app: tuple[str, list[str]]) -> None:
        row = Row.objects.get(user=nurse, type="totp")
        assert app[0] not in str(row.data)

    def test_secret_on_its_way_stands_sealed_in_the_session(self, client: Client, nurse: User) -> None:
        signs_in(client, nurse)
        page = client.get("/account/set-up/app").content.decode()
        secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page)[1].replace(" ", "")  # type: ignore[index]
        assert secret not in str(dict(client.session.items()))


class TestARecoveryCode:
    def test_opens_once(self, client: Client, nurse: User, app: tuple[str, list[str]]) -> None:
        for expected in (302, 422):
            signs_in(client, nurse)
            assert client.post(SECOND, {"code": app[1][0]}).status_code == expected
            client.post("/account/sign-out")

    def test_is_taken_however_it_is_typed(self, client: Client, nurse: User, app: tuple[str, list[str]]) -> None:
        signs_in(client, nurse)
        assert client.post(SECOND, {"code": f" {app[1][0].upper().replace('-', ' ')} "}).status_code == 302

    def test_there_are_ten_and_only_digests_are_kept(self, nurse: User, app: tuple[str, list[str]]) -> None:
        assert len(set(app[1])) == 10
        assert app[1][0].replace("-", "") not in str(Row.objects.get(user=nurse, type="recovery_codes").data)

    def test_of_the_old_ten_opens_nothing_once_there_are_new_ones(self, client: Client, nurse: User, app: tuple[str, list[str]]) -> None:
        signs_in(client, nurse)
        client.post(SECOND, {"code": app[1][0]})
        client.post("/account/security/recovery-codes")
        client.post("/account/sign-out")
        signs_in(client, nurse)
        assert client.post(SECOND, {"code": app[1][1]}).status_code == 422

    def test_of_another_person_opens_nothing(self, client: Client, nurse: User, app: tuple[str, list[str]]) -> None:
        other = User.objects.create_user(sign_in="o@example.org", password=PASSWORD, role="nurse", name="Oda")
        factors.new_recovery_codes(other)
        with pytest.raises(factors.WrongCode):
            factors.check_recovery(other, app[1][0])


class TestBetweenTheSteps:
    @pytest.mark.parametrize(
        "path", ["/", "/desk/mine", "/account/security", "/account/set-up", "/account/set-up/app", "/account/locked", "/patients/"]
    )
    def test_no_address_leads_past_the_second_step(self, client: Client, nurse: User, app: tuple[str, list[str]], path: str) -> None:
        signs_in(client, nurse)
        assert client.get(path).status_code in (302, 303)

    def test_a_second_factor_of_ones_own_cannot_be_added(self, client: Client, nurse: User, app: tuple[str, list[str]]) -> None:
        signs_in(client, nurse)
        client.post("/account/set-up/app", {"code": "000000"})
        assert len(factors.of(nurse)) == 1

    def test_ten_minutes_are_the_end_of_it(self, client: Client, nurse: User, app: tuple[str, list[str]]) -> None:
        signs_in(client, nurse)
        with time_machine.travel(time.time() + 11 * 60):
            client.post(SECOND, {"code": code(app[0])})
            assert not is_inside(client)

    @pytest.mark.parametrize("meanwhile", [{"is_active": False}, {"locked_until": timezone.now() + dt.timedelta(days=1)}], ids=["ended", "locked"])
    def test_who_is_ended_or_locked_meanwhile_gets_no_further(
        self, client: Client, nurse: User, app: tuple[str, list[str]], meanwhile: dict[str, object]
    ) -> None:
        signs_in(client, nurse)
        User.objects.filter(pk=nurse.pk).update(**meanwhile)
        assert client.post(SECOND, {"code": app[1][0]})["Location"] == SIGN_IN
        assert len(Row.objects.get(user=nurse, type=Row.Type.RECOVERY_CODES).data["digests"]) == 10, "the code was not even looked at"

    def test_who_proved_nothing_is_sent_to_sign_in(self, client: Client) -> None:
        assert client.get(SECOND)["Location"] == SIGN_IN

    def test_a_session_of_before_is_gone(self, client: Client, nurse: User, app: tuple[str, list[str]]) -> None:
        other = User.objects.create_user(sign_in="o@example.org", password=PASSWORD, role="nurse", name="Oda")
        signs_in(client, other)
        signs_in(client, nurse)
        assert not is_inside(client)


class TestARoleThatDemandsIt:
    @pytest.fixture(autouse=True)
    def demanded(self, settings: LazySettings) -> None:
        settings.OPENWARD_MFA_ROLES = frozenset({"staff"})

    def test_lets_nobody_in_by_password_alone(self, client: Client, nurse: User) -> None:
        assert signs_in(client, nurse)["Location"] == "/account/set-up"
        assert not is_inside(client)

    def test_lets_in_who_sets_an_app_up_and_shows_recovery_codes(self, client: Client, nurse: User) -> None:
        signs_in(client, nurse)
        assert len(sets_up_an_app(client)[1]) == 10
        assert is_inside(client)

    def test_lets_nobody_replace_by_password_alone_what_was_set_up_meanwhile(self, client: Client, nurse: User) -> None:
        """Whoever stole the password stands at the same page; the first to set a factor up is asked for it from then on."""
        thief = Client()
        signs_in(thief, nurse)
        signs_in(client, nurse)
        secret = sets_up_an_app(client)[0]
        assert thief.get("/account/set-up/app").status_code == 303
        thief.post("/account/set-up/app", {"code": "000000"})
        assert not is_inside(thief)
        with later():
            again = Client()
            signs_in(again, nurse)
            again.post(SECOND, {"code": code(secret)})
            assert is_inside(again)

    def test_asks_no_patient(self, client: Client) -> None:
        patient = User.objects.create_user(sign_in="p@example.org", password=PASSWORD, role="patient", name="Pat", reference="Patient/x")
        assert signs_in(client, patient)["Location"] == "/"

    def test_does_not_let_the_last_one_be_removed(self, client: Client, nurse: User) -> None:
        signs_in(client, nurse)
        sets_up_an_app(client)
        client.post(f"/account/security/factors/{factors.of(nurse)[0].pk}/remove")
        assert len(factors.of(nurse)) == 1

    def test_can_be_one_role(self, client: Client, nurse: User, settings: LazySettings) -> None:
        settings.OPENWARD_MFA_ROLES = frozenset({"administrator"})
        assert signs_in(client, nurse)["Location"] == "/"


class TestChangingFactors:
    @pytest.mark.parametrize(
        ("method", "path"),
        [("get", "/account/set-up"), ("get", "/account/set-up/app"), ("post", "/account/set-up/passkey"), ("post", "/account/security/recovery-codes"),
         ("post", "/account/security/passkey-only"), ("get", "/account/security/pin"), ("post", "/account/security/factors/1/remove"), ("post", "/account/elsewhere/hospital/disconnect")],
    )  # fmt: skip
    def test_asks_for_a_fresh_proof(self, client: Client, nurse: User, method: str, path: str) -> None:
        signs_in(client, nurse)
        grows_stale(client)
        assert getattr(client, method)(path)["Location"].startswith("/account/security/again?next=")

    def test_goes_on_after_the_password(self, client: Client, nurse: User) -> None:
        signs_in(client, nurse)
        grows_stale(client)
        assert client.post("/account/security/again", {"password": PASSWORD, "next": "/account/set-up"})["Location"] == "/account/set-up"
        assert client.get("/account/set-up").status_code == 200

    def test_does_not_go_on_after_a_wrong_one_and_five_sign_out(self, client: Client, nurse: User) -> None:
        signs_in(client, nurse)
        grows_stale(client)
        assert [client.post("/account/security/again", {"password": "wrong"}).status_code for _ in range(5)] == [422] * 4 + [302]
        assert not is_inside(client)

    def test_of_another_person_is_not_possible(self, client: Client, nurse: User, app: tuple[str, list[str]]) -> None:
        other = User.objects.create_user(sign_in="o@example.org", password=PASSWORD, role="nurse", name="Oda")
        signs_in(client, other)
        assert client.post(f"/account/security/factors/{factors.of(nurse)[0].pk}/remove").status_code == 404
        assert len(factors.of(nurse)) == 1
