"""Looking after someone else's record in the portal: who acts for whom in this session."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse

from openward.access.proxies import as_proxy, grants_of

if TYPE_CHECKING:
    from openward.access.actor import Actor

KEY = "looks_after"
Handler = Callable[[HttpRequest], HttpResponse]


class ActsForAnother:
    """Put on the request, in place of who signed in, the same person acting for the one they chose, while they have leave to.

    Someone without a record of their own acts for the first they may look after. The grant is asked at every request: once it ends they are themselves.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        actor: Actor | None = getattr(request, "actor", None)
        if actor is not None and actor.kind == "patient":
            request.self_actor = actor  # type: ignore[attr-defined]
            request.actor = acting_as(actor, request.session.get(KEY, ""))  # type: ignore[attr-defined]
        return self.get_response(request)


def acting_as(actor: Actor, chosen: str) -> Actor:
    """The actor of this request: for `chosen` (a Patient's reference), else themselves, else for the first of whom they may look after."""
    proxy = as_proxy(actor, chosen) if chosen else None
    if proxy is not None:
        return proxy
    if actor.reference is None or not actor.reference.startswith("Patient/"):
        grants = grants_of(actor)
        return (as_proxy(actor, grants[0].reference) if grants else None) or actor
    return actor
