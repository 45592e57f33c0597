"""Whose address a request has: the connection's, or what the operator's own proxies say; and nobody else's word for it."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from openward.accounts import tokens
from openward.accounts.actions import make_user
from openward.accounts.models import Session
from openward.record import open_store
from openward.record.connection import reading_wire
from openward.server import wsgi
from openward.server.addresses import WhereFrom, settle
from tests import cast

PROXY, OTHER = "10.0.0.5", "203.0.113.9"
PASSWORD = "correct-horse-battery-7"


def settled(settings: LazySettings, proxies: list[str], peer: str, **headers: str | None) -> dict[str, Any]:
    settings.OPENWARD_PROXIES = tuple(proxies)
    sent = {f"HTTP_{name.upper()}": value for name, value in headers.items() if value is not None}
    environ: dict[str, Any] = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", **sent}
    settle(environ)
    return environ


def address(settings: LazySettings, proxies: list[str], peer: str, forwarded_for: str | None = None, forwarded: str | None = None) -> str:
    return str(settled(settings, proxies, peer, x_forwarded_for=forwarded_for, forwarded=forwarded)["REMOTE_ADDR"])


@pytest.mark.parametrize(
    ("proxies", "peer", "said", "expected"),
    [
        ([], OTHER, "1.2.3.4", OTHER),
        ([PROXY], OTHER, "1.2.3.4", OTHER),
        ([PROXY], OTHER, PROXY, OTHER),
        ([PROXY], PROXY, "1.2.3.4", "1.2.3.4"),
        ([PROXY], PROXY, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ([PROXY], PROXY, "10.0.0.5, 6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (["10.0.0.0/8"], PROXY, "1.2.3.4, 10.0.0.9", "1.2.3.4"),
        (["10.0.0.0/8"], PROXY, "6.6.6.6, 1.2.3.4, 10.0.0.9", "1.2.3.4"),
        (["10.0.0.0/8"], PROXY, "10.7.7.7, 10.0.0.9", "10.7.7.7"),
        ([PROXY], PROXY, "2001:db8::1", "2001:db8::1"),
        ([PROXY], PROXY, "2001:0DB8:0:0::1", "2001:db8::1"),
        ([PROXY], PROXY, "[2001:db8::1]:4711", "2001:db8::1"),
        ([PROXY], PROXY, "1.2.3.4:4711", "1.2.3.4"),
        ([PROXY], "::ffff:10.0.0.5", "::ffff:1.2.3.4", "1.2.3.4"),
        ([PROXY], PROXY, "1.2.3.4, ,", "1.2.3.4"),
        ([PROXY], PROXY, None, PROXY),
        ([PROXY], PROXY, "", PROXY),
        ([PROXY], PROXY, "x'; drop table", PROXY),
        ([PROXY], PROXY, "1.2.3.4, unknown", PROXY),
        (["10.0.0.0/8"], PROXY, "1.2.3.4, unknown, 10.0.0.9", "10.0.0.9"),
        ([PROXY], PROXY, "fe80::1%eth0", PROXY),
        ([PROXY], PROXY, "010.0.0.1", PROXY),
        ([PROXY], PROXY, "0x7f.1", PROXY),
        ([PROXY], PROXY, "1.2.3.4\0", PROXY),
        ([PROXY], PROXY, "6.6.6.6," * 100_000 + "1.2.3.4", "1.2.3.4"),
        ([PROXY], PROXY, f"{PROXY}," * 100_000, PROXY),
    ],
)
def test_is_believed_from_the_operators_own_proxies_alone(
    settings: LazySettings, proxies: list[str], peer: str, said: str | None, expected: str
) -> None:
    assert address(settings, proxies, peer, said) == expected


@pytest.mark.parametrize(
    ("peer", "said", "expected"),
    [
        (OTHER, "for=1.2.3.4", OTHER),
        (PROXY, "for=1.2.3.4", "1.2.3.4"),
        (PROXY, "For=1.2.3.4;Proto=https;By=10.0.0.5", "1.2.3.4"),
        (PROXY, 'for="[2001:db8::1]:4711"', "2001:db8::1"),
        (PROXY, "for=6.6.6.6, for=1.2.3.4", "1.2.3.4"),
        (PROXY, "for=1.2.3.4, for=10.0.0.5", "1.2.3.4"),
        (PROXY, 'for="6.6.6.6, for=1.2.3.4', "1.2.3.4"),
        (PROXY, "for=1.2.3.4;for=6.6.6.6", PROXY),
        (PROXY, "for=1.2.3.4, for=_hidden", PROXY),
        (PROXY, "for=unknown", PROXY),
        (PROXY, "proto=https", PROXY),
        (PROXY, ";;=,=;", PROXY),
    ],
)
def test_the_standard_header_is_read_as_well(settings: LazySettings, peer: str, said: str, expected: str) -> None:
    assert address(settings, [PROXY], peer, forwarded=said) == expected


@pytest.mark.parametrize("other", ["for=6.6.6.6", "for=unknown", "garbage"])
def test_of_two_headers_that_differ_none_is_believed(settings: LazySettings, other: str) -> None:
    assert address(settings, [PROXY], PROXY, "1.2.3.4", other) == PROXY


def test_two_headers_that_agree_are(settings: LazySettings) -> None:
    assert address(settings, [PROXY], PROXY, "1.2.3.4", "for=1.2.3.4") == "1.2.3.4"


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        (PROXY, {"x_forwarded_proto": "https"}, "https"),
        (PROXY, {"x_forwarded_proto": "HTTPS"}, "https"),
        (PROXY, {"forwarded": "for=1.2.3.4;proto=https"}, "https"),
        (PROXY, {"x_forwarded_proto": "https, http"}, "http"),
        (PROXY, {"x_forwarded_proto": "javascript"}, "http"),
        (PROXY, {"x_forwarded_proto": "https", "forwarded": "proto=http"}, "http"),
        (PROXY, {}, "http"),
        (OTHER, {"x_forwarded_proto": "https"}, "http"),
        (OTHER, {"forwarded": "proto=https"}, "http"),
    ],
)
def test_how_it_was_reached_is_believed_from_them_alone(settings: LazySettings, peer: str, headers: dict[str, str], expected: str) -> None:
    assert settled(settings, [PROXY], peer, **headers)["wsgi.url_scheme"] == expected


@pytest.mark.parametrize("peer", [PROXY, OTHER])
def test_nothing_behind_it_can_believe_the_headers_again(settings: LazySettings, peer: str) -> None:
    left = settled(settings, [PROXY], peer, x_forwarded_for="1.2.3.4", forwarded="for=1.2.3.4", x_forwarded_proto="https")
    assert {name for name in left if name.startswith("HTTP_")} == set()


def test_a_network_that_is_none_is_said_when_the_server_starts(settings: LazySettings) -> None:
    settings.OPENWARD_PROXIES = ("10.0.0.0/8", "10.0.0.x")
    with pytest.raises(ImproperlyConfigured, match=r"OPENWARD_PROXIES: 10\.0\.0\.x is neither"):
        WhereFrom(lambda _: HttpResponse())


def test_a_page_knows_the_client_and_that_it_came_by_https(settings: LazySettings) -> None:
    settings.OPENWARD_PROXIES = (PROXY,)
    request: HttpRequest = RequestFactory().get(
        "/", REMOTE_ADDR=PROXY, headers={"Host": "testserver", "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https"}
    )
    WhereFrom(lambda _: HttpResponse())(request)
    assert (request.META["REMOTE_ADDR"], request.is_secure(), request.build_absolute_uri("/x")) == ("1.2.3.4", True, "https://testserver/x")


def trail(interaction: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("select address from audit.event where interaction = %s order by tx desc, id desc", [interaction])
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.usefixtures("committed_db")
class TestTheTrailSays:
    def ask(self, peer: str) -> None:
        headers = {"HTTP_X_FORWARDED_FOR": "6.6.6.6, 1.2.3.4", "HTTP_FORWARDED": "for=1.2.3.4"}
        token = tokens.make_token(client="lab", scope="system/*.rs")
        environ = RequestFactory().get(f"/fhir/Patient/{cast.PATIENT_ID}", REMOTE_ADDR=peer, HTTP_AUTHORIZATION=f"Bearer {token}", **headers).environ
        told: list[str] = []
        try:
            b"".join(wsgi.application(environ, lambda status, *_: told.append(status)))
        finally:
            reading_wire().connection.close()  # this thread's, which reads of the surface keep open
        assert told == ["200 OK"]

    @pytest.mark.parametrize(("peer", "expected"), [(PROXY, "1.2.3.4"), (OTHER, OTHER)])
    def test_who_read_over_fhir_through_the_proxy(self, settings: LazySettings, peer: str, expected: str) -> None:
        from openward.fhir.resources import Patient

        settings.OPENWARD_PROXIES = (PROXY,)
        open_store(cast.system()).update(Patient(id=cast.PATIENT_ID))
        self.ask(peer)
        assert trail("read") == [expected]

    @pytest.mark.parametrize(("peer", "expected"), [(PROXY, "1.2.3.4"), (OTHER, OTHER)])
    def test_who_signed_in_through_it(self, settings: LazySettings, peer: str, expected: str) -> None:
        settings.OPENWARD_PROXIES = (PROXY,)
        make_user(sign_in="nurse@example.org", password=PASSWORD, role="nurse", name="Nell")
        sent = {"sign_in": "nurse@example.org", "password": PASSWORD}
        Client().post("/account/sign-in", sent, REMOTE_ADDR=peer, headers={"X-Forwarded-For": "6.6.6.6, 1.2.3.4"})
        assert [one.address for one in Session.objects.exclude(user_id=None)] == [expected]
        assert set(trail("sign-in")) == {expected}


@pytest.mark.django_db
def test_a_made_up_address_escapes_no_limit(settings: LazySettings) -> None:
    """Fifty wrong tries from one address lock it, whatever each of them says it is."""
    settings.OPENWARD_PROXIES = (PROXY,)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    for number in range(51):
        sent = {"sign_in": f"nobody-{number}@example.org", "password": "wrong"}
        page = Client().post("/account/sign-in", sent, REMOTE_ADDR=OTHER, headers={"X-Forwarded-For": f"198.51.100.{number}"})
    assert "Too many wrong tries from here" in page.content.decode()
