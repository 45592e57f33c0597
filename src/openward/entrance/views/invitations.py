"""An invitation: the link of a message or the code of a letter, and the birth date, make a sign-in."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.accounts import actions, throttle
from openward.accounts.models import User
from openward.accounts.tokens import digest
from openward.entrance import sitting
from openward.entrance.forms import InvitationCodeForm, InvitationForm
from openward.entrance.views.signing import note_nobody
from openward.fhir.errors import NotFound
from openward.fhir.resources import Patient
from openward.record import open_store
from openward.web.pages import PageRequest, page, render, toast

CODE = "invitation_code"


@page("accounts:invitation-code", public=True, methods=("GET", "POST"))
def invitation_code(request: PageRequest) -> HttpResponseBase:
    """The code of a letter. It goes on in the session, not in an address."""
    form = InvitationCodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        address = request.META.get("REMOTE_ADDR")
        try:
            throttle.refuse("invitation", address)
            actions.invitation_for(form.cleaned_data["code"])
        except throttle.TooManyTries as many:
            form.add_error(None, str(many.__doc__))
        except actions.InvitationClosed:
            throttle.count("invitation", address, at_most=throttle.FROM_ONE_ADDRESS)
            note_nobody(request, "invitation", "invitation code refused")
            form.add_error("code", _("There is no open invitation with this code. Check it, or ask your practice for a new one."))
        else:
            request.session[CODE] = form.cleaned_data["code"]
            return redirect("accounts:invitation", token="by-code")  # noqa: S106 - says that the code is in the session
    return render(request, "entrance/invitation_code.html", {"form": form}, status=422 if form.errors else 200)


@page("accounts:invitation", public=True, methods=("GET", "POST"))
def invitation(request: PageRequest, token: str) -> HttpResponseBase:
    """A patient or proxy makes their sign-in from the letter or message the practice sent."""
    is_by_code = token == "by-code"  # noqa: S105
    token = request.session.get(CODE, "") if is_by_code else token
    try:
        invited = actions.invitation_for(token)
    except actions.InvitationClosed:
        return _closed(request)
    if not is_by_code and bytes(invited.token_digest) != digest(token):
        return _closed(request)  # the code of a letter is short, and tried where tries are counted
    form = InvitationForm(request.POST or None, person=User(name=invited.name, role=invited.role))
    if request.method == "POST" and form.is_valid():
        try:
            user = _accept(request, token, form, invited.reference, invited.tenant)
        except actions.InvitationClosed:
            return _closed(request)
        if user is not None:
            go_to = sitting.begin(request, user, method="invitation", go_to="/")
            toast(request, _("Welcome. Your sign-in is ready."))
            return redirect(go_to)
    return render(request, "entrance/invitation.html", {"form": form}, status=422 if form.errors else 200)


def _accept(request: PageRequest, token: str, form: InvitationForm, reference: str, tenant: int) -> User | None:
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
        note_nobody(request, reference, "invitation: wrong birth date")
        form.add_error("birth_day", _("This is not the birth date the practice has. Check it, or ask the practice."))
    except actions.SignInTaken:
        form.add_error("sign_in", _("Someone already signs in with this address. Use another, or sign in."))
    except ValidationError as weak:
        form.add_error("password", weak)
    return None


def _known_birth_date(reference: str, tenant: int) -> str | None:
    """Of the record; nothing for a carer, who has none."""
    store = open_store(Actor.system("check an invitation", tenant=tenant))
    try:
        return store.read(Patient, reference.split("/")[1]).birthDate if reference else None
    except NotFound:
        return None


def _closed(request: PageRequest) -> HttpResponse:
    return render(request, "entrance/closed.html", status=410)
