"""A sitting: what the session knows of how someone came in, from the first proof to the last.

Nobody is signed in before everything asked of them is proved: after a right password alone the session holds only who it may become,
so that no page opens on the way to the second step, whatever its address.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import login
from django.core.signing import BadSignature
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from openward.access.actor import Actor
from openward.accounts import actions, factors, signing_out, stations
from openward.accounts.models import User
from openward.accounts.sessions import BY_PIN, SEEN_AT, SITTING, device
from openward.audit.auditor import note
from openward.record.connection import connection
from openward.web.gate import PROVED_AT

BACKEND = "openward.accounts.backend.AccountBackend"
PENDING = "pending"
PENDING_SECONDS = 600
STATION_COOKIE = "openward_station"
STATION_SECONDS = 400 * 24 * 3600


@dataclass(frozen=True)
class Pending:
    """Who proved the first thing and still has to prove, or set up, the second."""

    user: User
    method: str
    go_to: str
    must_enrol: bool


def begin(request: HttpRequest, user: User, *, method: str, go_to: str, is_whole: bool = False) -> str:
    """They proved the first thing; where they go next. `is_whole`: nothing more is asked, as after a passkey."""
    kinds = set() if is_whole else factors.second_factors(user)
    must_enrol = not is_whole and not kinds and factors.is_required(user)
    if not kinds and not must_enrol:
        enter(request, user, method=method)
        return go_to
    request.session.flush()
    request.session[PENDING] = {"user": str(user.pk), "method": method, "go_to": go_to, "enrol": must_enrol, "at": time.time()}
    return reverse("accounts:enrol" if must_enrol else "accounts:second-step")


def pending(request: HttpRequest) -> Pending | None:
    """Ends after ten minutes, and when the person is locked out or ended meanwhile."""
    held = request.session.get(PENDING)
    if not held or time.time() - held["at"] > PENDING_SECONDS:
        return None
    user = User.objects.filter(pk=held["user"], is_active=True).first()
    return None if user is None or user.is_locked else Pending(user, held["method"], held["go_to"], held["enrol"])


def enter(request: HttpRequest, user: User, *, method: str = "password", has_proved: bool = True) -> None:
    """Start this person's session: a new session with nothing of the one before, the clock of the idle lock at zero, an audit event."""
    request.session.flush()
    login(request, user, backend=BACKEND)
    now = time.time()
    agent = device(request.headers.get("User-Agent", ""))
    request.session[SITTING] = {"address": request.META.get("REMOTE_ADDR"), "device": agent, "method": method, "began_at": now}
    request.session[SEEN_AT] = now
    request.session[PROVED_AT] = now if has_proved else BY_PIN
    if has_proved:
        actions.forgive(user)
        _remember_at_station(request, user)
    note(connection(), actor_in(request, user), "sign-in", detail=method)


def end_elsewhere(request: HttpRequest, user: User) -> None:
    """Their password is another: other sessions, links that would set one, and coming back by PIN at other workstations end."""
    signing_out.elsewhere(user, but=request.session.session_key)
    _remember_at_station(request, user)


def actor_in(request: HttpRequest, user: User) -> Actor:
    return user.actor().during(request_id=getattr(request, "request_id", ""), address=request.META.get("REMOTE_ADDR"))


def note_wrong(request: HttpRequest, user: User, what: str) -> None:
    """A wrong try by who is known already, on the trail."""
    note(connection(), actor_in(request, user), "sign-in", outcome=4, detail=what)


def wanted_page(request: HttpRequest) -> str:
    """Where they wanted to go, if it is a page of this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()) else "/"


# The shared workstation


def station_of(request: HttpRequest) -> str | None:
    try:
        return request.get_signed_cookie(STATION_COOKIE, salt="station", default=None)
    except BadSignature:
        return None


def make_station(response: HttpResponseBase) -> str:
    station = secrets.token_urlsafe(24)
    response.set_signed_cookie(
        STATION_COOKIE, station, salt="station", max_age=STATION_SECONDS, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )
    return station


def _remember_at_station(request: HttpRequest, user: User) -> None:
    station = station_of(request)
    if station and user.pin:
        stations.visit(station, user)
