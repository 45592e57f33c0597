"""What a token response says beside the token: whose record it is about, and who is using the app.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
"""

from __future__ import annotations

import time
from typing import Any

from openward.smart import lifetimes, signing
from openward.smart.models import Connection

LASTING = frozenset({"offline_access", "online_access"})


def told(token: dict[str, Any], connection: Connection, issuer: str) -> dict[str, Any]:
    """The response, amended. A refresh token is given only with `offline_access` or `online_access`."""
    contexts = connection.scopes.contexts
    if not contexts & LASTING:
        token.pop("refresh_token", None)
    token.update(_context(connection))
    if "openid" in contexts:
        token["id_token"] = id_token(connection, issuer)
    return token


def _context(connection: Connection) -> dict[str, Any]:
    said: dict[str, Any] = {"patient": connection.patient} if connection.patient else {}
    if connection.encounter:
        said["encounter"] = connection.encounter
    if connection.patient:
        said["need_patient_banner"] = connection.user is not None and connection.user.role != "patient"
    return said


def id_token(connection: Connection, issuer: str) -> str:
    """https://openid.net/specs/openid-connect-core-1_0.html#IDToken"""
    now = int(time.time())
    claims: dict[str, Any] = {
        **who_it_is(connection, issuer),
        "aud": connection.app.client_id,
        "iat": now,
        "exp": now + int(lifetimes.ID_TOKEN.total_seconds()),
    }
    if connection.signed_in_at:
        claims["auth_time"] = int(connection.signed_in_at.timestamp())
    if connection.nonce:
        claims["nonce"] = connection.nonce
    return signing.sign(claims)


def who_it_is(connection: Connection, issuer: str) -> dict[str, str]:
    """The claims about the person: whose word it is, who, and, where that was asked for, which resource they are."""
    assert connection.user is not None
    said = {"iss": issuer, "sub": str(connection.user.id)}
    if "fhirUser" in connection.scopes.contexts and connection.user.reference:
        said["fhirUser"] = f"{issuer}/{connection.user.reference}"
    return said
