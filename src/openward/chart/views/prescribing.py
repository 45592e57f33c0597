"""Prescribing, renewing, stopping. The check is shown before and made again when the prescription is signed."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.chart import actions
from openward.chart.actions.prescriptions import check_prescription
from openward.chart.codes import RXNORM
from openward.chart.drugs.available import knowledge_or_none
from openward.chart.drugs.check import Outcome
from openward.chart.errors import AlreadyRenewed, NeedsAcknowledgement, NeedsReason, WrongFromTheStart
from openward.chart.forms.entry import DrugForm, PrescriptionForm, StopForm, starting_values
from openward.chart.presenters.medications import MedicationLine, name_of
from openward.chart.presenters.wording import codes_in
from openward.chart.queries.summary import read_chart
from openward.chart.views.lists import belongs, done, panel
from openward.fhir.errors import FhirError
from openward.fhir.resources import MedicationRequest
from openward.web import errors
from openward.web.pages import PageRequest, page, render


@page("chart:prescribe", needs=Permission.PRESCRIBE, methods=("GET", "POST"))
def prescribe(request: PageRequest, patient: str) -> HttpResponseBase:
    """Choose a drug, then how it is taken; what the check says stands between the two."""
    chart = read_chart(request.store, patient)
    if request.method == "GET":
        return panel(request, chart, "chart/panels/prescribe.html", _("Prescribe"), picker=DrugForm())
    if "dose" not in request.POST:
        return panel(request, chart, "chart/panels/prescribe.html", _("Prescribe"), picker=DrugForm(request.POST), **_details(request, patient))
    form = PrescriptionForm(request.POST)
    if form.is_valid():
        try:
            actions.prescribe(
                patient=patient,
                prescription=form.prescription(),
                reason=form.cleaned_data["reason"],
                acknowledged=form.cleaned_data["acknowledged"],
                by=request.actor,
            )
            return done(request, patient, _("Prescribed."), "medications")
        except FhirError as error:
            _say(form, error)
    return panel(request, chart, "chart/panels/prescribe.html", _("Prescribe"), form, picker=DrugForm(request.POST), **_asked(form, request, patient))


def _asked(form: PrescriptionForm, request: PageRequest, patient: str) -> dict[str, Any]:
    """What the check found; a reason it asks for is not called optional."""
    checked = _checked(request, patient)
    form.fields["reason"].required = checked["outcome"].needs_reason
    return checked


def _say(form: Any, error: FhirError) -> None:
    """Beside what must be filled in, where the refusal asks for it."""
    asked_for = {"NeedsReason": "reason", "NeedsAcknowledgement": "acknowledged"}
    if (field := asked_for.get(type(error).__name__)) is not None:
        form.add_error(field, str(error))
    else:
        errors.add_to_form(form, error)


@page("chart:prescribe-details", needs=Permission.PRESCRIBE, methods=("POST",))
def details(request: PageRequest, patient: str) -> HttpResponse:
    """The second step for the drug just picked, with what the check found."""
    read_chart(request.store, patient)
    return render(request, "chart/parts/prescription.html", {"patient": patient, **_details(request, patient)})


def _details(request: PageRequest, patient: str) -> dict[str, Any]:
    drug, product, text = DrugForm(request.POST).chosen()
    if not text:
        return {}
    form = PrescriptionForm(initial={"drug": request.POST.get("drug") or text, **starting_values(drug, product)})
    return {"form": form, **_asked(form, request, patient)}


def _checked(request: PageRequest, patient: str) -> dict[str, Any]:
    drug, product, text = DrugForm(request.POST).chosen()
    name = " ".join(part for part in (text, product.strength if product else "", product.form if product else "") if part)
    codes = (drug.rxcui,) if drug is not None and drug.rxcui else ()
    outcome = check_prescription(store=request.store, patient=patient, text=name, codes=codes)
    return {"outcome": outcome, "checked_name": name_of(name), "unit": product.unit if product else "", **_dated(outcome)}


def _dated(outcome: Outcome) -> dict[str, Any]:
    knowledge = knowledge_or_none()
    return {"checked_against": knowledge.dated if knowledge is not None and outcome.ran else None}


@page("chart:renew", needs=Permission.PRESCRIBE, methods=("GET", "POST"))
def renew(request: PageRequest, patient: str, medication: str) -> HttpResponseBase:
    """The same again: one look at the check, one press."""
    chart = read_chart(request.store, patient)
    standing = belongs(request.store.read(MedicationRequest, medication), patient)
    problem = ""
    if request.method == "POST":
        try:
            actions.renew(
                medication=medication, reason=request.POST.get("reason", ""), acknowledged=bool(request.POST.get("acknowledged")), by=request.actor
            )
            return done(request, patient, _("Renewed."), "medications")
        except (NeedsReason, NeedsAcknowledgement, AlreadyRenewed, WrongFromTheStart) as error:
            problem = str(error)
    line = MedicationLine(standing)
    codes = tuple(codes_in(standing.medicationCodeableConcept, RXNORM))
    outcome = check_prescription(store=request.store, patient=patient, text=line.text, codes=codes, except_for=medication)
    more = {"line": line, "outcome": outcome, "problem": problem, "reason": request.POST.get("reason", ""), **_dated(outcome)}
    return panel(request, chart, "chart/panels/renew.html", _("Renew"), **more)


@page("chart:stop", needs=Permission.PRESCRIBE, methods=("GET", "POST"))
def stop(request: PageRequest, patient: str, medication: str) -> HttpResponseBase:
    chart = read_chart(request.store, patient)
    standing = belongs(request.store.read(MedicationRequest, medication), patient)
    form = StopForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.stop(medication=medication, reason=form.text(), by=request.actor)
            return done(request, patient, _("Stopped."), "medications")
        except FhirError as error:
            errors.add_to_form(form, error)
    return panel(request, chart, "chart/panels/stop.html", _("Stop a medication"), form, line=MedicationLine(standing))
