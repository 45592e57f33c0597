"""Passkeys: what a browser must sign, and signing in with one alone."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from openward.accounts import passkeys
from openward.accounts.models import User
from openward.entrance import sitting
from openward.entrance.forms import SignInForm
from openward.entrance.views.enrolling import who_enrols
from openward.entrance.views.signing import note_nobody, sign_in_page
from openward.web.pages import PageRequest, page


@page("accounts:passkey-options", public=True, methods=("POST",))
def passkey_options(request: PageRequest) -> HttpResponseBase:
    """What `navigator.credentials` takes, in JSON. `for`: sign-in, second, again, add."""
    options = _options(request, request.POST.get("for", ""))
    if options is None:
        return HttpResponse(status=404)
    return HttpResponse(json.dumps(options["publicKey"]), content_type="application/json")


def _options(request: PageRequest, purpose: str) -> dict[str, Any] | None:
    match purpose:
        case "sign-in":
            return passkeys.ask_for()
        case "second":
            held = sitting.pending(request)
            return passkeys.ask_for(held.user) if held else None
        case "again":
            return passkeys.ask_for(request.user) if isinstance(request.user, User) else None
        case "add":
            person = who_enrols(request)
            return passkeys.ask_to_make(person) if person else None
        case _:
            return None


@page("accounts:passkey", public=True, methods=("POST",))
def passkey(request: PageRequest) -> HttpResponseBase:
    """Sign in with a passkey and nothing else: it is something one has and something one is or knows."""
    try:
        user = passkeys.check(request.POST.get("credential", ""))
    except passkeys.WrongPasskey:
        note_nobody(request, "passkey", "passkey refused")
        form = SignInForm({})
        form.full_clean()
        form.errors.clear()
        form.add_error(None, _("This passkey was not accepted. Try again, or sign in with your password."))
        return sign_in_page(request, form, status=422)
    return redirect(sitting.begin(request, user, method="passkey", go_to=sitting.wanted_page(request), is_whole=True))
