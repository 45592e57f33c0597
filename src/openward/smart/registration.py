"""What an app may be registered with, whoever does it: an administrator by hand, or the app itself (RFC 7591) where that is switched on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from openward.access.actor import Actor
from openward.access.scopes import CONTEXTS, InvalidScope, Scopes
from openward.accounts.tokens import digest
from openward.audit.auditor import note
from openward.fhir.outgoing import Unreachable, check_form
from openward.record.connection import connection as wire
from openward.smart.clientkeys import BadKeys, keys_of
from openward.smart.grants import new_token
from openward.smart.models import EVERY_LEVEL, App

LARGEST = 64 * 1024
ADDRESSES_AT_MOST = 10
WAITING_AT_MOST = 50
LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
HOST = re.compile(r"(?:[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
METHODS = {"none": App.Kind.PUBLIC, "client_secret_basic": App.Kind.SECRET, "private_key_jwt": App.Kind.KEYS}

UNSAID = "client_secret_basic"  # what a client that does not say is understood to want: RFC 7591, section 2


class BadApp(ValueError):
    """What is wrong with the registration; `field` is where. `code` is RFC 7591's."""

    def __init__(self, field: str, words: str, code: str = "invalid_client_metadata") -> None:
        super().__init__(words)
        self.field, self.code = field, code


@dataclass(frozen=True, slots=True)
class Draft:
    """The facts of an app before they are checked."""

    name: str
    kind: str
    scope: str
    redirect_uris: list[str] = field(default_factory=list)
    launch_url: str = ""
    jwks: Any = None
    jwks_uri: str = ""
    about: str = ""
    publisher: str = ""
    for_staff: bool = False
    for_patients: bool = False


def check(draft: Draft) -> None:
    """Raises BadApp."""
    try:
        scopes = Scopes.parse(draft.scope, EVERY_LEVEL, CONTEXTS)
    except InvalidScope as error:
        raise BadApp("scope", str(error)) from error
    levels = {scope.level for scope in scopes.resources}
    if "system" in levels and draft.kind != App.Kind.KEYS:
        raise BadApp("scope", "system/ scopes are for a program that signs with its own key.")
    if not draft.redirect_uris and (levels - {"system"} or scopes.contexts):
        raise BadApp("redirect_uris", "An app that people use needs an address to come back to.", "invalid_redirect_uri")
    if len(draft.redirect_uris) > ADDRESSES_AT_MOST:
        raise BadApp("redirect_uris", f"{ADDRESSES_AT_MOST} addresses at most.", "invalid_redirect_uri")
    for address in draft.redirect_uris:
        _check_address("redirect_uris", address, draft.kind)
    if draft.launch_url:
        _check_address("launch_url", draft.launch_url, App.Kind.SECRET)
    _check_keys(draft)


def _check_address(where: str, address: str, kind: str) -> None:
    """https, or http on the app's own machine; for an app that keeps no secret also a scheme of its own, such as com.example.app:/back."""
    code = "invalid_redirect_uri"
    try:
        parts = urlsplit(address)
    except ValueError:
        raise BadApp(where, "This is no address.", code) from None
    if not address.isascii() or len(address) > 500 or any(ord(letter) < 33 for letter in address) or "#" in address or "*" in address:
        raise BadApp(where, "An address is written out in full, without # and *.", code)
    if parts.netloc and not HOST.fullmatch(parts.netloc):  # no sign-in either, and nothing that means something in a header
        raise BadApp(where, "After // stands the name of a host, and perhaps a port.", code)
    local = parts.scheme == "http" and parts.netloc.rpartition(":")[0] in LOOPBACK or parts.scheme == "http" and parts.netloc in LOOPBACK
    own = kind == App.Kind.PUBLIC and "." in parts.scheme and not parts.netloc
    if not (parts.scheme == "https" and parts.hostname) and not local and not own:
        raise BadApp(where, "An address begins with https:// (http:// only on the app's own machine).", code)


def _check_keys(draft: Draft) -> None:
    if draft.kind != App.Kind.KEYS:
        if draft.jwks or draft.jwks_uri:
            raise BadApp("jwks", "Only an app that signs with its own key has public keys.")
        return
    if bool(draft.jwks) == bool(draft.jwks_uri):
        raise BadApp("jwks", "Give the public keys, or the address where they are: one of both.")
    try:
        if draft.jwks:
            keys_of(draft.jwks)
        elif check_form(draft.jwks_uri).scheme != "https" and not _is_local(draft.jwks_uri):
            raise BadApp("jwks_uri", "The keys are fetched by https only.")
    except BadKeys as error:
        raise BadApp("jwks", str(error)) from error
    except Unreachable as error:
        if not _is_local(draft.jwks_uri):
            raise BadApp("jwks_uri", str(error)) from error


