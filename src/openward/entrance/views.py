"""Signing in and out. Every success and failure leaves an audit event; no answer tells who exists."""

from __future__ import annotations

import hashlib

from django.contrib.auth import login, logout, update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.accounts import actions
from openward.accounts.models import User
from openward.audit.auditor import note
from openward.entrance.forms import ChangePasswordForm, InvitationForm, SignInForm
from openward.fhir.errors import NotFound
from openward.fhir.resources import Patient
from openward.record import open_store
from openward.record.connection import connection
from openward.web.pages import PageRequest, go, page, render, toast

BACKEND = "django.contrib.auth.backends.ModelBackend"


@page("accounts:sign-in", public=True, methods=("GET", "POST"))
def sign_in(request: PageRequest) -> HttpResponseBase:
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = _check(request, form)
        if user is not None:
            enter(request, user)
            return redirect(_next(request))
    elif request.actor is not None and request.method == "GET":
        return redirect(_next(request))
    return render(request, "entrance/sign_in.html", {"form": form, "next": _next(request)}, status=422 if form.errors else 200)


def _check(request: PageRequest, form: SignInForm) -> User | None:
    name = form.cleaned_data["sign_in"]
    try:
        user = actions.check_sign_in(sign_in=name, password=form.cleaned_data["password"])
    except actions.Locked:
        _note_failure(request, name, "sign-in locked")
        form.add_error(None, _("Too many wrong tries. Wait a quarter of an hour, or ask your administrator to unlock you."))
        return None
    if user is None:
        _note_failure(request, name, "sign-in refused")
        form.add_error(None, _("The name and the password do not belong together. After five wrong tries the sign-in is locked for a while."))
    return user


def enter(request: PageRequest, user: User) -> None:
    """Start this person's session: a new session key, the clock of the idle lock at zero, an audit event."""
    login(request, user, backend=BACKEND)
    actor = user.actor().during(request_id=request.request_id, address=request.META.get("REMOTE_ADDR"))  # type: ignore[attr-defined]
    note(connection(), actor, "sign-in")


def _note_failure(request: PageRequest, name: str, what: str) -> None:
    """The name tried is kept as a digest: people type their passwords there."""
    tried = hashlib.sha256(User.objects.normal(name).encode()).hexdigest()[:12]
    nobody = Actor(id=f"nobody:{tried}", name="Nobody", kind="system", tenant=1, purpose="SECURITY", address=request.META.get("REMOTE_ADDR"))
    note(connection(), nobody, "sign-in", outcome=4, detail=what)


def _next(request: PageRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()) else "/"


@page("accounts:sign-out", public=True, methods=("POST",))
def sign_out(request: PageRequest) -> HttpResponseBase:
    if request.actor is not None:
        note(connection(), request.actor, "sign-out")
    logout(request)
    return redirect("accounts:sign-in")


@page("accounts:password", methods=("GET", "POST"))
def password(request: PageRequest) -> HttpResponseBase:
    person = User.objects.get(pk=request.actor.user_id or "")
    form = ChangePasswordForm(request.POST or None, person=person)
    if request.method == "POST" and form.is_valid():
        person.set_password(form.cleaned_data["password"])
        person.save(update_fields=["password"])
        update_session_auth_hash(request, person)
        note(connection(), request.actor, "change-password")
        return go(request, "web:home", message=_("Your password is changed. Your other sessions are signed out."))
    layout = "web/portal.html" if request.actor.kind == "patient" else "web/page.html"
    return render(request, "entrance/password.html", {"form": form, "layout": layout}, status=422 if form.errors else 200)


@page("accounts:invitation", public=True, methods=("GET", "POST"))
def invitation(request: PageRequest, token: str) -> HttpResponseBase:
    """A patient makes their sign-in from the letter or message the practice sent."""
    try:
        invited = actions.invitation_for(token)
    except actions.InvitationClosed:
        return _closed(request)
    form = InvitationForm(request.POST or None, person=User(name=invited.name, role="patient"))
    if request.method == "POST" and form.is_valid():
        try:
            user = _accept(token, form, invited.reference, invited.tenant)
        except actions.InvitationClosed:
            return _closed(request)
        if user is not None:
            enter(request, user)
            toast(request, _("Welcome. Your sign-in is ready."))
            return redirect("web:home")
    return render(request, "entrance/invitation.html", {"form": form}, status=422 if form.errors else 200)


def _accept(token: str, form: InvitationForm, reference: str, tenant: int) -> User | None:
    found = form.cleaned_data
    try:
        return actions.accept_invitation(
            token=token,
            birth_date=found["birth_date"],
            known_birth_date=_known_birth_date(reference, tenant),
            sign_in=found["sign_in"],
            password=found["password"],
        )
    except actions.WrongBirthDate:
        form.add_error("birth_day", _("This is not the birth date the practice has. Check it, or ask the practice."))
    except actions.SignInTaken:
        form.add_error("sign_in", _("Someone already signs in with this address. Use another, or sign in."))
    except ValidationError as weak:
        form.add_error("password", weak)
    return None


def _known_birth_date(reference: str, tenant: int) -> str | None:
    store = open_store(Actor.system("check an invitation", tenant=tenant))
    try:
        return store.read(Patient, reference.split("/")[1]).birthDate
    except NotFound:
        return None


def _closed(request: PageRequest) -> HttpResponse:
    return render(request, "entrance/closed.html", status=410)
