"""The WSGI application: Django for pages, the FHIR REST surface beside it on the same connection, store and policy."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openward.server.settings")

from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections

pages = get_wsgi_application()

from openward.access.actor import Actor  # noqa: E402 - Django must be set up first
from openward.accounts.tokens import actor_for  # noqa: E402
from openward.fhir.errors import Unauthenticated  # noqa: E402
from openward.fhir.http import fhir_app  # noqa: E402
from openward.fhir.store import Store  # noqa: E402
from openward.record import open_store  # noqa: E402

StartResponse = Callable[..., Any]


def authenticate(environ: dict[str, Any]) -> Actor:
    """The client a bearer token belongs to. Raises Unauthenticated."""
    kind, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    actor = actor_for(token.strip()) if kind.lower() == "bearer" and token else None
    if actor is None:
        raise Unauthenticated
    return actor.during(request_id=environ.get("openward.request_id", ""), address=environ.get("REMOTE_ADDR"))


@contextmanager
def store_for(actor: Actor) -> Iterator[Store]:
    try:
        yield open_store(actor)
    finally:
        close_old_connections()


record = fhir_app(authenticate, store_for, base="/fhir")


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    path = environ.get("PATH_INFO", "")
    if path == "/fhir" or path.startswith("/fhir/"):
        return record(environ, start_response)
    return pages(environ, start_response)
