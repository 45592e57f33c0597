"""The public keys of clients that sign: given with the registration, or fetched from where the client publishes them.

A client's address is fetched by the rules of `openward.fhir.outgoing` (nothing private, no redirects, an end to everything), kept for a while, and
asked again for a `kid` that is not known, but not more often than once a minute.
"""

from __future__ import annotations

import io
import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey

from openward.fhir.outgoing import Unreachable, fetch, networks

KEPT_SECONDS = 300.0
ASKED_AGAIN_SECONDS = 60.0
FETCH_SECONDS = 5.0
LARGEST = 64 * 1024
KEYS_AT_MOST = 20
RSA_BITS = 2048
PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "k", "oth")


class BadKeys(ValueError):
    """These are no public keys this server can take: {why}"""

    def __init__(self, why: str) -> None:
        super().__init__((type(self).__doc__ or "").format(why=why))


@dataclass(slots=True)
class Fetched:
    """What stood at an address, and until when it is not asked again."""

    keys: list[Key] = field(default_factory=list)
    fresh_until: float = 0.0
    asked_at: float = float("-inf")


_fetched: dict[str, Fetched] = {}


def keys_of(jwks: Any) -> list[Key]:
    """The keys of a JWK Set for RS384 (RSA of 2048 bits or more) and ES384 (P-384). Raises BadKeys, also for one that shows its private part."""
    listed = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(listed, list) or not 0 < len(listed) <= KEYS_AT_MOST or not all(isinstance(one, Mapping) for one in listed):
        raise BadKeys(f'a JWK Set is {{"keys": […]}} with 1 to {KEYS_AT_MOST} keys.')
    keys = [_key(one) for one in listed if one.get("use", "sig") == "sig" and one.get("kty") in ("RSA", "EC")]
    if len({key.kid for key in keys}) != len(keys):
        raise BadKeys("two keys have the same kid.")
    if not keys:
        raise BadKeys("none of them is an RSA or EC key for signatures.")
    return keys


def _key(stated: Mapping[str, Any]) -> Key:
    if any(name in stated for name in PRIVATE):
        raise BadKeys("a private key must never leave its owner; make a new one.")
    if not isinstance(stated.get("kid"), str) or not 0 < len(stated["kid"]) <= 200:
        raise BadKeys("each needs a kid.")
    if stated["kty"] == "RSA" and _bits(stated.get("n")) < RSA_BITS:
        raise BadKeys(f"RSA keys have {RSA_BITS} bits or more.")
    try:
        key: Key = RSAKey.import_key(dict(stated)) if stated["kty"] == "RSA" else ECKey.import_key(dict(stated))
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise BadKeys("one of them cannot be read.") from error
    if isinstance(key, ECKey) and key.curve_name != "P-384":
        raise BadKeys("EC keys are on P-384.")
    return key


def _bits(modulus: Any) -> int:
    """The length of an RSA key; 0 for what is no number. https://www.rfc-editor.org/rfc/rfc7518#section-6.3.1.1"""
    if not isinstance(modulus, str) or not modulus.isascii() or len(modulus) > LARGEST:
        return 0
    try:
        return int.from_bytes(urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4)), "big").bit_length()
    except ValueError:
        return 0


def find(jwks: Any, jwks_uri: str, kid: str, algorithm: str) -> Key | None:
    """The client's key of this `kid` that fits the algorithm."""
    wanted = {"RS384": RSAKey, "ES384": ECKey}[algorithm]
    given = keys_of(jwks) if jwks else published(jwks_uri, kid)
    return next((key for key in given if key.kid == kid and isinstance(key, wanted)), None)


def published(url: str, kid: str) -> list[Key]:
    """What the client publishes, from memory while it is fresh and has this `kid`. An address that does not answer leaves what was known."""
    known = _fetched.setdefault(url, Fetched())
    now = time.monotonic()
    has_it = any(key.kid == kid for key in known.keys)
    if (has_it and known.fresh_until > now) or now - known.asked_at < ASKED_AGAIN_SECONDS:
        return known.keys if known.fresh_until > now else []
    known.asked_at = now
    try:
        known.keys, known.fresh_until = _fetch(url), now + KEPT_SECONDS
    except (Unreachable, BadKeys):
        return known.keys if known.fresh_until > now else []
    return known.keys


def _fetch(url: str) -> list[Key]:
    body = io.BytesIO()
    allowed = networks(settings.OPENWARD_PRIVATE_TARGETS)
    fetch(url, body, {"Accept": "application/json"}, seconds=FETCH_SECONDS, at_most=LARGEST, allowed=allowed)
    try:
        return keys_of(json.loads(body.getvalue()))
    except (ValueError, RecursionError) as error:
        raise BadKeys("what stands there is no JSON.") from error


def forget() -> None:
    _fetched.clear()
