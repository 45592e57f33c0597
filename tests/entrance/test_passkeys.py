"""Passkeys: one is a whole sign-in; nothing that is almost one is."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from openward.accounts import factors
from openward.accounts.models import User
from openward.outbox.models import Message
from tests.entrance.authenticator import Authenticator
from tests.entrance.conftest import PASSWORD, SIGN_IN, events, has_passkey, is_inside, options, signs_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(browser: Client, nurse: User) -> Authenticator:
    signs_in(browser, nurse)
    made = has_passkey(browser)
    browser.post("/account/sign-out")
    return made


class TestAPasskey:
    def test_is_a_whole_sign_in_without_a_name_or_a_password(self, browser: Client, key: Authenticator) -> None:
        answer = browser.post("/account/passkey", {"credential": key.answers(options(browser, "sign-in"))})
        assert answer.status_code == 302
        assert is_inside(browser)

    def test_leads_to_the_page_one_wanted_and_to_no_other_site(self, browser: Client, key: Authenticator) -> None:
        credential = key.answers(options(browser, "sign-in"))
        assert browser.post("/account/passkey", {"credential": credential, "next": "//evil.example"})["Location"] == "/"

    def test_gives_a_new_session_key(self, browser: Client, key: Authenticator) -> None:
        asked = options(browser, "sign-in")
        before = browser.cookies["openward_session"].value
        browser.post("/account/passkey", {"credential": key.answers(asked)})
        assert browser.cookies["openward_session"].value != before

    def test_leaves_an_event_when_made_and_when_used(self, browser: Client, key: Authenticator) -> None:
        browser.post("/account/passkey", {"credential": key.answers(options(browser, "sign-in"))})
        assert (events("add-factor"), events("sign-in", detail="passkey")) == (1, 1)

    def test_made_is_told_by_letter_without_a_name(self, key: Authenticator) -> None:
        letter = Message.objects.get(kind="sign-in-changed")
        assert "a passkey was added" in letter.body
        assert "Nell" not in letter.body

    def test_serves_as_the_second_step_after_a_password(self, browser: Client, nurse: User, key: Authenticator) -> None:
        assert signs_in(browser, nurse)["Location"] == "/account/second-step"
        browser.post("/account/second-step", {"credential": key.answers(options(browser, "second"))})
        assert is_inside(browser)

    def test_can_be_the_only_factor(self, browser: Client, nurse: User, key: Authenticator) -> None:
        browser.post("/account/passkey", {"credential": key.answers(options(browser, "sign-in"))})
        assert browser.post("/account/security/passkey-only").status_code == 303
        assert is_inside(browser)
        browser.post("/account/sign-out")
        assert browser.post(SIGN_IN, {"sign_in": nurse.sign_in, "password": PASSWORD}).status_code == 422
        browser.post("/account/passkey", {"credential": key.answers(options(browser, "sign-in"))})
        assert is_inside(browser)

    def test_that_is_the_only_way_in_is_not_removed(self, browser: Client, nurse: User, key: Authenticator) -> None:
        browser.post("/account/passkey", {"credential": key.answers(options(browser, "sign-in"))})
        browser.post("/account/security/passkey-only")
        browser.post(f"/account/security/factors/{factors.of(nurse)[0].pk}/remove")
        assert len(factors.of(nurse)) == 1

    def test_opens_also_while_the_password_is_locked_by_a_guesser(self, browser: Client, nurse: User, key: Authenticator) -> None:
        for _ in range(5):
            browser.post(SIGN_IN, {"sign_in": nurse.sign_in, "password": "guess"})
        browser.post("/account/passkey", {"credential": key.answers(options(browser, "sign-in"))})
        assert is_inside(browser)


class TestWhatIsAlmostAPasskey:
    def refused(self, browser: Client, credential: str) -> bool:
        answer = browser.post("/account/passkey", {"credential": credential})
        return answer.status_code == 422 and not is_inside(browser)

    def test_of_a_key_nobody_registered_is_refused(self, browser: Client, key: Authenticator) -> None:
        assert self.refused(browser, Authenticator(handle=key.handle).answers(options(browser, "sign-in")))

    def test_with_anothers_name_on_it_is_refused(self, browser: Client, key: Authenticator) -> None:
        from openward.accounts.actions import make_user
        from tests.entrance.authenticator import b64

        boss = make_user(sign_in="boss@example.org", password=PASSWORD, role="administrator", name="Bo")
        assert self.refused(browser, key.answers(options(browser, "sign-in"), handle=b64(boss.pk.hex.encode())))

    def test_from_another_site_is_refused(self, browser: Client, key: Authenticator) -> None:
        key.origin = "http://evil.example"
        assert self.refused(browser, key.answers(options(browser, "sign-in")))

    def test_without_finger_face_or_pin_is_refused(self, browser: Client, key: Authenticator) -> None:
        key.verifies = False
        assert self.refused(browser, key.answers(options(browser, "sign-in")))

    def test_for_an_older_challenge_is_refused(self, browser: Client, key: Authenticator) -> None:
        old = key.answers(options(browser, "sign-in"))
        options(browser, "sign-in")
        assert self.refused(browser, old)

    def test_used_before_is_refused(self, browser: Client, key: Authenticator) -> None:
        credential = key.answers(options(browser, "sign-in"))
        browser.post("/account/passkey", {"credential": credential})
        browser.post("/account/sign-out")
        assert self.refused(browser, credential)

    def test_of_a_copied_key_is_refused_by_its_counter(self, browser: Client, key: Authenticator) -> None:
        browser.post("/account/passkey", {"credential": key.answers(options(browser, "sign-in"))})
        browser.post("/account/sign-out")
        key.counter = 0
        assert self.refused(browser, key.answers(options(browser, "sign-in")))

    def test_of_someone_who_was_ended_is_refused(self, browser: Client, nurse: User, key: Authenticator) -> None:
        User.objects.filter(pk=nurse.pk).update(is_active=False)
        assert self.refused(browser, key.answers(options(browser, "sign-in")))

    @pytest.mark.parametrize(
        "credential",
        [
            "",
            "null",
            "[]",
            "{}",
            "nonsense",
            '{"id": 7}',
            '{"response": []}',
            '{"response": {"userHandle": "AAAA"}}',
            json.dumps({"id": "x" * 70_000}),
        ],
    )
    def test_and_is_garbage_is_refused(self, browser: Client, key: Authenticator, credential: str) -> None:
        options(browser, "sign-in")
        assert self.refused(browser, credential)

    def test_leaves_an_event(self, browser: Client, key: Authenticator) -> None:
        browser.post("/account/passkey", {"credential": "{}"})
        assert events("sign-in", 4, "passkey refused") == 1

    def test_without_finger_face_or_pin_serves_for_nothing(self, browser: Client, nurse: User, key: Authenticator) -> None:
        """Asked for wherever one is made or used: a stolen key alone is something one has and no more. https://www.w3.org/TR/webauthn-3/#user-verification"""
        assert options(browser, "sign-in")["userVerification"] == "required"
        key.verifies = False
        signs_in(browser, nurse)
        asked = options(browser, "second")
        assert asked["userVerification"] == "required"
        assert browser.post("/account/second-step", {"credential": key.answers(asked)}).status_code == 422
        assert not is_inside(browser)

    def test_is_made_with_finger_face_or_pin_only(self, browser: Client, nurse: User) -> None:
        signs_in(browser, nurse)
        asked = options(browser, "add")
        assert asked["authenticatorSelection"]["userVerification"] == "required"
        browser.post("/account/set-up/passkey", {"credential": Authenticator(verifies=False).creates(asked), "name": "my key"})
        assert not factors.of(nurse)

    def test_anothers_does_not_serve_as_my_second_step(self, browser: Client, nurse: User, key: Authenticator) -> None:
        from openward.accounts.actions import make_user

        other = make_user(sign_in="other@example.org", password=PASSWORD, role="nurse", name="Oda")
        signs_in(browser, other)
        has_passkey(browser)
        browser.post("/account/sign-out")
        signs_in(browser, other)
        assert browser.post("/account/second-step", {"credential": key.answers(options(browser, "second"))}).status_code == 422
        assert not is_inside(browser)


class TestMakingOne:
    def test_garbage_makes_none(self, browser: Client, nurse: User) -> None:
        signs_in(browser, nurse)
        options(browser, "add")
        assert browser.post("/account/set-up/passkey", {"credential": '{"id": "x"}'}).status_code == 422
        assert factors.of(nurse) == []

    def test_nobody_makes_one(self, browser: Client, nurse: User) -> None:
        assert browser.post("/account/passkey/options", {"for": "add"}).status_code == 404
        assert browser.post("/account/set-up/passkey", {"credential": "{}"})["Location"] == SIGN_IN
