"""The second step: a code of the authenticator app, a recovery code, or a passkey."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from openward.accounts import actions, factors, passkeys
from openward.accounts.models import User
from openward.entrance import notices, sitting
from openward.entrance.forms import CodeForm
from openward.web.pages import PageRequest, page, render, toast

APP_DIGITS = 6


@page("accounts:second-step", public=True, methods=("GET", "POST"))
def second_step(request: PageRequest) -> HttpResponseBase:
    """Open only to who proved a password here just now."""
    held = sitting.pending(request)
    if held is None or held.must_enrol:
        return redirect("accounts:sign-in")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        method = prove(request, held.user, form)
        if method:
            sitting.enter(request, held.user, method=f"{held.method}, {method}")
            if method == "recovery code":
                _say_what_is_left(request, held.user)
            return redirect(held.go_to)
        if sitting.pending(request) is None:
            toast(request, _("Too many wrong tries. Wait a quarter of an hour, or ask your administrator to unlock you."))
            return redirect("accounts:sign-in")
    context = {"form": form, "kinds": factors.second_factors(held.user)}
    return render(request, "entrance/second_step.html", context, status=422 if form.errors else 200)


def prove(request: PageRequest, user: User, form: CodeForm) -> str:
    """By what they proved it; nothing, and a sentence on the form, when they did not. Wrong ones count towards the lock."""
    credential, code = form.cleaned_data["credential"], form.cleaned_data["code"]
    try:
        if credential:
            passkeys.check(credential, user=user)
            return "passkey"
        return prove_by_code(user, code)
    except (factors.WrongCode, passkeys.WrongPasskey) as wrong:
        actions.count_wrong_try(user)
        sitting.note_wrong(request, user, "second step refused")
        form.add_error(None if credential else "code", str(type(wrong).__doc__))
        return ""


def prove_by_code(user: User, code: str) -> str:
    """Raises WrongCode."""
    if len("".join(code.split())) == APP_DIGITS:
        factors.check_app(user, code)
        return "authenticator app"
    factors.check_recovery(user, code)
    return "recovery code"


def _say_what_is_left(request: PageRequest, user: User) -> None:
    left = factors.recovery_codes_left(user)
    notices.tell(user, notices.Notice.RECOVERY, by=sitting.actor_in(request, user))
    toast(request, _("That recovery code is used up. {left} are left.").format(left=left))