def _is_local(address: str) -> bool:
    """On this very machine; whether it may be asked there is up to OPENWARD_PRIVATE_TARGETS each time."""
    try:
        return urlsplit(address).hostname in ("127.0.0.1", "::1", "localhost")
    except ValueError:
        return False


def register(draft: Draft, *, by: Actor, approved: bool) -> tuple[App, str | None]:
    """(the app, its secret, which is shown this once). Raises BadApp."""
    check(draft)
    secret = new_token() if draft.kind == App.Kind.SECRET else None
    app = App.objects.create(
        tenant=by.tenant,
        name=draft.name,
        about=draft.about,
        publisher=draft.publisher,
        kind=draft.kind,
        scope=" ".join(draft.scope.split()),
        redirect_uris=draft.redirect_uris,
        launch_url=draft.launch_url,
        jwks=draft.jwks or None,
        jwks_uri=draft.jwks_uri,
        secret_digest=digest(secret) if secret else None,
        for_staff=draft.for_staff,
        for_patients=draft.for_patients,
        made_by=by.name,
        **({"approved_at": timezone.now(), "approved_by": by.name} if approved else {}),
    )
    note(wire(), by, "register-app", detail=f"app:{app.client_id}{' approved' if approved else ''}")
    return app, secret


def by_itself(body: bytes) -> tuple[dict[str, Any], int]:
    """(what the app is told, the status). It waits for an administrator. https://www.rfc-editor.org/rfc/rfc7591#section-3"""
    who = Actor(id="system:app-registration", name="An app, by itself", kind="system", tenant=1, purpose="SECURITY")
    try:
        sent: Any = json.loads(body) if len(body) <= LARGEST else None
        if App.objects.filter(approved_at__isnull=True, ended_at__isnull=True).count() >= WAITING_AT_MOST:
            return {"error": "temporarily_unavailable", "error_description": "Too many apps wait for approval."}, 503
        app, secret = register(_draft(sent), by=who, approved=False)
    except BadApp as error:
        return {"error": error.code, "error_description": str(error)}, 400
    except (ValueError, RecursionError):
        return {"error": "invalid_client_metadata", "error_description": "Send a JSON object of at most 64 KB."}, 400
    told = {"client_id": app.client_id, "client_id_issued_at": int(app.made_at.timestamp()), "client_name": app.name, "scope": app.scope}
    told |= {"redirect_uris": app.redirect_uris, "token_endpoint_auth_method": next(name for name, kind in METHODS.items() if kind == app.kind)}
    told |= {"grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"]}
    told |= {name: value for name, value in (("jwks", app.jwks), ("jwks_uri", app.jwks_uri), ("initiate_login_uri", app.launch_url)) if value}
    return (told | ({"client_secret": secret, "client_secret_expires_at": 0} if secret else {})), 201


def _draft(sent: Any) -> Draft:
    """Raises BadApp. What an app cannot decide about itself is not taken from it: who may use it, and system/ scopes."""
    if not isinstance(sent, Mapping):
        raise BadApp("", "Send a JSON object of at most 64 KB.")
    method = sent.get("token_endpoint_auth_method", UNSAID)
    if not isinstance(method, str) or method not in METHODS:
        raise BadApp("token_endpoint_auth_method", "One of none, client_secret_basic, private_key_jwt.")
    addresses = sent.get("redirect_uris")
    if not isinstance(addresses, list) or not addresses or not all(isinstance(one, str) for one in addresses):
        raise BadApp("redirect_uris", "A list of addresses.", "invalid_redirect_uri")
    texts = {name: sent.get(name, "") for name in ("client_name", "scope", "jwks_uri", "initiate_login_uri")}
    if not all(isinstance(text, str) for text in texts.values()) or not texts["client_name"].strip() or not texts["scope"]:
        raise BadApp("client_name", "client_name and scope are texts.")
    if "system/" in texts["scope"]:
        raise BadApp("scope", "system/ scopes are given by an administrator only.")
    return Draft(
        name=texts["client_name"].strip()[:100],
        kind=METHODS[method],
        scope=texts["scope"],
        redirect_uris=addresses,
        launch_url=texts["initiate_login_uri"],
        jwks=sent.get("jwks"),
        jwks_uri=texts["jwks_uri"][:500],
        for_patients=True,
    )
