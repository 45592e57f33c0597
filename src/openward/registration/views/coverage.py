"""Who pays: a patient's insurances, recorded and changed in the side panel."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.fhir.errors import FhirError, NotFound
from openward.fhir.resources import Coverage, Patient
from openward.registration import actions, queries
from openward.registration.errors import OrderTaken
from openward.registration.forms import CoverageForm
from openward.registration.presenters import coverage_rows
from openward.registration.views.patients import typed_version
from openward.web import errors
from openward.web.banner import Banner
from openward.web.pages import PageRequest, page, panel_done, render, render_panel

FIELDS = {"Coverage.subscriberId": "subscriber_id", "Coverage.payor": "payer", "Coverage.period": "start", "Coverage.relationship": "relationship"}


@page("registration:coverage-card", needs=Permission.SEE_COVERAGE)
def card(request: PageRequest, patient: str) -> HttpResponse:
    rows = coverage_rows(queries.coverages(request.store, patient, ended=True))
    may_edit = request.actor.may(Permission.EDIT_COVERAGE)
    context = {
        "patient_id": patient,
        "coverages": rows,
        "may_edit_coverage": may_edit,
        "add_or_not": _("Add") if may_edit else "",
        "may_see_coverage": True,
    }
    return render(request, "registration/parts/coverage.html", context)


@page("registration:coverage-new", needs=Permission.EDIT_COVERAGE, methods=("GET", "POST"))
def new(request: PageRequest, patient: str) -> HttpResponseBase:
    """Record an insurance; the next place in the order is proposed."""
    taken = {one.order for one in queries.coverages(request.store, patient)}
    order = next((number for number in (1, 2, 3) if number not in taken), 3)
    form = CoverageForm(
        request.POST if request.method == "POST" else None, payers=queries.payers(request.store), initial={"order": order, "relationship": "self"}
    )
    if request.method == "POST" and form.is_valid():
        try:
            actions.record_coverage(by=request.actor, patient=patient, apply=form.apply)
        except FhirError as refusal:
            _refuse(form, refusal)
        else:
            return _saved(request, patient, _("Insurance recorded."))
    return _panel(request, patient, form, {"panel_title": _("Add insurance")})


@page("registration:coverage", needs=Permission.EDIT_COVERAGE, methods=("GET", "POST"))
def edit(request: PageRequest, patient: str, coverage: str) -> HttpResponseBase:
    held = _of_patient(request, patient, coverage)
    version = int((held.meta.versionId if held.meta else None) or 0)
    form = CoverageForm(request.POST if request.method == "POST" else None, payers=_payers(request, held), initial=CoverageForm.shown(held))
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_coverage(by=request.actor, coverage=coverage, version=typed_version(request, version), apply=form.apply)
        except FhirError as refusal:
            _refuse(form, refusal)
        else:
            return _saved(request, patient, _("Insurance saved."))
    context = {"panel_title": _("Edit insurance"), "coverage": held, "version": request.POST.get("version") or version}
    return _panel(request, patient, form, context)


@page("registration:coverage-end", needs=Permission.EDIT_COVERAGE, methods=("POST",))
def end(request: PageRequest, patient: str, coverage: str) -> HttpResponse:
    """The insurance no longer holds."""
    _of_patient(request, patient, coverage)
    actions.end_coverage(by=request.actor, coverage=coverage)
    return _saved(request, patient, _("Insurance ended."))


def _of_patient(request: PageRequest, patient: str, coverage: str) -> Coverage:
    held = request.store.read(Coverage, coverage)
    if held.beneficiary is None or held.beneficiary.target_id != patient:
        raise NotFound(type="Coverage", id=coverage)
    return held


def _payers(request: PageRequest, held: Coverage) -> list[tuple[str, str]]:
    """The insurers, and the present one even when it is no longer on the list."""
    payers = queries.payers(request.store)
    own = (str(held.payor[0].target_id), queries.payer_name(held)) if held.payor else None
    return payers if own is None or own[0] in dict(payers) else [own, *payers]


def _refuse(form: CoverageForm, refusal: FhirError) -> None:
    if isinstance(refusal, OrderTaken):
        form.add_error("order", str(refusal))
    else:
        errors.add_to_form(form, refusal, FIELDS)


def _saved(request: PageRequest, patient: str, message: str) -> HttpResponse:
    return panel_done(request, message=message, refresh=["coverage"], page="registration:patient", page_args={"patient": patient})


def _panel(request: PageRequest, patient: str, form: CoverageForm, context: dict[str, Any]) -> HttpResponseBase:
    context = {"form": form, "patient_id": patient, "panel_patient": Banner(request.store.read(Patient, patient)), **context}
    status = 422 if form.errors else 200
    return render_panel(
        request, "registration/panels/coverage.html", context, page="registration:patient", page_args={"patient": patient}, status=status
    )
