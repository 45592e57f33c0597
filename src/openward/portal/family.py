"""Looking after someone else's record in the portal: who acts for whom in this session, and that what is sent is meant for the record they are in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from openward.access.proxies import as_proxy, grants_of
from openward.web import given_back
from openward.web.pages import toast

if TYPE_CHECKING:
    from openward.access.actor import Actor

KEY = "looks_after"
WHOSE = "_whose"
Handler = Callable[[HttpRequest], HttpResponse]


class ActsForAnother:
    """Put on the request, in place of who signed in, the same person acting for the one they chose, while they have leave to.

    Someone without a record of their own acts for the first they may look after. The grant is asked at every request: once it ends they are themselves,
    and are told so. A form of the portal names the record it was opened in (`{% whose %}`): in another window, or while it was being written, they may
    have come to another one, and what was meant for one person is not done to the other.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        actor: Actor | None = getattr(request, "actor", None)
        if actor is not None and actor.kind == "patient":
            request.self_actor = actor  # type: ignore[attr-defined]
            request.actor = _acting(request, actor)  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: Any, ids: Any) -> HttpResponse | None:
        """After Django has seen that the form is one of ours, since what it brought is shown again."""
        actor: Actor | None = getattr(request, "actor", None)
        if actor is None or actor.kind != "patient" or not request.path_info.startswith(reverse("portal:home")):
            return None
        if request.method == "POST" and request.POST.get(WHOSE, actor.reference) != actor.reference:
            return given_back.page(request, title=_("This was written in another record"), text=_another_record(), status=409)
        if actor.reference is None and request.resolver_match is not None and request.resolver_match.view_name != "portal:family":
            return redirect("portal:family")
        return None


def _another_record() -> str:
    return _(
        "You are in another record now than when you opened this page, so nothing was sent. Open the right record in another tab, then send it here."
    )


def _acting(request: HttpRequest, actor: Actor) -> Actor:
    chosen = request.session.get(KEY, "")
    found = acting_as(actor, chosen)
    if chosen and found.reference != chosen:
        del request.session[KEY]
        toast(request, _("You no longer look after that record: the leave for it has ended."), kind="warning")
    return found


def acting_as(actor: Actor, chosen: str) -> Actor:
    """The actor of this request: for `chosen` (a Patient's reference), else themselves, else for the first of whom they may look after."""
    proxy = as_proxy(actor, chosen) if chosen else None
    if proxy is not None:
        return proxy
    if actor.reference is None or not actor.reference.startswith("Patient/"):
        grants = grants_of(actor)
        return (as_proxy(actor, grants[0].reference) if grants else None) or actor
    return actor
