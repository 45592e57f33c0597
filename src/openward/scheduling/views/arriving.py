"""Checking in: read the details back, confirm the insurance, open the visit. Also for those who just walk in."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.fhir.errors import FhirError
from openward.fhir.resources import Patient
from openward.registration.presenters import coverage_rows
from openward.registration.queries import coverages, details_to_confirm, name_of, number_of
from openward.scheduling import actions, queries
from openward.scheduling.forms import WalkInForm
from openward.scheduling.presenters.words import about
from openward.scheduling.views.appointments import CHANGED, view_of
from openward.scheduling.views.where import desk
from openward.web import errors
from openward.web.pages import PageRequest, go, page, panel_done, render_panel


@page("scheduling:check-in", needs=Permission.CHECK_IN, methods=("GET", "POST"))
def check_in(request: PageRequest, appointment: str) -> HttpResponseBase:
    """One screen: how to reach the patient, who to call, the insurance. What is changed here is saved with the arrival."""
    found = queries.arrival(request.store, appointment)
    if found.patient is None or found.appointment is None:
        raise Http404
    insurances = coverages(request.store, str(found.patient.id))
    form = details_to_confirm(found.patient, has_coverage=bool(insurances), data=request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            visit = actions.check_in(by=request.actor, appointment=appointment, details=form.apply_changes if form.changes else None)
        except FhirError as refusal:
            errors.add_to_form(form, refusal)
        else:
            return panel_done(
                request,
                message=_said(form.changes),
                refresh=CHANGED,
                page="scheduling:today",
                undo=reverse("scheduling:undo-check-in", args=[visit.id]),
            )
    context = _context(found.patient, form) | {"shown": view_of(request, found), "coverages": coverage_rows(insurances), "panel_title": _("Check in")}
    return render_panel(request, "scheduling/panels/check_in.html", context, page="scheduling:today", status=422 if form.errors else 200)


def _said(changes: list[str]) -> str:
    """What was done, and what was changed on the way: fields, never values."""
    changed = ", ".join(changes)
    return _("Checked in. Changed: {fields}.").format(fields=changed) if changed else _("Checked in. Nothing had changed.")


def _context(patient: Patient, form: object) -> dict[str, Any]:
    return {"form": form, "patient": patient, "patient_name": name_of(patient), "patient_about": about(patient), "patient_number": number_of(patient)}


@page("scheduling:walk-in", needs=Permission.CHECK_IN, methods=("GET", "POST"))
def walk_in(request: PageRequest, patient: str) -> HttpResponseBase:
    here, person = desk(request), request.store.read(Patient, patient)
    services = [(str(service.id), service.name or "") for service in queries.services(request.store)]
    people = {one.practitioner: one.name for one in queries.bookable(request.store, facility=here.place.id)}
    form = WalkInForm(request.POST if request.method == "POST" else None, services=services, people=people.items())
    if request.method == "POST" and form.is_valid():
        entered = form.cleaned_data
        try:
            actions.walk_in(
                by=request.actor, patient=patient, service=entered["service"], facility=here.place.id, practitioner=entered["practitioner"] or None
            )
        except FhirError as refusal:
            errors.add_to_form(form, refusal)
        else:
            return go(request, "scheduling:today", message=_("The visit is open and on the flow board."))
    context = _context(person, form) | {"desk": here, "panel_title": _("Walk-in")}
    page_args = {"patient": patient}
    return render_panel(
        request, "scheduling/panels/walk_in.html", context, page="registration:patient", page_args=page_args, status=422 if form.errors else 200
    )
