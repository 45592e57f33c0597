"""One's own page: how one signs in, where one is signed in, and ending that from afar."""

from __future__ import annotations

import time

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from openward.accounts import actions, factors, sessions, stations
from openward.accounts.models import User
from openward.audit.auditor import note
from openward.entrance import notices, sitting
from openward.entrance.forms import AgainForm, PinForm
from openward.entrance.views.enrolling import recovery_codes_page
from openward.entrance.views.second import prove
from openward.entrance.views.signing import keep_signed_in, layout
from openward.record.connection import connection
from openward.web.gate import PROVED_AT
from openward.web.pages import PageRequest, go, page, render


def person_of(request: PageRequest) -> User:
    return User.objects.get(pk=request.actor.user_id or "")


@page("accounts:security")
def security(request: PageRequest) -> HttpResponseBase:
    person = person_of(request)
    here = sessions.Session(session_key=request.session.session_key or "").handle
    context = {
        "layout": layout(request),
        "person": person,
        "factors": factors.of(person),
        "has_passkey": factors.KINDS.WEBAUTHN in factors.second_factors(person),
        "codes_left": factors.recovery_codes_left(person),
        "is_required": factors.is_required(person),
        "has_password": person.has_usable_password(),
        "sessions": [(one, one.handle == here) for one in sessions.of(person)],
        "is_station": sitting.station_of(request) is not None,
        "connected": {one.provider: one for one in SocialAccount.objects.filter(user=person)},
        "elsewhere": settings.OPENWARD_SIGN_IN_ELSEWHERE,
    }
    return render(request, "entrance/security.html", context)


@page("accounts:remove-factor", methods=("POST",), fresh=True)
def remove_factor(request: PageRequest, id: int) -> HttpResponseBase:
    """Not the last one, where the role asks for one or there is no password to sign in with."""
    person = person_of(request)
    if len(factors.of(person)) == 1 and (factors.is_required(person) or not person.has_usable_password()):
        return go(request, "accounts:security", message=_("This is the last one, and you cannot sign in without. Add another first."))
    try:
        factors.remove(person, id)
    except Authenticator.DoesNotExist:
        raise Http404 from None
    note(connection(), request.actor, "remove-factor")
    notices.tell(person, notices.Notice.REMOVED, by=request.actor)
    return go(request, "accounts:security", message=_("It is removed."))


@page("accounts:recovery-codes", methods=("POST",), fresh=True)
def recovery_codes(request: PageRequest) -> HttpResponseBase:
    person = person_of(request)
    if not factors.second_factors(person):
        raise Http404
    note(connection(), request.actor, "add-factor", detail="recovery codes")
    notices.tell(person, notices.Notice.CODES, by=request.actor)
    return recovery_codes_page(request, person)


@page("accounts:no-password", methods=("POST",), fresh=True)
def no_password(request: PageRequest) -> HttpResponseBase:
    """From now on a passkey alone: there is no password left to steal."""
    person = person_of(request)
    if factors.KINDS.WEBAUTHN not in factors.second_factors(person):
        raise Http404
    person.set_unusable_password()
    person.save(update_fields=["password"])
    keep_signed_in(request, person)
    sitting.end_elsewhere(request, person)
    note(connection(), request.actor, "change-password", detail="passkey only")
    notices.tell(person, notices.Notice.PASSWORD, by=request.actor)
    return go(request, "accounts:security", message=_("You sign in with a passkey only now."))


@page("accounts:pin", methods=("GET", "POST"), fresh=True)
def pin(request: PageRequest) -> HttpResponseBase:
    """The PIN for coming back at a shared workstation; and whether this browser is one."""
    person = person_of(request)
    form = PinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            stations.set_pin(person, form.cleaned_data["pin"])
        except ValidationError as weak:
            form.add_error("pin", weak)
        else:
            note(connection(), request.actor, "change-pin")
            return _at_this_station(request, person, is_station=form.cleaned_data["is_station"])
    context = {"form": form, "layout": layout(request), "has_pin": bool(person.pin), "is_station": sitting.station_of(request) is not None}
    return render(request, "entrance/pin.html", context, status=422 if form.errors else 200)


def _at_this_station(request: PageRequest, person: User, *, is_station: bool) -> HttpResponseBase:
    answer = go(request, "accounts:security", message=_("Done."))
    person.refresh_from_db()
    if not is_station:
        answer.delete_cookie(sitting.STATION_COOKIE)
    elif person.pin:
        stations.visit(sitting.station_of(request) or sitting.make_station(answer), person)
    return answer


@page("accounts:end-session", methods=("POST",))
def end_session(request: PageRequest, handle: str) -> HttpResponseBase:
    """Sign one's own session out, wherever it is."""
    if not sessions.end(person_of(request), handle):
        raise Http404
    note(connection(), request.actor, "end-session")
    return go(request, "accounts:security", message=_("That session is over."))


@page("accounts:end-other-sessions", methods=("POST",))
def end_other_sessions(request: PageRequest) -> HttpResponseBase:
    ended = sessions.end_all(person_of(request), but=request.session.session_key)
    note(connection(), request.actor, "end-session", detail=f"{ended} others")
    return go(request, "accounts:security", message=_("You are signed out everywhere else."))


@page("accounts:again", methods=("GET", "POST"))
def again(request: PageRequest) -> HttpResponseBase:
    """Prove it once more before something risky: a quarter of an hour is enough for it then."""
    person = person_of(request)
    form = AgainForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if _prove_again(request, person, form):
            request.session[PROVED_AT] = time.time()
            note(connection(), request.actor, "prove-again")
            return redirect(sitting.wanted_page(request))
        person.refresh_from_db()
        if person.is_locked:
            logout(request)
            return redirect("accounts:sign-in")
    kinds = factors.second_factors(person)
    context = {"form": form, "next": sitting.wanted_page(request), "kinds": kinds, "has_password": person.has_usable_password()}
    return render(request, "entrance/again.html", context, status=422 if form.errors else 200)


def _prove_again(request: PageRequest, person: User, form: AgainForm) -> bool:
    if not form.cleaned_data["password"]:
        return bool(prove(request, person, form))
    try:
        if actions.check_again(person, form.cleaned_data["password"]):
            return True
    except actions.Locked:
        return False
    sitting.note_wrong(request, person, "proving again refused")
    form.add_error("password", _("This is not your password."))
    return False
