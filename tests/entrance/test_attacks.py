"""What outsiders try at the doors: guessing, finding out who exists, planting sessions, forged forms, other sites, old links."""

from __future__ import annotations

import datetime as dt
import re
import time

import pytest
import time_machine
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from openward.accounts import resets, sessions, signing_out, throttle
from openward.accounts.actions import make_user
from openward.accounts.models import Reset, Session, Tries, User
from openward.administration import actions as administration
from openward.entrance import jobs
from openward.entrance.views import resetting
from openward.outbox.models import Message
from tests.entrance.conftest import INSIDE, PASSWORD, SIGN_IN, events, is_inside, signs_in

pytestmark = pytest.mark.django_db
NEW = "another good password"


def shown(content: bytes) -> str:
    """A page without what differs between any two answers."""
    text = re.sub(r"(csrfmiddlewaretoken\" value=\"|X-CSRFToken\": \")[^\"]+", "", content.decode())
    return re.sub(r"nurse@example\.org|nobody@example\.org", "", text)


class TestFindingOutWhoExists:
    def test_a_wrong_password_and_an_unknown_name_get_the_same_page(self, nurse: User) -> None:
        answers = [Client().post(SIGN_IN, {"sign_in": name, "password": "wrong"}) for name in ("nurse@example.org", "nobody@example.org")]
        assert answers[0].status_code == answers[1].status_code == 422
        assert shown(answers[0].content) == shown(answers[1].content)

    def test_an_unknown_name_locks_like_a_known_one(self, nurse: User) -> None:
        for name in ("nurse@example.org", "nobody@example.org"):
            said = [Client().post(SIGN_IN, {"sign_in": name, "password": "wrong"}).content.decode() for _ in range(7)]
            assert ["Too many wrong tries" in page for page in said] == [False] * 5 + [True] * 2

    def test_who_has_no_password_is_answered_like_anyone(self, nurse: User) -> None:
        nurse.set_unusable_password()
        nurse.save()
        assert "do not belong together" in signs_in(Client(), nurse).content.decode()

    def test_a_forgotten_password_gets_the_same_page_for_everyone(self, nurse: User) -> None:
        answers = [Client().post("/account/forgot", {"sign_in": name}) for name in ("nurse@example.org", "nobody@example.org")]
        assert answers[0].status_code == answers[1].status_code == 200
        assert shown(answers[0].content) == shown(answers[1].content)


class TestGuessing:
    def test_from_one_address_ends_after_fifty_whatever_the_name(self, client: Client, nurse: User) -> None:
        for number in range(throttle.FROM_ONE_ADDRESS):
            throttle.count("address", "127.0.0.1", at_most=throttle.FROM_ONE_ADDRESS)
            assert number == throttle.FROM_ONE_ADDRESS - 1 or Tries.objects.get().locked_until is None
        answer = signs_in(client, nurse)
        assert (answer.status_code, "from here" in answer.content.decode()) == (422, True)

    def test_goes_on_after_a_quarter_of_an_hour(self, client: Client, nurse: User) -> None:
        for _ in range(5):
            client.post(SIGN_IN, {"sign_in": nurse.sign_in, "password": "wrong"})
        with time_machine.travel(time.time() + 16 * 60):
            assert signs_in(client, nurse).status_code == 302

    def test_an_administrator_unlocks(self, client: Client, nurse: User) -> None:
        for _ in range(5):
            client.post(SIGN_IN, {"sign_in": nurse.sign_in, "password": "wrong"})
        boss = make_user(sign_in="boss@example.org", password=PASSWORD, role="administrator", name="Bo")
        administration.unlock(user=nurse, by=boss.actor())
        assert signs_in(client, nurse).status_code == 302
        assert events("unlock-user") == 1

    def test_at_a_locked_door_is_on_the_trail_too(self, client: Client, nurse: User) -> None:
        for _ in range(6):
            client.post(SIGN_IN, {"sign_in": nurse.sign_in, "password": "wrong"})
        assert events("sign-in", outcome=4, detail="sign-in locked") == 1

    def test_from_a_network_of_ipv6_is_from_one_address(self, client: Client) -> None:
        """Whoever has one address of that kind has the 2⁶⁴ beside it. https://www.rfc-editor.org/rfc/rfc6177"""
        for number in range(throttle.FROM_ONE_ADDRESS):
            throttle.count("address", f"2001:db8:1:2::{number:x}", at_most=throttle.FROM_ONE_ADDRESS)
        with pytest.raises(throttle.TooManyTries):
            throttle.refuse("address", "2001:db8:1:2:ffff::1")
        throttle.refuse("address", "2001:db8:1:3::1")

    def test_keeps_no_name_that_was_tried(self, client: Client) -> None:
        client.post(SIGN_IN, {"sign_in": "my-password-by-mistake", "password": "x"})
        assert all(b"my-password" not in bytes(row.key) for row in Tries.objects.all())


