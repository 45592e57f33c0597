"""Behind a proxy that ends TLS: cookies that only HTTPS carries, HSTS on every answer, and a plain request is known to be one."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator

import pytest

from tests.installation import Answer, Installation, Server, prepared, scratch_folder

SECURE = {"X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def behind_tls() -> Iterator[Server]:
    with scratch_folder() as folder, Installation(prepared(folder / "data"), settings={"OPENWARD_HTTPS": "1"}).serving() as server:
        yield server


@pytest.fixture(scope="module")
def sign_in(behind_tls: Server) -> Answer:
    return behind_tls.ask("GET", "/account/sign-in", headers=SECURE)


@pytest.mark.parametrize("path", ["/account/sign-in", "/fhir/metadata", "/fhir/Patient", "/no/such/page", "/health"])
def test_every_answer_tells_the_browser_to_come_back_by_https_only(behind_tls: Server, path: str) -> None:
    said = behind_tls.ask("GET", path, headers=SECURE).headers["strict-transport-security"]
    assert said == "max-age=31536000; includeSubDomains"


def test_answers_of_the_live_process_tell_it_too(behind_tls: Server) -> None:
    asked = http.client.HTTPConnection("127.0.0.1", behind_tls.port + 1, timeout=10)
    asked.request("GET", "/live/events?topics=inbox")
    said = asked.getresponse().headers
    asked.close()
    assert said["strict-transport-security"] == "max-age=31536000; includeSubDomains"


def test_cookies_are_of_this_host_and_of_https_only(sign_in: Answer) -> None:
    cookie = sign_in.headers["set-cookie"]
    assert cookie.startswith("__Host-openward_")
    assert "Secure" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_a_person_signs_in_through_the_proxy(behind_tls: Server) -> None:
    ask = behind_tls.ask
    behind_tls.ask = lambda method, path, body=None, headers=None, **more: ask(  # type: ignore[method-assign]
        method, path, body, {**SECURE, "Host": "localhost", "Referer": "https://localhost/account/sign-in", **(headers or {})}, **more
    )
    try:
        cookie = behind_tls.sign_in("ada@example.org", "administrator")
    finally:
        behind_tls.ask = ask  # type: ignore[method-assign]
    assert "__Host-openward_session=" in cookie


def test_the_data_folder_is_made_for_nobody_else_to_look_into(behind_tls: Server) -> None:
    data = behind_tls.installation.data
    assert data.stat().st_mode & 0o777 == 0o711
    assert {path.stat().st_mode & 0o077 for path in (data / "secret.key", data / "postgres")} == {0}


def test_a_header_sent_twice_is_one_list_and_the_proxys_word_in_it_the_last(behind_tls: Server) -> None:
    """How the web server hands on what came twice decides whose word counts: a line put before the proxy's own must not."""
    token = behind_tls.installation.token("system/*.rs")
    lines = ["GET /fhir/Patient?_id=nobody HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", "Connection: close"]
    lines += ["X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 198.51.100.7", "Forwarded: for=6.6.6.6", "Forwarded: for=198.51.100.7"]
    with socket.create_connection(("127.0.0.1", behind_tls.port), timeout=60) as wire:
        wire.sendall("\r\n".join([*lines, "", ""]).encode())
        assert wire.recv(100).startswith(b"HTTP/1.1 200")
    code = "from django.db import connection as c\nk = c.cursor()\n"
    code += "k.execute(\"select address from audit.event where interaction = 'search'\")\nprint(k.fetchall())"
    assert behind_tls.installation.python(code).strip() == "[('198.51.100.7',)]"
