"""Where programs ask: tokens, what a token is worth, giving it back, keys and discovery. No session, no cookies, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error

from openward.access.actor import Actor
from openward.accounts.throttle import TooFast
from openward.audit.auditor import note
from openward.record.connection import connection as wire
from openward.smart import brands, clients, discovery, pacing, registration, signing
from openward.smart.context import Asking
from openward.smart.grants import Grants
from openward.smart.validator import Validator
from openward.web.pages import PageRequest, page

LARGEST = 64 * 1024
FORM = "application/x-www-form-urlencoded"
NEVER_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}
BASIC = {"WWW-Authenticate": 'Basic realm="Openward apps", charset="UTF-8"'}
GRANTS = ("authorization_code", "refresh_token", "client_credentials")
Answer = tuple[Mapping[str, str], str, int]


@csrf_exempt
@page("smart:token", public=True, methods=("POST",))
def token(request: PageRequest) -> HttpResponse:
    """https://www.rfc-editor.org/rfc/rfc6749#section-3.2"""
    return _answer(request, "app-token", lambda grants, *sent: grants.token.create_token_response(*sent))


@csrf_exempt
@page("smart:introspect", public=True, methods=("POST",))
def introspect(request: PageRequest) -> HttpResponse:
    """https://www.rfc-editor.org/rfc/rfc7662"""
    return _answer(request, "app-introspect", lambda grants, *sent: grants.introspection.create_introspect_response(*sent))


@csrf_exempt
@page("smart:revoke", public=True, methods=("POST",))
def revoke(request: PageRequest) -> HttpResponse:
    """https://www.rfc-editor.org/rfc/rfc7009"""
    return _answer(request, "app-revoke", lambda grants, *sent: grants.revocation.create_revocation_response(*sent))


def _answer(request: PageRequest, what: str, ask: Callable[..., Answer]) -> HttpResponse:
    """One transaction, whatever the answer: a family that ends because of a stolen token stays ended though the request is refused."""
    asking = Asking.of(request)
    grants = Grants(asking)
    try:
        body = _form(request)
        sent = clients.credentials(dict(parse_qsl(body)), request.META.get("HTTP_AUTHORIZATION"))
        pacing.client_may_ask(request, what, clients.claimed(sent))
        with transaction.atomic():
            _headers_told, text, status = ask(grants, f"{asking.origin}{request.path}", "POST", body, _headers(request))
            _noted(request, what, dict(parse_qsl(body)).get("grant_type"), status, grants.validator, _error(text, status))
    except TooFast as trouble:
        pacing.too_fast(request, what, trouble)
        return pacing.told(trouble)
    except OAuth2Error as error:
        text, status = error.json, error.status_code
    if status == 401:
        status = _not_proven(request, what)
    return HttpResponse(text, status=status, content_type="application/json", headers={**(BASIC if status == 401 else {}), **NEVER_KEPT})


def _not_proven(request: PageRequest, what: str) -> int:
    """401 to who used the header, and to who may not introspect; who sent a statement that is none, or nothing, has sent a wrong request.

    https://www.rfc-editor.org/rfc/rfc6749#section-5.2 https://www.rfc-editor.org/rfc/rfc7662#section-2.3
    """
    return 401 if "HTTP_AUTHORIZATION" in request.META or what == "app-introspect" else 400


def _form(request: PageRequest) -> str:
    """The body. Raises InvalidRequestError for what is no form, is too long, or says anything twice."""
    if request.content_type != FORM or int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST or request.META.get("QUERY_STRING"):
        raise InvalidRequestError(description=f"Send {FORM}, and nothing in the address.")
    try:
        text = request.body.decode("ascii")
        names = [name for name, _ in parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=30)]
    except ValueError as error:
        raise InvalidRequestError(description="This is no form.") from error
    if len(names) != len(set(names)):
        raise InvalidRequestError(description="A parameter is there twice.")
    return text


def _headers(request: PageRequest) -> dict[str, str]:
    return {"Authorization": request.META["HTTP_AUTHORIZATION"]} if "HTTP_AUTHORIZATION" in request.META else {}


def _error(text: str, status: int) -> str | None:
    return str(json.loads(text).get("error")) if status >= 400 else None


def _noted(request: PageRequest, what: str, grant: str | None, status: int, validator: Validator, error: str | None) -> None:
    """Every answer is on record under the app that proved itself; a refusal with the reason that the client is not told."""
    app = validator.app
    who = Actor(
        id=f"client:{app.client_id if app else 'unknown'}",
        name=app.name if app else "Unknown app",
        kind="client",
        tenant=app.tenant if app else 1,
        purpose="SECURITY",
        request_id=getattr(request, "request_id", None),
        address=request.META.get("REMOTE_ADDR"),
    )
    said = [grant if grant in GRANTS else "", validator.refusal or error or ""]  # what else was sent there may be anything
    note(wire(), who, what, detail=" ".join(part for part in said if part) or None, outcome=4 if status >= 400 else 0)


@page("smart:jwks", public=True)
def jwks(request: PageRequest) -> HttpResponse:
    return JsonResponse(signing.published())


@page("smart:configuration", public=True)
def configuration(request: PageRequest) -> HttpResponse:
    return JsonResponse(discovery.smart_configuration(Asking.of(request)))


@page("smart:openid", public=True)
def openid(request: PageRequest) -> HttpResponse:
    return JsonResponse(discovery.openid_configuration(Asking.of(request)))


@page("smart:brands", public=True)
def brands_bundle(request: PageRequest) -> HttpResponse:
    return JsonResponse(brands.bundle(Asking.of(request)), content_type="application/fhir+json")


@csrf_exempt
@page("smart:register", public=True, methods=("POST",))
def register(request: PageRequest) -> HttpResponse:
    """https://www.rfc-editor.org/rfc/rfc7591"""
    if not settings.OPENWARD_SMART_REGISTRATION:
        raise Http404
    try:
        pacing.address_may_ask(request, "register-app", pacing.REGISTERING)
    except TooFast as trouble:
        pacing.too_fast(request, "register-app", trouble)
        return pacing.told(trouble)
    told, status = registration.by_itself(request.body[: registration.LARGEST + 1])
    return JsonResponse(told, status=status, headers=NEVER_KEPT)
