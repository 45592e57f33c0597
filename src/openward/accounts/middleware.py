"""The locked screen: who has done nothing for a while is asked who they are before anything more is shown. Costs no statement.

After `OPENWARD_LOCK_MINUTES` without a request, or when the browser says its person went idle, the session is locked: every page but the few that unlock,
switch or sign out answers with the way to unlock. What was typed stays where it is: a page's own request gets 423, which its lock (`lock.js`) waits for.
After `OPENWARD_SESSION_MINUTES` the session ends altogether. ONC 170.315(d)(5).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse

from openward.accounts.sessions import SEEN_AT

Handler = Callable[[HttpRequest], HttpResponse]
LOCKED = "locked"
OPEN_WHILE_LOCKED = frozenset(
    {
        "accounts:locked",
        "accounts:lock",
        "accounts:passkey-options",
        "accounts:sign-out",
        "accounts:switch",
        "accounts:leave",
        "accounts:come-back",
        "health",
        "web:theme",
        "demo:personas",
        "demo:become",
    }
)


class ScreenLocks:
    """Stands before `IdleSessionsEnd`, which counts a request as work."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and _is_locked(request) and not _is_open(request.path_info):
            return _ask(request)
        return self.get_response(request)


def _is_locked(request: HttpRequest) -> bool:
    session = request.session
    if session.get(LOCKED):
        return True
    if not settings.OPENWARD_LOCK_SECONDS:
        return False
    idle = time.time() - session.get(SEEN_AT, time.time())
    if settings.OPENWARD_LOCK_SECONDS < idle <= settings.OPENWARD_IDLE_SECONDS:
        session[LOCKED] = True
        return True
    return False


def _is_open(path: str) -> bool:
    try:
        return resolve(path).view_name in OPEN_WHILE_LOCKED
    except Resolver404:
        return False


def _ask(request: HttpRequest) -> HttpResponse:
    """A page that was asked for is left for the lock; what a page asks by itself is refused, so that the page stays as it is."""
    if request.headers.get("HX-Request") == "true" or "X-Openward-Background" in request.headers:
        return HttpResponse("", status=423, headers={"HX-Reswap": "none", "HX-Trigger": "openward-locked", "Cache-Control": "no-store"})
    here = request.get_full_path() if request.method == "GET" else "/"
    return HttpResponseRedirect(f"{reverse('accounts:locked')}?{urlencode({'next': here})}")
