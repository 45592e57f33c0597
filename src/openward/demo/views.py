"""The persona switcher: everyone of the demo clinic with a sentence each; one click and you are them. Audited like any sign-in."""

from __future__ import annotations

from django.contrib.auth import logout
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from openward.accounts.models import User
from openward.audit.auditor import note
from openward.demo.personas import person, personas
from openward.entrance.views import enter
from openward.record.connection import connection
from openward.web.pages import PageRequest, page, render


@page("demo:personas", public=True)
def switch(request: PageRequest) -> HttpResponseBase:
    user = User.objects.filter(pk=request.actor.user_id).first() if request.actor is not None and request.actor.user_id else None
    return render(request, "demo/personas.html", {"personas": personas(), "current": user.sign_in if user else ""})


@page("demo:become", public=True, methods=("POST",))
def become(request: PageRequest, sign_in: str) -> HttpResponseBase:
    """Sign in as a persona of the demo clinic, and as nobody else."""
    user = person(sign_in)
    if user is None:
        raise Http404
    if request.actor is not None:
        note(connection(), request.actor, "sign-out", detail="persona switcher")
        logout(request)
    enter(request, user)
    return redirect("web:home")
