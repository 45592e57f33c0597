"""Who asks too fast at the doors of OAuth is told to wait; who asks as programs do never notices."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.db import connection
from django.test import Client, RequestFactory

from openward.accounts import throttle
from openward.accounts.models import Tries
from openward.accounts.throttle import Pace, TooFast
from openward.audit.models import AuditEvent
from openward.smart import pacing
from openward.smart.models import App, Asked, Assertion
from tests.smart.conftest import Walk, an_app, assertion, by_assertion

pytestmark = pytest.mark.django_db
HERE, THERE = "203.0.113.7", "203.0.113.8"


@pytest.fixture
def slow(settings: LazySettings) -> None:
    settings.OPENWARD_OAUTH_PER_MINUTE = 5


@pytest.fixture(autouse=True)
def still() -> Any:
    """The beginning of a minute, by a clock that can be moved on."""
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=True) as clock:
        yield clock


def asks(client: str, *, door: str = "token", address: str = HERE, **headers: str) -> Any:
    return Client().post(
        f"/oauth/{door}",
        f"grant_type=authorization_code&client_id={client}&token=x",
        content_type="application/x-www-form-urlencoded",
        REMOTE_ADDR=address,
        headers=headers,
    )


@pytest.mark.usefixtures("slow")
class TestTooFast:
    @pytest.mark.parametrize("door", ["token", "introspect", "revoke"])
    def test_is_429_with_the_time_to_wait_and_an_error_of_oauth(self, door: str) -> None:
        assert [asks("me", door=door).status_code for _ in range(7)].count(429) == 2
        answer = asks("me", door=door)
        assert (answer.status_code, answer["Cache-Control"]) == (429, "no-store")
        assert 1 <= int(answer["Retry-After"]) <= 60
        assert answer.json()["error"] == "temporarily_unavailable"

    def test_ends_with_the_minute(self, still: Any) -> None:
        for _ in range(8):
            asks("me")
        still.shift(dt.timedelta(seconds=45))
        assert int(asks("me")["Retry-After"]) <= 15
        still.shift(dt.timedelta(seconds=16))
        assert asks("me").status_code == 400

    def test_leaves_other_clients_of_the_address_and_the_client_elsewhere_alone(self) -> None:
        for _ in range(40):
            asks("me")
        assert asks("another").status_code == 400
        assert asks("me", address=THERE).status_code == 400

    def test_from_one_address_under_many_names_is_too_fast_as_well(self) -> None:
        assert [asks(f"name-{number}").status_code for number in range(20)].count(429) == 20 - 3 * 5

    def test_costs_an_address_a_bounded_number_of_counters(self, settings: LazySettings) -> None:
        settings.OPENWARD_OAUTH_PER_MINUTE = 10_000
        request = RequestFactory().post("/oauth/token", REMOTE_ADDR=HERE)
        for number in range(1000):
            pacing.client_may_ask(request, "app-token", f"name-{number}")
        assert Tries.objects.count() <= pacing.KINDS_AT_MOST + 1

    def test_is_not_escaped_within_an_ipv6_network(self) -> None:
        assert [asks("me", address=f"2001:db8:1:2::{number:x}").status_code for number in range(7)].count(429) == 2
        assert asks("me", address="2001:db8:1:3::1").status_code == 400

    def test_is_not_escaped_by_a_header(self) -> None:
        assert [asks("me", **{"X-Forwarded-For": f"198.51.100.{number}"}).status_code for number in range(7)].count(429) == 2

    def test_stands_on_the_trail_once_a_minute(self) -> None:
        for _ in range(20):
            asks("me")
        assert AuditEvent.objects.filter(interaction="app-token", detail="asks too fast", outcome=4, address=HERE).count() == 1

    def test_uses_nothing_up(self, backend: App, keys: Any) -> None:
        """A signed statement that was not looked at is still good."""
        signed = assertion(backend, keys["ES384"], alg="ES384")
        for _ in range(5):
            Walk(backend).post("/oauth/token", by_assertion(assertion(backend, keys["ES384"], alg="ES384")))
        assert Walk(backend).post("/oauth/token", by_assertion(signed)).status_code == 429
        assert Assertion.objects.count() == 5

    @pytest.mark.parametrize("way", ["field", "header", "assertion"])
    def test_is_counted_however_the_client_says_who_it_is(self, backend: App, keys: Any, way: str) -> None:
        secret = an_app("secret")
        for _ in range(5):
            if way == "field":
                asks(backend.client_id, address="127.0.0.1")
            elif way == "header":
                Walk(secret[0], secret="wrong").exchange("x", client_id=None)
            else:
                Walk(backend).post("/oauth/token", by_assertion(assertion(backend, keys["RS384"], jti="same")))
        last = Walk(secret[0], secret=secret[1]).exchange("x") if way == "header" else Walk(backend).post("/oauth/token", by_assertion("a.b.c"))
        if way == "assertion" or way == "field":
            last = Walk(backend).post("/oauth/token", by_assertion(assertion(backend, keys["RS384"])))
        assert last.status_code == 429


class TestAsPrograms:
    def test_ten_tokens_a_second_for_a_minute_are_all_given(self, backend: App) -> None:
        """The counting of six hundred requests; that one of them is answered is told elsewhere."""
        request = RequestFactory().post("/oauth/token", REMOTE_ADDR=HERE)
        for _ in range(600):
            pacing.client_may_ask(request, "app-token", backend.client_id)

    def test_a_token_is_given_within_the_pace(self, backend: App, keys: Any) -> None:
        given = [Walk(backend).post("/oauth/token", by_assertion(assertion(backend, keys["ES384"], alg="ES384"))).status_code for _ in range(10)]
        assert given == [200] * 10

    @pytest.mark.parametrize("garbage", ["", "x", "a.b.c", "e30.e30.e30", "e30.W10.e30", "e30.bnVsbA.e30", "." * 9000])
    def test_garbage_is_refused_and_no_more(self, garbage: str) -> None:
        assert Walk(App()).post("/oauth/token", by_assertion(garbage)).status_code == 400

    @pytest.mark.parametrize("header", ["Basic", "Basic !", "Basic /////w==", "Bearer x", "Digest OjpvcGVu"])
    def test_a_header_that_is_none_is_refused_and_no_more(self, header: str) -> None:
        assert Client().post(
            "/oauth/token", "grant_type=x", content_type="application/x-www-form-urlencoded", headers={"Authorization": header}
        ).status_code in (400, 401)


class TestOtherDoors:
    def test_an_address_registers_thirty_apps_in_ten_minutes_at_most(self, settings: LazySettings) -> None:
        settings.OPENWARD_SMART_REGISTRATION = True
        answers = [Client().post("/oauth/register", "{", content_type="application/json") for _ in range(31)]
        assert [one.status_code for one in answers] == [400] * 30 + [429]
        assert 1 <= int(answers[-1]["Retry-After"]) <= 600

    def test_one_address_alone_does_not_fill_what_is_kept_of_requests_to_authorise(self, walk: Walk) -> None:
        said = [Client().post("/oauth/authorize", walk.asked()).status_code for _ in range(125)]
        assert said.count(429) >= 4
        assert Asked.objects.count() <= pacing.ASKING.at_most

    def test_reading_the_record_counts_nothing(self, walk: Walk) -> None:
        walk.tokens()
        before = list(Tries.objects.values_list("count", flat=True))
        Client().get("/fhir/.well-known/smart-configuration")
        Client().get("/oauth/jwks")
        assert list(Tries.objects.values_list("count", flat=True)) == before


@pytest.mark.usefixtures("committed_db")
@pytest.mark.django_db(transaction=True)
def test_whoever_counts_counts_the_same_and_none_is_lost() -> None:
    """Eight connections, as of eight processes."""

    def some(_: int) -> int:
        try:
            refused = 0
            for _try in range(25):
                try:
                    throttle.pace("door", HERE, Pace(150, dt.timedelta(minutes=1)))
                except TooFast:
                    refused += 1
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(some, range(8))) == 50
    assert Tries.objects.get().count == 200
