"""A forgotten password: everyone who asks gets the same page; the letter goes to the address that is known, if there is one."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.accounts import resets, throttle
from openward.audit.auditor import note
from openward.entrance import notices, sitting
from openward.entrance.forms import ForgotForm, NewPassword
from openward.entrance.jobs import write_reset_letter
from openward.entrance.views.signing import note_nobody
from openward.record import unit_of_work
from openward.record.connection import connection
from openward.web.pages import PageRequest, page, render, toast

ASKED_AT_MOST = 20


@page("accounts:forgot", public=True, methods=("GET", "POST"))
def forgot(request: PageRequest) -> HttpResponseBase:
    """Writing the letter is left to a job after the answer, so that its time tells nothing either."""
    form = ForgotForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        address = request.META.get("REMOTE_ADDR")
        try:
            throttle.refuse("reset", address)
        except throttle.TooManyTries as many:
            form.add_error(None, str(many.__doc__))
        else:
            throttle.count("reset", address, at_most=ASKED_AT_MOST)
            with unit_of_work(by=Actor.system("password reset", tenant=1)) as work:
                work.later(write_reset_letter, user=resets.asked_for(form.cleaned_data["sign_in"]))
            return render(request, "entrance/forgot_sent.html")
    return render(request, "entrance/forgot.html", {"form": form}, status=422 if form.errors else 200)


@page("accounts:reset", public=True, methods=("GET", "POST"))
def reset(request: PageRequest, token: str) -> HttpResponseBase:
    """A second factor is still asked for afterwards: a stolen mailbox alone opens nothing."""
    try:
        person = resets.open_reset(token)
        form = NewPassword(request.POST or None, person=person)
        if request.method == "POST" and form.is_valid():
            resets.finish(token, form.cleaned_data["password"])
            note(connection(), sitting.actor_in(request, person), "change-password", detail="by reset link")
            notices.tell(person, notices.Notice.PASSWORD, by=sitting.actor_in(request, person))
            person.refresh_from_db()
            toast(request, _("Your password is set."))
            return redirect(sitting.begin(request, person, method="reset link", go_to="/"))
    except ValidationError as weak:
        form.add_error("password", weak)
    except resets.ResetClosed:
        note_nobody(request, "reset", "reset link refused")
        return render(request, "entrance/reset_closed.html", status=410)
    return render(request, "entrance/reset.html", {"form": form, "person": person}, status=422 if form.errors else 200)
