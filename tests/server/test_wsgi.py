"""The REST surface beside Django: by which names it answers, and what it says to a token it does not take."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.conf import LazySettings

from openward.server import wsgi


@pytest.fixture(autouse=True)
def names(settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS = ["clinic.example", "127.0.0.1"]


def ask(path: str, **headers: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
    }
    told: list[Any] = []
    body = b"".join(wsgi.application(environ, lambda status, headers: told.extend((status, headers))))
    return int(told[0].split()[0]), dict(told[1]), json.loads(body)


@pytest.mark.parametrize("host", ["clinic.example", "CLINIC.example:8000", "127.0.0.1:8000"])
def test_it_answers_by_its_own_names(host: str) -> None:
    status, _, said = ask("/fhir/metadata", host=host)
    assert (status, said["implementation"]["url"]) == (200, f"http://{host}/fhir")


@pytest.mark.parametrize("path", ["/fhir/metadata", "/fhir/Patient/ada", "/fhir"])
@pytest.mark.parametrize("host", ["evil.example", "clinic.example.evil.example", "clinic.example@evil.example", "", " ", "a b"])
def test_by_another_name_it_says_nothing_and_repeats_no_name(path: str, host: str) -> None:
    """Every link in an answer begins with the name: one that somebody else chose would send the next request, and its token, to them."""
    status, headers, said = ask(path, host=host)
    assert (status, said["resourceType"]) == (400, "OperationOutcome")
    assert "evil" not in json.dumps([headers, said])


def test_who_sent_no_token_is_told_that_one_is_needed() -> None:
    status, headers, _ = ask("/fhir/Patient", host="clinic.example")
    assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="fhir"')


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/fhir/Patient", "/fhir/Patient/ada"])
def test_who_sent_one_that_does_not_hold_is_told_so(path: str) -> None:
    """https://www.rfc-editor.org/rfc/rfc6750#section-3.1"""
    status, headers, _ = ask(path, host="clinic.example", authorization="Bearer nothing")
    assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="fhir", error="invalid_token"')
