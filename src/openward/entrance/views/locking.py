"""The locked screen: hidden until who is signed in says so again, with PIN, password or passkey. What was typed stays on the page."""

from __future__ import annotations

from django.contrib.auth import logout
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from openward.accounts import actions, factors, passkeys, stations
from openward.accounts.middleware import LOCKED
from openward.accounts.models import User
from openward.accounts.sessions import BY_PIN
from openward.audit.auditor import note
from openward.entrance import sitting
from openward.entrance.forms import UnlockForm
from openward.entrance.views.security import person_of
from openward.record.connection import connection
from openward.web.gate import PROVED_AT
from openward.web.pages import PageRequest, page, render

FRAGMENT = "X-Openward-Fragment"
PIN = "PIN"


@page("accounts:lock", methods=("POST",))
def lock(request: PageRequest) -> HttpResponseBase:
    """The browser says that its person went idle, or they lock the screen themselves."""
    request.session[LOCKED] = True
    note(connection(), request.actor, "lock-screen")
    return HttpResponse(status=204) if FRAGMENT in request.headers else redirect("accounts:locked")


@page("accounts:locked", methods=("GET", "POST"))
def locked(request: PageRequest) -> HttpResponseBase:
    person = person_of(request)
    form = UnlockForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if proof := _proof(person, form):
            return _unlocked(request, proof)
        actions.count_wrong_try(person)
        sitting.note_wrong(request, person, "unlocking refused")
        person.refresh_from_db()
        if person.is_locked:
            logout(request)
            return _signed_out(request)
        form.add_error("secret", _("This is not it. After five wrong tries you are signed out."))
    elif request.method == "GET" and LOCKED not in request.session:
        return HttpResponse(status=204) if FRAGMENT in request.headers else redirect(sitting.wanted_page(request))
    return _ask(request, person, form)


def _ask(request: PageRequest, person: User, form: UnlockForm) -> HttpResponse:
    part = "entrance/locked_part.html" if FRAGMENT in request.headers else "entrance/locked.html"
    has_passkey = factors.KINDS.WEBAUTHN in factors.second_factors(person)
    context = {"form": form, "person": person, "has_passkey": has_passkey, "next": sitting.wanted_page(request)}
    return render(request, part, context, status=422 if form.errors else 200)


def _proof(person: User, form: UnlockForm) -> str:
    """By what they proved it is them; nothing when they did not."""
    if person.is_locked:
        return ""
    if credential := form.cleaned_data["credential"]:
        try:
            passkeys.check(credential, user=person)
        except passkeys.WrongPasskey:
            return ""
        return "passkey"
    secret = form.cleaned_data["secret"]
    if stations.is_pin_of(person, secret):
        return PIN
    return "password" if person.check_password(secret) else ""


def _unlocked(request: PageRequest, proof: str) -> HttpResponseBase:
    """By PIN the whole proof of before no longer counts: whoever has seen the PIN typed opens the day's work by it and nothing risky."""
    request.session.pop(LOCKED, None)  # another window may have been faster
    if proof == PIN:
        request.session[PROVED_AT] = BY_PIN
    note(connection(), request.actor, "unlock-screen")
    return HttpResponse(status=204) if FRAGMENT in request.headers else redirect(sitting.wanted_page(request))


def _signed_out(request: PageRequest) -> HttpResponseBase:
    return HttpResponse(status=401) if FRAGMENT in request.headers else redirect("accounts:sign-in")
