"""Bearer tokens of client programs: made once, shown once, kept as a digest."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import time

from django.db.models import Q
from django.utils import timezone

from openward.access.actor import Actor
from openward.access.scopes import Scopes
from openward.accounts.models import ClientToken

# How long a token that was found valid is taken as valid without asking the database again; a revoked one works no longer than this.
TRUST_FOR_SECONDS = 5.0
REMEMBER_AT_MOST = 10_000

_known: dict[bytes, tuple[float, Actor]] = {}


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def make_token(*, client: str, scope: str, tenant: int = 1, valid_for: dt.timedelta | None = None) -> str:
    """A new token for `client`; raises InvalidScope."""
    Scopes.parse(scope)
    token = secrets.token_urlsafe(32)
    expires_at = timezone.now() + valid_for if valid_for else None
    ClientToken.objects.create(digest=digest(token), client=client, scope=scope, tenant=tenant, expires_at=expires_at)
    return token


def actor_for(token: str) -> Actor | None:
    """The client a token belongs to, or None if it is unknown, expired or revoked."""
    key = digest(token)
    known = _known.get(key)
    now = time.monotonic()
    if known and known[0] > now:
        return known[1]
    actor = _look_up(key)
    if actor is None:
        _known.pop(key, None)
        return None
    if len(_known) >= REMEMBER_AT_MOST:
        _known.clear()
    _known[key] = (now + TRUST_FOR_SECONDS, actor)
    return actor


def _look_up(key: bytes) -> Actor | None:
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    row = ClientToken.objects.filter(alive, digest=key, revoked_at__isnull=True).first()
    return row.actor() if row else None


def revoke(*, client: str, tenant: int = 1) -> int:
    """Revoke every token of a client; how many there were."""
    _known.clear()
    return ClientToken.objects.filter(client=client, tenant=tenant, revoked_at__isnull=True).update(revoked_at=timezone.now())
