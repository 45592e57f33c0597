"""The WSGI application: who asks, which interaction, and every failure as an OperationOutcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from openward.fhir.failures import as_fhir_error
from openward.fhir.http.plainly import named_plainly, send_plainly
from openward.fhir.http.request import MAX_BODY, Request
from openward.fhir.http.response import Response
from openward.fhir.http.routes import handler_of, writes
from openward.fhir.interactions.capabilities import capabilities
from openward.fhir.interactions.read import read_to_send
from openward.fhir.store import Store

Authenticate = Callable[[Mapping[str, Any]], Any]
OpenStore = Callable[[Any], AbstractContextManager[Store]]
Security = Callable[[str], Mapping[str, Any]]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def fhir_app(
    authenticate: Authenticate,
    open_store: OpenStore,
    base: str = "/fhir",
    *,
    open_reading_store: OpenStore | None = None,
    limit: int = MAX_BODY,
    security: Security | None = None,
) -> Application:
    """A WSGI callable that serves the record at `base`.

    `authenticate(environ)` gives the actor or raises Unauthenticated; `open_store(actor)` is a context manager that gives their store,
    `open_reading_store` one for what only reads.
    `limit` is the largest body taken, in bytes, packed or unpacked. Only `metadata` is answered without an actor; `security(base)` is what it says
    of how actors prove themselves.
    """

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if (named := named_plainly(environ, base)) is not None:
            return read_plainly(*named, environ, start_response)
        request = Request(environ, base, limit)
        try:
            response = _stated(request, security) or _answer(request, authenticate, open_store, open_reading_store or open_store)
        except Exception as error:
            response = Response.error(as_fhir_error(error))
        return response.send(request, start_response)

    def read_plainly(type: str, id: str, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            with (open_reading_store or open_store)(authenticate(environ)) as store:
                sent = read_to_send(store, type, id)
        except Exception as error:
            return Response.error(as_fhir_error(error)).send(Request(environ, base, limit), start_response)
        return send_plainly(sent, environ, start_response)

    return application


def _stated(request: Request, security: Security | None) -> Response | None:
    """The CapabilityStatement, when that is what is asked for."""
    if request.segments != ("metadata",) or request.method not in ("GET", "HEAD"):
        return None
    request.check_accept()
    return Response.json(capabilities(request.url, security(request.url) if security else None))


def _answer(request: Request, authenticate: Authenticate, open_store: OpenStore, open_reading_store: OpenStore) -> Response:
    if request.segments[:1] not in (("_export",), ("_import",)):  # whose files are asked for as NDJSON
        request.check_accept()
    actor = authenticate(request.environ)
    handler = handler_of(request)
    with (open_store if writes(request.segments, request.method) else open_reading_store)(actor) as store:
        return handler(store, request)
