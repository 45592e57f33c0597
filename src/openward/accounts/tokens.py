"""Bearer tokens: made once, shown once, kept as a digest. Those of client programs are made here (`openward token`); others bring their own source."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from openward.access.actor import Actor
from openward.access.scopes import Scopes
from openward.accounts.models import ClientToken

# How long a token that was found valid is taken as valid without asking the database again; a revoked one works no longer than this.
TRUST_FOR_SECONDS = 5.0
REMEMBER_AT_MOST = 10_000

_known: dict[bytes, tuple[float, Actor]] = {}


@dataclass(frozen=True, slots=True)
class Found:
    """Who a token speaks for, and how many seconds more."""

    actor: Actor
    seconds: float = TRUST_FOR_SECONDS


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of token: `look_up` by digest, and whether an actor it gave a token may still act by it (None: not one of its own)."""

    look_up: Callable[[bytes], Found | None]
    stands: Callable[[Actor], bool | None]


_sources: list[Source] = []


def register(source: Source) -> None:
    """Ask this source too for tokens that are not known here. Once, when the program starts."""
    if source not in _sources:
        _sources.append(source)


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
    """The actor a token speaks for, or None if it is unknown, expired or revoked."""
    key = digest(token)
    known = _known.get(key)
    now = time.monotonic()
    if known and known[0] > now:
        return known[1]
    found = _look_up(key)
    if found is None:
        _known.pop(key, None)
        return None
    if len(_known) >= REMEMBER_AT_MOST:
        _known.clear()
    _known[key] = (now + min(found.seconds, TRUST_FOR_SECONDS), found.actor)
    return found.actor


def _look_up(key: bytes) -> Found | None:
    now = timezone.now()
    row = ClientToken.objects.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now), digest=key, revoked_at__isnull=True).first()
    if row is not None:
        return Found(row.actor(), (row.expires_at - now).total_seconds() if row.expires_at else TRUST_FOR_SECONDS)
    return next((found for source in _sources if (found := source.look_up(key)) is not None), None)


def stands(actor: Actor) -> bool | None:
    """Whether an actor whose token came from another source may still act by it; None when it did not."""
    return next((answer for source in _sources if (answer := source.stands(actor)) is not None), None)


def forget() -> None:
    """Take no token as valid before the database was asked again: one of them was revoked."""
    _known.clear()


def revoke(*, client: str, tenant: int = 1) -> int:
    """Revoke every token of a client; how many there were."""
    _known.clear()
    return ClientToken.objects.filter(client=client, tenant=tenant, revoked_at__isnull=True).update(revoked_at=timezone.now())
