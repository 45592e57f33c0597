"""Which client is asking: by one way of proving it, the one its app is registered for."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus
from uuid import UUID

from openward.accounts.tokens import digest
from openward.smart.assertions import ASSERTION_TYPE, LARGEST, NotProven, issuer, proven
from openward.smart.models import App, RefreshToken


@dataclass(frozen=True, slots=True)
class Credentials:
    """What came with the request. `authorization` is the header."""

    client_id: str | None
    authorization: str | None
    client_secret: str | None
    assertion: str | None
    assertion_type: str | None
    refresh_token: str | None = None


def known(client_id: str | None) -> App | None:
    """The app of this id, written exactly as it was given out, if it works."""
    try:
        id = UUID(client_id or "")
    except ValueError:
        return None
    app = App.objects.filter(id=id).first()
    return app if app is not None and app.is_open and app.client_id == client_id else None


def authenticated(sent: Credentials, audiences: frozenset[str]) -> App:
    """The client that proved itself. Raises NotProven, also for two ways at once and for another way than its own."""
    ways = [sent.authorization is not None, sent.client_secret is not None, sent.assertion is not None or sent.assertion_type is not None]
    if sum(ways) > 1:
        raise NotProven("two ways at once")
    if sent.client_secret is not None:
        raise NotProven("a secret belongs into the Authorization header")
    if sent.authorization is not None:
        return _by_secret(sent)
    if sent.assertion is not None or sent.assertion_type is not None:
        return _by_keys(sent, audiences)
    app = _holding(sent.refresh_token) if sent.client_id is None and sent.refresh_token else known(sent.client_id)
    if app is None or app.kind != App.Kind.PUBLIC:
        raise NotProven("client")
    return app


def claimed(sent: Credentials) -> str:
    """Whom it says it is from, nothing proved; empty where it does not say. For counting."""
    if sent.client_id:
        return sent.client_id
    if sent.authorization:
        return _basic(sent.authorization)[0]
    if sent.assertion and len(sent.assertion) <= LARGEST:
        return issuer(sent.assertion)
    return ""


def _holding(refresh_token: str) -> App | None:
    """A public client need not say who it is when it refreshes: its name would prove nothing, and the token is one client's anyway.

    https://hl7.org/fhir/smart-app-launch/app-launch.html#request-4
    """
    row = RefreshToken.objects.filter(digest=digest(refresh_token)).select_related("connection__app").first()
    return row.connection.app if row is not None and row.connection.app.is_open else None


def _by_secret(sent: Credentials) -> App:
    """HTTP Basic; both halves are form-encoded first. https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1"""
    id, secret = _basic(sent.authorization or "")
    if not id:
        raise NotProven("header")
    app = known(id)
    expected = bytes(app.secret_digest) if app and app.kind == App.Kind.SECRET and app.secret_digest else b""
    right = hmac.compare_digest(expected, digest(secret))
    if app is None or not right:
        raise NotProven("secret")
    return _named(app, sent)


def _basic(header: str) -> tuple[str, str]:
    """Id and secret; both empty for what is no such header."""
    kind, _, encoded = header.partition(" ")
    try:
        id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode("ascii").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (unquote_plus(id), unquote_plus(secret)) if kind.lower() == "basic" else ("", "")


def _by_keys(sent: Credentials, audiences: frozenset[str]) -> App:
    if sent.assertion_type != ASSERTION_TYPE or not sent.assertion:
        raise NotProven("assertion type")
    return _named(proven(sent.assertion, audiences), sent)


def _named(app: App, sent: Credentials) -> App:
    if sent.client_id is not None and sent.client_id != app.client_id:
        raise NotProven("client_id of another")
    return app


def credentials(fields: Mapping[str, Any], authorization: str | None) -> Credentials:
    return Credentials(
        fields.get("client_id"),
        authorization,
        fields.get("client_secret"),
        fields.get("client_assertion"),
        fields.get("client_assertion_type"),
        fields.get("refresh_token") if fields.get("grant_type") == "refresh_token" else None,
    )
