"""Who is asking and what they may do: the one place where pages meet `accounts` and `access`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.http import HttpRequest

    from openward.access.actor import Actor
    from openward.access.permissions import Permission


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