class TestAPlantedSession:
    def test_is_not_the_one_that_signs_in(self, client: Client, nurse: User) -> None:
        session = client.session
        session["pending"] = {"user": str(nurse.pk), "method": "password", "go_to": "/", "enrol": False, "at": time.time()}
        session["planted"] = "by an attacker"
        session.save()
        client.cookies["openward_session"] = session.session_key or ""
        signs_in(client, nurse)
        assert client.session.session_key != session.session_key
        assert "planted" not in client.session

    def test_opens_nothing_afterwards(self, client: Client, nurse: User) -> None:
        session = client.session
        session["planted"] = True
        session.save()
        client.cookies["openward_session"] = session.session_key or ""
        signs_in(client, nurse)
        thief = Client()
        thief.cookies["openward_session"] = session.session_key or ""
        assert not is_inside(thief)


class TestAForgedForm:
    POSTS = sorted(
        f"/account/{pattern.pattern}"
        for resolver in get_resolver().url_patterns
        if getattr(resolver, "namespace", None) == "accounts"
        for pattern in resolver.url_patterns
        if "POST" in pattern.callback.page.methods
    )

    @pytest.mark.parametrize("path", POSTS)
    def test_is_refused_at_every_door(self, nurse: User, path: str) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(nurse)
        address = re.sub(r"<int:\w+>", "1", re.sub(r"<str:\w+>", "x", path))
        assert client.post(address).status_code == 403


class TestAnotherSite:
    @pytest.mark.parametrize(
        "elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "http:///evil.example", "/\\evil.example"]
    )
    @pytest.mark.parametrize("door", ["/account/security/again", "/account/locked"])
    def test_is_never_where_a_door_leads(self, client: Client, nurse: User, door: str, elsewhere: str) -> None:
        signs_in(client, nurse)
        client.post("/account/lock") if door.endswith("locked") else None
        assert client.post(door, {"password": PASSWORD, "secret": PASSWORD, "next": elsewhere})["Location"] == "/"


class TestResetting:
    def asks(self, name: str) -> str:
        """The link in the letter, empty without one."""
        Client().post("/account/forgot", {"sign_in": name})
        jobs.write_reset_letter.function(user=resets.asked_for(name))
        letter = Message.objects.filter(kind="sign-in-link").order_by("-made_at").first()
        return re.search(r"/account/reset/\S+", letter.body)[0] if letter else ""  # type: ignore[index]

    def test_sets_a_new_password_ends_every_session_and_a_lock(self, client: Client, nurse: User) -> None:
        elsewhere = Client()
        signs_in(elsewhere, nurse)
        for _ in range(5):
            client.post(SIGN_IN, {"sign_in": nurse.sign_in, "password": "wrong"})
        client.post(self.asks(nurse.sign_in), {"password": NEW, "again": NEW})
        assert is_inside(client)
        assert not is_inside(elsewhere)
        assert signs_in(Client(), nurse).status_code == 422

    def test_works_once(self, client: Client, nurse: User) -> None:
        link = self.asks(nurse.sign_in)
        client.post(link, {"password": NEW, "again": NEW})
        assert Client().post(link, {"password": PASSWORD, "again": PASSWORD}).status_code == 410

    def test_is_over_after_an_hour(self, client: Client, nurse: User) -> None:
        link = self.asks(nurse.sign_in)
        with time_machine.travel(time.time() + 61 * 60):
            assert client.get(link).status_code == 410

    def test_opens_nothing_for_who_was_ended(self, client: Client, nurse: User) -> None:
        link = self.asks(nurse.sign_in)
        User.objects.filter(pk=nurse.pk).update(is_active=False)
        assert client.get(link).status_code == 410
        assert client.post(link, {"password": NEW, "again": NEW}).status_code == 410

    def test_refuses_a_weak_password_and_the_link_still_works(self, client: Client, nurse: User) -> None:
        link = self.asks(nurse.sign_in)
        assert client.post(link, {"password": "password1234", "again": "password1234"}).status_code == 422
        assert client.post(link, {"password": NEW, "again": NEW}).status_code == 302

    def test_still_asks_for_the_second_step(self, client: Client, nurse: User) -> None:
        from tests.entrance.test_second_step import sets_up_an_app

        signs_in(client, nurse)
        sets_up_an_app(client)
        client.post("/account/sign-out")
        assert client.post(self.asks(nurse.sign_in), {"password": NEW, "again": NEW})["Location"] == "/account/second-step"

    def test_writes_three_letters_an_hour_at_most(self, nurse: User) -> None:
        for _ in range(6):
            self.asks(nurse.sign_in)
        assert Message.objects.filter(kind="sign-in-link").count() == 3

    def test_is_asked_for_from_one_address_so_often_and_no_more(self, client: Client) -> None:
        for number in range(resetting.ASKED_AT_MOST):
            assert client.post("/account/forgot", {"sign_in": f"someone-{number}"}).status_code == 200
        assert client.post("/account/forgot", {"sign_in": "someone-else"}).status_code == 422

    def test_writes_to_nobody_whose_address_is_not_known(self) -> None:
        make_user(sign_in="frontdesk", password=PASSWORD, role="front-desk", name="Fay")
        assert self.asks("frontdesk") == ""

    def test_says_no_name_in_the_letter(self, nurse: User) -> None:
        self.asks(nurse.sign_in)
        assert "Nell" not in Message.objects.get(kind="sign-in-link").body

    def test_keeps_only_the_digest_of_a_token(self, nurse: User) -> None:
        token = resets.begin(nurse)
        assert token.encode() not in bytes(Reset.objects.get().token_digest)

    def test_of_two_at_once_one_wins(self, nurse: User) -> None:
        token = resets.begin(nurse)
        resets.finish(token, NEW)
        with pytest.raises(resets.ResetClosed):
            resets.finish(token, "yet another good one")


