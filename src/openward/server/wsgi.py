"""The WSGI application: Django for pages, the FHIR REST surface beside it on the same connection, store and policy."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from random import getrandbits
from typing import IO, Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openward.server.settings")

from django.conf import settings
from django.core.signals import setting_changed
from django.core.wsgi import get_wsgi_application
from django.db import Error, close_old_connections
from django.http.request import split_domain_port, validate_host

pages = get_wsgi_application()

from openward.access.actor import Actor  # noqa: E402 - Django must be set up first
from openward.accounts.tokens import actor_for  # noqa: E402
from openward.fhir.errors import BadRequest, InvalidToken, Unauthenticated  # noqa: E402
from openward.fhir.failures import Unavailable  # noqa: E402
from openward.fhir.http import fhir_app  # noqa: E402
from openward.fhir.http.request import Request  # noqa: E402
from openward.fhir.http.response import Response  # noqa: E402
from openward.fhir.store import Store  # noqa: E402
from openward.record import open_reading_store, open_store  # noqa: E402
from openward.server.addresses import settle  # noqa: E402
from openward.smart import cors  # noqa: E402
from openward.smart.discovery import security  # noqa: E402

StartResponse = Callable[..., Any]
BASE = "/fhir"
HEARD_OUT = 16 * 2**20  # bytes of a refused body; whoever sends more is cut off
AT_ONCE = 2**18
TRANSPORT = [("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains")] if settings.SECURE_HSTS_SECONDS else []


def authenticate(environ: Mapping[str, Any]) -> Actor:
    """The client a bearer token belongs to. Raises Unauthenticated, InvalidToken, and Unavailable when the database cannot say."""
    kind, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if not token or kind.lower() != "bearer":
        raise Unauthenticated
    try:
        actor = actor_for(token.strip())
    except Error as error:
        close_old_connections()
        raise Unavailable from error
    if actor is None:
        raise InvalidToken
    return actor.during(request_id=environ.get("openward.request_id", ""), address=environ.get("REMOTE_ADDR"))


@contextmanager
def store_for(actor: Actor) -> Iterator[Store]:
    try:
        yield open_store(actor)
    finally:
        close_old_connections()


def reading_store_for(actor: Actor) -> AbstractContextManager[Store]:
    return nullcontext(open_reading_store(actor))


record = fhir_app(authenticate, store_for, base=BASE, open_reading_store=reading_store_for, security=security)


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    settle(environ)
    return cors.answer(environ, start_response, _route) if "HTTP_ORIGIN" in environ else _route(environ, start_response)


def _route(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    path = environ.get("PATH_INFO", "")
    if (path.startswith("/fhir/") and not path.startswith("/fhir/.well-known/")) or path == "/fhir":
        return _answer(environ, start_response)
    return pages(environ, start_response)


def _answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """The REST surface; the id of the request is in its answer and in its audit events."""
    environ["openward.request_id"] = id = f"{getrandbits(48):012x}"  # tells requests apart; nobody is kept from guessing it
    answering = record if _is_ours(environ.get("HTTP_HOST")) else _misdirected
    answer = answering(environ, lambda status, headers: start_response(status, [*headers, *TRANSPORT, ("X-Request-Id", id)]))
    declared = environ.get("CONTENT_LENGTH")
    if declared and declared.isdecimal() and 0 < int(declared) <= HEARD_OUT:
        _hear_out(environ["wsgi.input"])
    return answer


@lru_cache(maxsize=100)
def _is_ours(host: str | None) -> bool:
    """Whether the server answers by this name, as it does for pages: every link in an answer begins with it. Without one, links name the socket."""
    return host is None or validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)


setting_changed.connect(lambda **changed: _is_ours.cache_clear(), weak=False, dispatch_uid="hosts")


def _misdirected(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    return Response.error(BadRequest("This server does not answer by the name it was asked by; OPENWARD_HOSTS has its names.")).send(
        Request(environ, BASE), start_response
    )


def _hear_out(body: IO[bytes]) -> None:
    """Take in what was sent and not asked for: a client whose body is left unread sees its connection cut instead of the answer."""
    while body.read(AT_ONCE):
        pass


# What stands now stands until the end: the collector need not walk through it again and again while requests are served.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 10, 10)
