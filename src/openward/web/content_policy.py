"""The Content-Security-Policy of a page: django-csp's, which puts the same words together anew for every answer, kept as long as the setting stands.

https://www.w3.org/TR/CSP3/
"""

from __future__ import annotations

from typing import Any

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class ContentPolicy(CSPMiddleware):
    """An answer with a policy of its own, a nonce, a mode that only reports: all that is left to django-csp."""

    _made: tuple[Any, str] = (None, "")

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not self._is_usual(request, response):
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, self._usual())
        return response

    @staticmethod
    def _is_usual(request: HttpRequest, response: HttpResponseBase) -> bool:
        if (
            settings.DEBUG
            or getattr(settings, "CONTENT_SECURITY_POLICY_REPORT_ONLY", None)
            or "EXCLUDE_URL_PREFIXES" in settings.CONTENT_SECURITY_POLICY
        ):
            return False
        return getattr(request, "_csp_nonce", None) is None and not any(name.startswith("_csp") for name in vars(response))

    def _usual(self) -> str:
        setting = settings.CONTENT_SECURITY_POLICY
        if self._made[0] is not setting:
            self._made = setting, build_policy()
        return self._made[1]