class TestSessions:
    def test_are_listed_with_device_place_and_time(self, client: Client, nurse: User) -> None:
        client.post(SIGN_IN, {"sign_in": nurse.sign_in, "password": PASSWORD}, headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"})
        page = client.get("/account/security").content.decode()
        assert "Firefox on Windows" in page
        assert "127.0.0.1" in page
        assert client.session.session_key not in page  # type: ignore[operator]

    def test_are_ended_from_afar(self, client: Client, nurse: User) -> None:
        elsewhere = Client()
        signs_in(elsewhere, nurse)
        signs_in(client, nurse)
        handle = next(one.handle for one in sessions.of(nurse) if one.session_key == elsewhere.session.session_key)
        client.post(f"/account/security/sessions/{handle}/end")
        assert (is_inside(elsewhere), is_inside(client)) == (False, True)

    def test_of_others_are_not_ones_own_to_end(self, client: Client, nurse: User) -> None:
        other = make_user(sign_in="o@example.org", password=PASSWORD, role="nurse", name="Oda")
        elsewhere = Client()
        signs_in(elsewhere, nurse)
        signs_in(client, other)
        assert client.post(f"/account/security/sessions/{sessions.of(nurse)[0].handle}/end").status_code == 404
        assert is_inside(elsewhere)

    def test_are_all_ended_by_the_administrator_with_every_token(self, client: Client, nurse: User) -> None:
        ended: list[User] = []
        signing_out.also_ends(lambda user: ended.append(user) or 1)  # type: ignore[func-returns-value]
        boss = make_user(sign_in="boss@example.org", password=PASSWORD, role="administrator", name="Bo")
        signs_in(client, nurse)
        try:
            assert administration.sign_out_everywhere(user=nurse, by=boss.actor()) >= 2
        finally:
            signing_out._ENDERS.pop()
        assert ended == [nurse]
        assert not is_inside(client)

    def test_that_are_over_are_swept_away(self, client: Client, nurse: User) -> None:
        signs_in(client, nurse)
        resets.begin(nurse)
        with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=2)):
            jobs.sweep.function()
        assert (Session.objects.count(), Reset.objects.count(), Tries.objects.count()) == (0, 0, 0)

    def test_cost_a_page_no_statement_more(self, nurse: User, settings: LazySettings) -> None:
        with_it = self.statements(nurse)
        ours = {"openward.accounts.middleware.ScreenLocks", "allauth.account.middleware.AccountMiddleware"}
        settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if one not in ours]
        settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"
        assert with_it <= self.statements(nurse)

    def statements(self, nurse: User) -> int:
        client = Client()
        client.force_login(nurse)
        client.get(INSIDE)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(INSIDE).status_code == 200
        return len(seen)
