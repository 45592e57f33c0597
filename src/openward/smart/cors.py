"""Apps that run in browsers ask from their own origin: discovery from any, the record and tokens from those of registered apps. Never with cookies.

https://hl7.org/fhir/smart-app-launch/app-launch.html#considerations-for-cross-origin-resource-sharing-cors-support
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import Error, close_old_connections

from openward.smart.models import App

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

PUBLIC = ("/fhir/metadata", "/fhir/.well-known/", "/oauth/jwks", "/apps/brands")
FOR_APPS = ("/fhir/", "/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/register")
METHODS = "GET, POST, PUT, PATCH, DELETE, HEAD"
TAKEN = "Authorization, Content-Type, Accept, Prefer, If-Match, If-None-Match, If-None-Exist, If-Modified-Since"
SHOWN = "ETag, Location, Content-Location, Last-Modified, X-Request-Id, Retry-After, X-Progress, WWW-Authenticate"
KNOWN_FOR_SECONDS = 5.0

_origins: tuple[float, frozenset[str]] = (0.0, frozenset())


def answer(environ: dict[str, Any], start_response: Callable[..., Any], application: Application) -> Iterable[bytes]:
    """What the application answers, readable for a page of this origin if it may; a preflight is answered here."""
    allowed = _allowed(environ)
    if allowed is None:
        return application(environ, start_response)
    shared = [("Access-Control-Allow-Origin", allowed), ("Access-Control-Expose-Headers", SHOWN), ("Vary", "Origin")]
    if environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
        permitted = [("Access-Control-Allow-Methods", METHODS), ("Access-Control-Allow-Headers", TAKEN), ("Access-Control-Max-Age", "600")]
        start_response("204 No Content", [*shared, *permitted])
        return []

    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        return start_response(status, [*headers, *shared], *rest)

    return application(environ, start)


def _allowed(environ: Mapping[str, Any]) -> str | None:
    """What `Access-Control-Allow-Origin` says; None where nothing is shared."""
    path = environ.get("PATH_INFO", "")
    if path.startswith(PUBLIC):
        return "*"
    origin: str = environ["HTTP_ORIGIN"]
    return origin if path.startswith(FOR_APPS) and origin in origins() else None


def origins() -> frozenset[str]:
    """The origins of all apps that work, asked for anew every few seconds."""
    global _origins
    until, known = _origins
    if until < time.monotonic():
        try:
            working = list(App.objects.filter(approved_at__isnull=False, ended_at__isnull=True))
        except Error:  # what is asked for will say so itself
            close_old_connections()
            return known
        known = frozenset(origin for app in working for origin in app.origins)
        _origins = (time.monotonic() + KNOWN_FOR_SECONDS, known)
    return known


def forget() -> None:
    global _origins
    _origins = (0.0, frozenset())
