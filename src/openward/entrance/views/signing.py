"""Signing in and out by name and password, and changing the password."""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.accounts import actions, throttle
from openward.accounts.models import User
from openward.audit.auditor import note
from openward.entrance import notices, sitting
from openward.entrance.forms import ChangePasswordForm, SignInForm
from openward.record.connection import connection
from openward.web.pages import PageRequest, go, page, render


@page("accounts:sign-in", public=True, methods=("GET", "POST"))
def sign_in(request: PageRequest) -> HttpResponseBase:
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = _check(request, form)
        if user is not None:
            return redirect(sitting.begin(request, user, method="password", go_to=sitting.wanted_page(request)))
    elif request.actor is not None and request.method == "GET":
        return redirect(sitting.wanted_page(request))
    return sign_in_page(request, form, status=422 if form.errors else 200)


def sign_in_page(request: PageRequest, form: SignInForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "next": sitting.wanted_page(request),
        "elsewhere": settings.OPENWARD_SIGN_IN_ELSEWHERE,
        "station": sitting.station_of(request),
    }
    return render(request, "entrance/sign_in.html", context, status=status)


def _check(request: PageRequest, form: SignInForm) -> User | None:
    name, address = form.cleaned_data["sign_in"], request.META.get("REMOTE_ADDR")
    try:
        user = actions.check_sign_in(sign_in=name, password=form.cleaned_data["password"], address=address)
    except actions.Locked:
        note_nobody(request, name, "sign-in locked")
        form.add_error(None, _("Too many wrong tries. Wait a quarter of an hour, or ask your administrator to unlock you."))
        return None
    except throttle.TooManyTries:
        note_nobody(request, name, "address locked")
        form.add_error(None, _("Too many wrong tries from here. Wait a quarter of an hour."))
        return None
    if user is None:
        note_nobody(request, name, "sign-in refused")
        form.add_error(None, _("The name and the password do not belong together. After five wrong tries the sign-in is locked for a while."))
    return user


def note_nobody(request: HttpRequest, name: str, what: str) -> None:
    """The name tried is kept as a digest: people type their passwords there."""
    tried = hashlib.sha256(User.objects.normal(name).encode()).hexdigest()[:12]
    nobody = Actor(id=f"nobody:{tried}", name="Nobody", kind="system", tenant=1, purpose="SECURITY", address=request.META.get("REMOTE_ADDR"))
    note(connection(), nobody, "sign-in", outcome=4, detail=what)


@page("accounts:sign-out", public=True, methods=("POST",))
def sign_out(request: PageRequest) -> HttpResponseBase:
    if request.actor is not None:
        note(connection(), request.actor, "sign-out")
    logout(request)
    return redirect("accounts:sign-in")


@page("accounts:password", methods=("GET", "POST"))
def password(request: PageRequest) -> HttpResponseBase:
    """The password now is asked for on the form itself, so that no other proof is needed."""
    person = User.objects.get(pk=request.actor.user_id or "")
    form = ChangePasswordForm(request.POST or None, person=person)
    if request.method == "POST" and form.is_valid():
        _change_password(request, person, form.cleaned_data["password"])
        return go(request, "web:home", message=_("Your password is changed. Your other sessions are signed out."))
    if form.has_error("current", "wrong"):
        sitting.note_wrong(request, person, "changing the password refused")
        person.refresh_from_db()
        if person.is_locked:
            logout(request)
            return redirect("accounts:sign-in")
    return render(request, "entrance/password.html", {"form": form, "layout": layout(request)}, status=422 if form.errors else 200)


def _change_password(request: PageRequest, person: User, new: str) -> None:
    """Every other session ends, and so does what else the old password had opened; this one goes on under a new key."""
    person.set_password(new)
    person.save(update_fields=["password"])
    keep_signed_in(request, person)
    sitting.end_elsewhere(request, person)
    note(connection(), request.actor, "change-password")
    notices.tell(person, notices.Notice.PASSWORD, by=request.actor)


def keep_signed_in(request: PageRequest, person: User) -> None:
    update_session_auth_hash(request, person)
    request.session.save()


def layout(request: PageRequest) -> str:
    return "web/portal.html" if request.actor.kind == "patient" else "web/page.html"
