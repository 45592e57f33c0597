"""Who is asking and what they may do: the one place where pages meet `accounts` and `access`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.http import HttpRequest

    from openward.access.actor import Actor
    from openward.access.permissions import Permission


# When the person last proved who they are, in seconds, and how long that is enough for what is risky.
PROVED_AT = "proved_at"
FRESH_SECONDS = 15 * 60


def proved_lately(request: HttpRequest) -> bool:
    """Whether who is signed in has shown a whole proof (not a PIN) within a quarter of an hour."""
    return time.time() - request.session.get(PROVED_AT, 0) < FRESH_SECONDS


def actor_of(request: HttpRequest) -> Actor | None:
    """The signed-in actor, or None for nobody; made once per request, with the request's id and address for the audit trail."""
    known: Actor | None = getattr(request, "actor", None)
    if known is not None:
        return known
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    actor: Actor = user.actor().during(request_id=getattr(request, "request_id", None), address=request.META.get("REMOTE_ADDR"))
    request.actor = actor  # type: ignore[attr-defined]
    return actor


def may(actor: Actor | None, permission: Permission | None) -> bool:
    """Whether the actor may use what needs `permission`; None asks only for an actor."""
    return actor is not None and (permission is None or actor.may(permission))
