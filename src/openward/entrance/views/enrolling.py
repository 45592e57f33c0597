"""Setting up second factors: on the way in, when the role asks for one, or later under one's own security page."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from openward.accounts import factors, passkeys
from openward.accounts.models import User
from openward.accounts.sessions import device
from openward.audit.auditor import note
from openward.entrance import notices, sitting
from openward.entrance.forms import AppForm, PasskeyForm
from openward.entrance.square import square_code
from openward.record.connection import connection
from openward.web.gate import proved_lately
from openward.web.pages import PageRequest, go, page, render

SECRET = "app_secret"  # noqa: S105 - the name under which the session holds it, sealed


def who_enrols(request: PageRequest) -> User | None:
    """Who is signed in and proved it lately, or who must set up a factor before they are let in."""
    if isinstance(request.user, User):
        return request.user if proved_lately(request) else None
    held = sitting.pending(request)
    if held is None or not held.must_enrol:
        return None
    # Set up meanwhile in another browser, it is to be shown and not replaced: a password alone does not say that this one is theirs.
    return None if factors.second_factors(held.user) else held.user


def _turned_away(request: PageRequest) -> HttpResponseBase:
    if request.actor is None:
        return go(request, "accounts:sign-in")
    return redirect(f"{reverse('accounts:again')}?{urlencode({'next': reverse('accounts:enrol')})}")


@page("accounts:enrol", public=True)
def enrol(request: PageRequest) -> HttpResponseBase:
    """What to set up, with a sentence each."""
    if who_enrols(request) is None:
        return _turned_away(request)
    return render(request, "entrance/enrol.html", {"form": PasskeyForm(), "is_needed": request.actor is None})


@page("accounts:add-app", public=True, methods=("GET", "POST"))
def add_app(request: PageRequest) -> HttpResponseBase:
    """The secret is made anew whenever the page is opened and waits sealed in the session until its first code is typed."""
    person = who_enrols(request)
    if person is None:
        return _turned_away(request)
    sealed = request.session.get(SECRET) if request.method == "POST" else None
    secret = factors.unseal_secret(person, sealed) if sealed else factors.new_secret()
    form = AppForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            factors.add_app(person, secret, form.cleaned_data["code"])
        except factors.WrongCode:
            form.add_error("code", _("This is not the code the app shows now. Wait for the next one; the clock of the phone must be right."))
        else:
            request.session.pop(SECRET, None)
            return _added(request, person, "authenticator app", notices.Notice.APP)
    request.session[SECRET] = factors.seal_secret(person, secret)
    context = {"form": form, "square": square_code(factors.secret_address(person, secret)), "secret": _in_fours(secret)}
    return render(request, "entrance/add_app.html", context, status=422 if form.errors else 200)


@page("accounts:add-passkey", public=True, methods=("POST",))
def add_passkey(request: PageRequest) -> HttpResponseBase:
    person = who_enrols(request)
    if person is None:
        return _turned_away(request)
    form = PasskeyForm(request.POST)
    if form.is_valid():
        try:
            name = form.cleaned_data["name"] or device(request.headers.get("User-Agent", "")) or _("Passkey")
            passkeys.make(person, name, form.cleaned_data["credential"])
        except passkeys.WrongPasskey:
            form.add_error(None, _("The passkey was not made. Try again."))
        else:
            return _added(request, person, "passkey", notices.Notice.PASSKEY)
    return render(request, "entrance/enrol.html", {"form": form, "is_needed": request.actor is None}, status=422)


def _added(request: PageRequest, person: User, what: str, notice: notices.Notice) -> HttpResponseBase:
    """On the trail and by letter; who had to enrol is let in now; with the first factor come recovery codes."""
    held = sitting.pending(request) if request.actor is None else None
    if held is not None:
        sitting.enter(request, person, method=f"{held.method}, {what}")
    note(connection(), sitting.actor_in(request, person), "add-factor", detail=what)
    notices.tell(person, notice, by=sitting.actor_in(request, person))
    go_to = held.go_to if held else ""
    if factors.recovery_codes_left(person):
        return go(request, go_to or "accounts:security", message=_("Done. You can sign in with it from now on."))
    return recovery_codes_page(request, person, go_to=go_to)


def recovery_codes_page(request: PageRequest, person: User, *, go_to: str = "") -> HttpResponse:
    """Shown in the answer itself, once; only digests are kept."""
    return render(request, "entrance/recovery_codes.html", {"codes": factors.new_recovery_codes(person), "go_to": go_to})


def _in_fours(secret: str) -> str:
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
