"""Clients that prove themselves by a signed JWT. https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from joserfc import jws, jwt
from joserfc.errors import JoseError

from openward.accounts.tokens import digest
from openward.smart.clientkeys import BadKeys, find
from openward.smart.models import App, Assertion

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("RS384", "ES384")
LIVES_AT_MOST = 300
CLOCKS_DIFFER = 30
LARGEST = 8192


class NotProven(Exception):
    """The text says which check failed; it goes into the trail, not to the client."""


def proven(assertion: str, audiences: frozenset[str]) -> App:
    """The app that signed this assertion, for one of `audiences`, now and for the first time. Raises NotProven."""
    header = _header(assertion)
    app = _app(assertion)
    key = _key(app, header)
    try:
        claims = jwt.decode(assertion, key, algorithms=[header["alg"]]).claims
    except (JoseError, ValueError) as error:
        raise NotProven("signature") from error
    _check(claims, app, audiences)
    _once(app, claims)
    return app


def _header(assertion: str) -> Mapping[str, Any]:
    """The protected header. The algorithm is one of two whatever it says, and is never taken from the key."""
    if not assertion.isascii() or not 0 < len(assertion) <= LARGEST or assertion.count(".") != 2:
        raise NotProven("form")
    try:
        header = jws.extract_compact(assertion.encode()).protected
    except (JoseError, ValueError) as error:
        raise NotProven("form") from error
    if header.get("alg") not in ALGORITHMS:
        raise NotProven("alg")
    if not isinstance(header.get("kid"), str):
        raise NotProven("kid")
    if "crit" in header or header.get("typ", "JWT") != "JWT":
        raise NotProven("header")
    return header


def _app(assertion: str) -> App:
    """Who it says it is from; its signature has yet to be checked by that app's keys."""
    try:
        claims = json.loads(jws.extract_compact(assertion.encode()).payload)
        id = UUID(claims["iss"])
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NotProven("iss") from error
    app = App.objects.filter(id=id, kind=App.Kind.KEYS).first()
    if app is None or not app.is_open or claims["iss"] != app.client_id or claims.get("sub") != app.client_id:
        raise NotProven("client")
    return app


def issuer(assertion: str) -> str:
    """Who an assertion says it is from, nothing checked; empty where it does not say."""
    try:
        named = json.loads(jws.extract_compact(assertion.encode()).payload)["iss"]
    except (JoseError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return named if isinstance(named, str) else ""


def _key(app: App, header: Mapping[str, Any]) -> Any:
    if "jku" in header and header["jku"] != app.jwks_uri:
        raise NotProven("jku")
    try:
        key = find(app.jwks, app.jwks_uri, header["kid"], header["alg"])
    except BadKeys as error:
        raise NotProven("keys") from error
    if key is None:
        raise NotProven("kid")
    return key


def _check(claims: Mapping[str, Any], app: App, audiences: frozenset[str]) -> None:
    now = time.time()
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if not any(isinstance(one, str) and one in audiences for one in named):
        raise NotProven("aud")
    if claims.get("iss") != app.client_id or claims.get("sub") != app.client_id:
        raise NotProven("sub")
    expires = _seconds(claims, "exp")
    if expires is None or expires <= now - CLOCKS_DIFFER:
        raise NotProven("expired")
    if expires > now + LIVES_AT_MOST + CLOCKS_DIFFER:
        raise NotProven("exp too far")
    if any((moment := _seconds(claims, name)) is not None and moment > now + CLOCKS_DIFFER for name in ("iat", "nbf")):
        raise NotProven("not yet")
    if not isinstance(claims.get("jti"), str) or not 0 < len(claims["jti"]) <= 500:
        raise NotProven("jti")


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    """Raises NotProven for what is there and no number."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        raise NotProven(name)
    return float(value)


def _once(app: App, claims: Mapping[str, Any]) -> None:
    """The table says whether it was here before: two at once cannot both be first."""
    expires = dt.datetime.fromtimestamp(claims["exp"] + 2 * CLOCKS_DIFFER, dt.UTC)
    try:
        with transaction.atomic():
            Assertion.objects.create(app=app, jti=digest(claims["jti"]), expires_at=expires)
    except IntegrityError:
        raise NotProven("replayed") from None
