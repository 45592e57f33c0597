"""Switching people at a shared workstation: one steps aside, the next comes back with their PIN, to the page they left."""

from __future__ import annotations

from django.contrib.auth import logout
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from openward.accounts import actions, stations, throttle
from openward.accounts.models import User
from openward.audit.auditor import note
from openward.entrance import sitting
from openward.entrance.forms import ComeBackForm
from openward.entrance.views.signing import note_nobody
from openward.record.connection import connection
from openward.web.pages import PageRequest, page, render


@page("accounts:switch", public=True)
def switch(request: PageRequest) -> HttpResponseBase:
    """Who may come back here. In a browser that is no station this is the page to sign in."""
    if request.actor is not None:
        return redirect("web:home")
    station = sitting.station_of(request)
    visits = stations.visitors(station) if station else []
    if not visits:
        return redirect("accounts:sign-in")
    return render(request, "entrance/switch.html", {"visits": visits, "form": ComeBackForm()})


@page("accounts:leave", methods=("POST",))
def leave(request: PageRequest) -> HttpResponseBase:
    """Step aside: the session ends, what was being written is kept with the record, and so is the page."""
    station = sitting.station_of(request)
    if station and isinstance(request.user, User):
        stations.leave(station, request.user, sitting.wanted_page(request))
    note(connection(), request.actor, "sign-out", detail="switching person")
    logout(request)
    return redirect("accounts:switch")


@page("accounts:come-back", public=True, methods=("POST",))
def come_back(request: PageRequest) -> HttpResponseBase:
    """A PIN opens the day's work, and nothing that is risky: that asks for a whole proof."""
    station, form, address = sitting.station_of(request), ComeBackForm(request.POST), request.META.get("REMOTE_ADDR")
    if station is None or not form.is_valid():
        return redirect("accounts:switch")
    person, pin = form.cleaned_data["person"], form.cleaned_data["pin"]
    try:
        throttle.refuse("address", address)
        visit = stations.come_back(station, person, pin)
    except (stations.WrongPin, throttle.TooManyTries) as wrong:
        return _refused(request, form, station, wrong)
    sitting.enter(request, visit.user, method="PIN", has_proved=False)
    return redirect(visit.left_at or "web:home")


def _refused(request: PageRequest, form: ComeBackForm, station: str, wrong: Exception) -> HttpResponseBase:
    throttle.count("address", request.META.get("REMOTE_ADDR"), at_most=throttle.FROM_ONE_ADDRESS)
    person = User.objects.filter(pk=form.cleaned_data["person"]).first()
    if person is not None and isinstance(wrong, stations.WrongPin):
        actions.count_wrong_try(person)
    note_nobody(request, str(form.cleaned_data["person"]), "PIN refused")
    form.add_error("pin", _("This is not the PIN. After three wrong ones it takes a whole sign-in."))
    visits = stations.visitors(station)
    return render(request, "entrance/switch.html", {"visits": visits, "form": form}, status=422) if visits else redirect("accounts:sign-in")
