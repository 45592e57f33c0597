"""Starting an app from here: staff from a patient's chart, patients from their portal."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase

from openward.access.permissions import Permission
from openward.fhir.ids import is_id
from openward.fhir.resources import Patient
from openward.registration.queries import banner
from openward.smart.context import Asking
from openward.smart.launching import launch, may_be_about, visits
from openward.smart.models import App
from openward.smart.patients import own
from openward.web.pages import PageRequest, page, render


@page("smart:choose", needs=Permission.LAUNCH_APPS)
def choose(request: PageRequest, patient: str) -> HttpResponseBase:
    """The apps that can be started for this patient, and for which visit."""
    about = request.store.read(Patient, patient)
    context = {
        "banner": banner(request.store, about),
        "patient": patient,
        "apps": _open(request).filter(for_staff=True).exclude(launch_url="").order_by("name"),
        "visits": visits(request.store, patient),
    }
    return render(request, "smart/choose.html", context)


@page("smart:launch", needs=Permission.LAUNCH_APPS, methods=("POST",))
def start(request: PageRequest, patient: str, id: Any) -> HttpResponseBase:
    found = _open(request).filter(for_staff=True, id=id).exclude(launch_url="").first()
    if found is None:
        raise Http404
    encounter = request.POST.get("encounter", "")
    if encounter and not is_id(encounter):
        raise Http404
    may_be_about(request.store, patient, encounter)
    return _opening(request, found, patient, encounter)


@page("smart:connect", needs=Permission.CONNECT_APPS, methods=("POST",))
def connect(request: PageRequest, id: Any) -> HttpResponseBase:
    """A patient starts an app for themselves; it will ask them what it may see."""
    found = _open(request).filter(for_patients=True, id=id).exclude(launch_url="").first()
    whose = own(request.actor)
    if found is None or not whose:
        raise Http404
    return _opening(request, found, whose, "")


def _open(request: PageRequest) -> Any:
    return App.objects.filter(tenant=request.actor.tenant, approved_at__isnull=False, ended_at__isnull=True)


def _opening(request: PageRequest, app: App, patient: str, encounter: str) -> HttpResponse:
    return opening(request, app, launch(app=app, patient=patient, encounter=encounter, issuer=Asking.of(request).issuer, by=request.actor))


def opening(request: PageRequest, app: App, url: str) -> HttpResponse:
    """A page that goes on to the app by itself: a redirect after a form may not leave this site (`form-action`)."""
    layout = "web/portal.html" if request.actor.kind == "patient" else "web/page.html"
    response = render(request, "smart/opening.html", {"app": app, "url": url, "layout": layout})
    response["Refresh"] = f"0;url={url}"
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
