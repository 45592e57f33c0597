"""What every page passes: an id, headers, no caching, the end of idle sessions, and who acts."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import pytest
import time_machine
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from openward.accounts.actions import make_user
from openward.accounts.models import User
from openward.server.settings import OPENWARD_IDLE_SECONDS

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 11, 3, 9, 0, tzinfo=dt.UTC)
IDLE = dt.timedelta(seconds=OPENWARD_IDLE_SECONDS)
BACKGROUND = {"X-Openward-Background": "1"}

DIRECTIVES = {
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
}
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(), payment=()",
}


@pytest.fixture
def administrator() -> User:
    return make_user(sign_in="admin@example.org", password="correct horse battery", role="administrator", name="Ada Admin")


@pytest.fixture
def signed_in(client: Client, administrator: User) -> Client:
    client.force_login(administrator)
    return client


def addresses(patterns: list[URLPattern | URLResolver] | None = None, prefix: str = "/") -> Iterator[str]:
    """Every address of the product, its ids made up."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + re.sub(r"<(\w+:)?\w+>", "0199c1f0-0000-7000-8000-000000000001", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        else:
            yield route


def faults(response: HttpResponseBase) -> list[str]:
    policy = response.headers.get("Content-Security-Policy", "")
    found = [f"{name} is {response.headers.get(name)}" for name, value in FIXED.items() if response.headers.get(name) != value]
    found += [f"CSP lacks {directive}" for directive in DIRECTIVES if directive not in policy]
    found += ["CSP allows what is inline"] if "unsafe" in policy else []
    found += [] if "no-store" in response.headers.get("Cache-Control", "") else ["a cache may keep it"]
    found += [] if re.fullmatch(r"[0-9a-f]{12}", response.headers.get("X-Request-Id", "")) else ["it has no id"]
    return found


class TestEveryPage:
    def test_carries_the_headers_for_who_is_signed_in(self, signed_in: Client) -> None:
        signed_in.raise_request_exception = False
        wrong = {path: found for path in addresses() if (found := faults(signed_in.get(path)))}
        assert wrong == {}

    def test_carries_the_headers_for_nobody(self, client: Client) -> None:
        wrong = {path: found for path in addresses() if (found := faults(client.get(path)))}
        assert wrong == {}

    def test_a_page_that_is_not_there_carries_them_too(self, signed_in: Client) -> None:
        assert faults(signed_in.get("/no-such-page")) == []

    def test_each_request_has_an_id_of_its_own(self, client: Client) -> None:
        assert client.get("/health")["X-Request-Id"] != client.get("/health")["X-Request-Id"]

    def test_a_form_without_its_token_is_refused(self, administrator: User) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(administrator)
        assert browser.post("/account/sign-out").status_code == 403


class TestAnIdleSession:
    """ONC 170.315(d)(5): the server's clock decides."""

    def people(self, client: Client) -> int:
        return client.get("/admin/people").status_code

    def test_ends_after_the_time_without_a_request(self, signed_in: Client) -> None:
        with time_machine.travel(START, tick=False) as clock:
            assert self.people(signed_in) == 200
            clock.shift(IDLE + dt.timedelta(seconds=1))
            assert self.people(signed_in) == 302

    def test_goes_on_while_its_person_works(self, signed_in: Client) -> None:
        with time_machine.travel(START, tick=False) as clock:
            seen = []
            for _ in range(4):
                seen.append(self.people(signed_in))
                clock.shift(IDLE * 0.4)
            assert seen == [200] * 4

    def test_ends_twelve_hours_after_signing_in_however_busy_its_person_is(self, client: Client, administrator: User) -> None:
        with time_machine.travel(START, tick=False) as clock:
            client.force_login(administrator)
            session = client.session
            session["sitting"] = {"began_at": START.timestamp()}
            session.save()
            seen = []
            for _ in range(49):
                seen.append(self.people(client))
                clock.shift(dt.timedelta(minutes=15))
            assert (seen, self.people(client)) == ([200] * 49, 302)

    def test_is_not_kept_alive_by_what_a_page_asks_for_by_itself(self, signed_in: Client) -> None:
        with time_machine.travel(START, tick=False) as clock:
            self.people(signed_in)
            for _ in range(3):
                clock.shift(IDLE * 0.4)
                signed_in.get("/admin/people", headers=BACKGROUND)
            assert self.people(signed_in) == 302

    def test_once_ended_its_cookie_opens_nothing(self, signed_in: Client) -> None:
        with time_machine.travel(START, tick=False) as clock:
            self.people(signed_in)
            cookie = signed_in.cookies["openward_session"].value
            clock.shift(IDLE + dt.timedelta(seconds=1))
            self.people(signed_in)
            thief = Client()
            thief.cookies["openward_session"] = cookie
            assert self.people(thief) == 302


class TestWhoActs:
    def test_a_person_whose_sign_in_was_ended_is_nobody_at_the_next_request(self, signed_in: Client, administrator: User) -> None:
        User.objects.filter(pk=administrator.pk).update(is_active=False)
        assert signed_in.get("/admin/people").status_code == 302

    def test_the_session_cookie_is_not_for_scripts_nor_for_other_sites(self, client: Client, administrator: User) -> None:
        client.post("/account/sign-in", {"sign_in": "admin@example.org", "password": "correct horse battery"})
        cookie = client.cookies["openward_session"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"


class TestTheLanguageOfAPage:
    @pytest.mark.parametrize("asked", ["ar", "de-DE,de;q=0.9", "zh-Hans"])
    def test_is_one_its_words_are_written_in(self, client, asked):
        page = client.get("/accounts/sign-in", headers={"accept-language": asked}, follow=True).content.decode()
        assert '<html lang="en-us" dir="ltr"' in page
