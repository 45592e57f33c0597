"""The patient's own record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.access.roles import PROXY
from openward.chart.queries import portal as chart
from openward.fhir.resources import Organization, Patient
from openward.portal import queries
from openward.portal.presenters import immunization_words
from openward.web.pages import PageRequest, page, render
from openward.web.papers import pdf_response
from openward.web.pdf import pdf

TYPST = Path(__file__).parents[1] / "typst"


@page("portal:home", needs=Permission.SEE_OWN_RECORD)
def home(request: PageRequest) -> HttpResponseBase:
    found = queries.overview(request.store)
    given = found.patient.name[0].given if found.patient.name else []
    return _shown(request, "portal/home.html", {"overview": found, "called": given[0] if given else ""})


def _shown(request: PageRequest, template: str, context: dict[str, Any]) -> HttpResponseBase:
    """With what leads to pages a proxy may have no leave for."""
    doors = {"may_book": request.actor.may(Permission.BOOK_OWN), "may_write": request.actor.may(Permission.MESSAGE_PRACTICE)}
    return render(request, template, {**context, **doors})


@page("portal:visits", needs=Permission.SEE_OWN_RECORD)
def visits(request: PageRequest) -> HttpResponseBase:
    rows, following = queries.visits(request.store, request.GET.get("cursor"))
    context = {"rows": rows, "next": following, "upcoming": queries.upcoming(request.store)}
    return _shown(request, "portal/visits.html", context)


@page("portal:visit", needs=Permission.SEE_OWN_RECORD)
def visit(request: PageRequest, id: str) -> HttpResponseBase:
    return _shown(request, "portal/visit.html", {"visit": queries.visit(request.store, id)})


@page("portal:results", needs=Permission.SEE_OWN_RECORD)
def results(request: PageRequest) -> HttpResponseBase:
    return render(request, "portal/results.html", {"results": queries.results(request.store)})


@page("portal:result", needs=Permission.SEE_OWN_RECORD)
def result(request: PageRequest, id: str) -> HttpResponseBase:
    return _shown(request, "portal/result.html", {"result": queries.result(request.store, id)})


@page("portal:medications", needs=Permission.SEE_OWN_RECORD)
def medications(request: PageRequest) -> HttpResponseBase:
    return _shown(request, "portal/medications.html", {"lines": chart.medications(request.store, queries.own_id(request.store))})


@page("portal:immunizations", needs=Permission.SEE_OWN_RECORD)
def immunizations(request: PageRequest) -> HttpResponseBase:
    return render(request, "portal/immunizations.html", {"rows": chart.immunizations(request.store, queries.own_id(request.store))})


@page("portal:immunizations-pdf", needs=Permission.SEE_OWN_RECORD)
def immunizations_pdf(request: PageRequest) -> HttpResponseBase:
    id = queries.own_id(request.store)
    rows = chart.immunizations(request.store, id)
    if not rows and request.actor.role == PROXY.key:
        raise Http404  # a sheet that says there are none would say more than they were given leave to know
    words = immunization_words(request.store.read(Patient, id), rows, _practice(request), timezone.localdate())
    return pdf_response(request, pdf(TYPST / "immunizations.typ", words), "immunization-record.pdf", patient=id)


def _practice(request: PageRequest) -> str:
    patient = request.store.read(Patient, queries.own_id(request.store))
    managing = patient.managingOrganization
    found = request.store.find(Organization, managing.target_id) if managing and managing.target_id else None
    return (found.name if found else None) or (managing.display if managing else None) or _("Your practice")
