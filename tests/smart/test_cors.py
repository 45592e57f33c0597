"""Pages of which origins may read what this server answers: those of apps that work may, with their own token; nobody's cookies are ever taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.utils import timezone

from openward.smart import cors
from openward.smart.models import App
from tests.smart.conftest import an_app

APP = "https://app.example.org"
PREFLIGHT = {"REQUEST_METHOD": "OPTIONS", "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "GET"}


def asked(path: str, origin: str, **environ: str) -> tuple[str, dict[str, str]]:
    """Status and headers of the answer to a page of this origin; "418" where the question came through to the application."""
    told: list[Any] = []

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("418 Reached", [])
        return []

    list(cors.answer({"REQUEST_METHOD": "GET", "PATH_INFO": path, "HTTP_ORIGIN": origin, **environ}, lambda *said: told.append(said), application))
    status, headers = told[0][:2]
    return status[:3], dict(headers)


@pytest.mark.parametrize("path", ["/fhir/Patient", "/fhir/Patient/a/$everything", "/oauth/token", "/oauth/revoke", "/oauth/introspect"])
def test_the_record_and_tokens_are_shared_with_apps_that_work_and_with_no_other_origin(app: App, path: str) -> None:
    status, headers = asked(path, APP)
    assert (status, headers["Access-Control-Allow-Origin"], headers["Vary"]) == ("418", APP, "Origin")
    for origin in ("https://evil.example.org", "https://app.example.org.evil.org", "http://app.example.org", "https://app.example.org:8443", "null"):
        assert asked(path, origin) == ("418", {}), origin


def test_an_app_that_waits_or_was_ended_is_shared_nothing(clinic: object) -> None:
    app, _ = an_app(approved=False)
    assert asked("/fhir/Patient", APP)[1] == {}
    app.approved_at = app.ended_at = timezone.now()
    app.save()
    cors.forget()
    assert asked("/fhir/Patient", APP)[1] == {}


@pytest.mark.parametrize("path", ["/fhir/metadata", "/fhir/.well-known/smart-configuration", "/oauth/jwks", "/apps/brands"])
def test_what_is_public_is_for_any_origin(clinic: object, path: str) -> None:
    assert asked(path, "https://anyone.example.org")[1]["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", ["/", "/portal/", "/chart/", "/accounts/sign-in", "/oauth/authorize", "/oauth/consent", "/fhirish/Patient"])
def test_no_page_is_shared_with_anyone(app: App, path: str) -> None:
    assert asked(path, APP) == ("418", {})
    assert asked(path, APP, **PREFLIGHT) == ("418", {})


def test_cookies_are_taken_from_no_other_origin(app: App) -> None:
    """Without this header a browser leaves cookies at home, and with `*` it must. https://fetch.spec.whatwg.org/#cors-protocol-and-credentials"""
    for path, origin in (("/fhir/Patient", APP), ("/oauth/token", APP), ("/fhir/metadata", "https://anyone.example.org")):
        for environ in ({}, PREFLIGHT):
            assert "Access-Control-Allow-Credentials" not in asked(path, origin, **environ)[1]


def test_what_a_page_would_like_to_send_is_answered_here_for_apps_that_work_alone(app: App) -> None:
    status, headers = asked("/fhir/Patient", APP, **PREFLIGHT)
    assert (status, headers["Access-Control-Allow-Origin"]) == ("204", APP)
    assert "Authorization" in headers["Access-Control-Allow-Headers"]
    assert asked("/fhir/Patient", "https://evil.example.org", **PREFLIGHT) == ("418", {})
