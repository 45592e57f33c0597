"""Every answer carries django-csp's policy, word for word, however often it is put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from csp.constants import NONE, SELF
from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings

from openward.web.content_policy import ContentPolicy

Answer = Callable[[HttpRequest], HttpResponse]


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def of_its_own(request: HttpRequest) -> HttpResponse:
    return HttpResponse(headers={"Content-Security-Policy": "sandbox"})


def widened(request: HttpRequest) -> HttpResponse:
    response: Any = HttpResponse()
    response._csp_update = {"form-action": ["https://app.example"]}
    return response


def exempt(request: HttpRequest) -> HttpResponse:
    response: Any = HttpResponse()
    response._csp_exempt = True
    return response


def with_a_nonce(request: Any) -> HttpResponse:
    request._csp_nonce = "once"
    return HttpResponse()


def headers(kind: type[CSPMiddleware], answer: Answer) -> list[dict[str, str]]:
    """Of three answers of one middleware."""
    middleware = kind(answer)
    return [dict(middleware(RequestFactory().get("/")).headers) for _ in range(3)]


@pytest.mark.parametrize("answer", [plain, of_its_own, widened, exempt, with_a_nonce])
def test_an_answer_has_the_policy_that_django_csp_gives_it(answer: Answer) -> None:
    assert headers(ContentPolicy, answer) == headers(CSPMiddleware, answer)


@pytest.mark.parametrize(
    "settings",
    [
        {"CONTENT_SECURITY_POLICY": {"DIRECTIVES": {"default-src": [NONE]}}},
        {"CONTENT_SECURITY_POLICY": {"DIRECTIVES": {"default-src": [SELF]}, "EXCLUDE_URL_PREFIXES": ["/"]}},
        {"CONTENT_SECURITY_POLICY_REPORT_ONLY": {"DIRECTIVES": {"default-src": [SELF]}}},
    ],
)
def test_another_setting_is_another_policy(settings: dict[str, Any]) -> None:
    middleware = ContentPolicy(plain)
    middleware(RequestFactory().get("/"))
    with override_settings(**settings):
        changed = dict(middleware(RequestFactory().get("/")).headers)
        assert changed == headers(CSPMiddleware, plain)[0]


def test_the_policy_is_there() -> None:
    (first, *_) = headers(ContentPolicy, plain)
    assert "default-src 'self'" in first["Content-Security-Policy"]
    assert "object-src 'none'" in first["Content-Security-Policy"]
