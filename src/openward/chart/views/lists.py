"""Allergies and problems: entering, resolving, and saying that a list was gone through."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.chart import actions, diagnoses
from openward.chart.drugs.available import knowledge_or_none
from openward.chart.forms.entry import AllergyForm, ProblemForm, ReportedForm, ResolveForm
from openward.chart.presenters.lists import AllergyRow, ProblemRow
from openward.chart.queries.summary import Chart, read_chart
from openward.chart.views.chart import context
from openward.fhir.errors import FhirError, NotFound
from openward.fhir.resources import AllergyIntolerance, Condition, MedicationStatement
from openward.web import errors
from openward.web.banner import Banner
from openward.web.pages import PageRequest, go, page, panel_done, render_panel


def panel(request: PageRequest, chart: Chart, template: str, title: str, form: Any = None, **more: Any) -> HttpResponseBase:
    """A panel beside the chart; 422 when its form came back with errors."""
    shown = {**context(request, chart), "panel_patient": Banner(chart.patient), "form": form, "panel_title": title, **more}
    status = 422 if form is not None and form.is_bound else 200
    return render_panel(request, template, shown, page="chart:summary", page_args={"patient": chart.patient_id}, status=status)


def done(request: PageRequest, patient: str, message: str, *cards: str) -> HttpResponse:
    return panel_done(request, message=message, refresh=[*cards, "timeline"], page="chart:summary", page_args={"patient": patient})


def belongs(resource: Any, patient: str) -> Any:
    """The resource, if it is this patient's: an address with another patient's number leads nowhere."""
    subject = resource.data.get("subject") or resource.data.get("patient") or resource.data.get("for") or {}
    if subject.get("reference") != f"Patient/{patient}":
        raise NotFound(type=resource.resourceType, id=resource.id)
    return resource


@page("chart:allergy-new", needs=Permission.REVIEW_LISTS, methods=("GET", "POST"))
def allergy_new(request: PageRequest, patient: str) -> HttpResponseBase:
    chart = read_chart(request.store, patient)
    form = AllergyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = {name: form.cleaned_data[name] for name in ("substance", "kind", "reaction", "severity", "criticality")}
        try:
            actions.record_allergy(patient=patient, by=request.actor, **data)
            return _banner_changed(request, patient, _("Allergy recorded."))
        except FhirError as error:
            errors.add_to_form(form, error)
    knowledge = knowledge_or_none()
    return panel(request, chart, "chart/panels/allergy.html", _("Record an allergy"), form, reactions=knowledge.reactions if knowledge else ())


def _banner_changed(request: PageRequest, patient: str, message: str) -> HttpResponse:
    """Allergies stand in the banner too: the page is opened again, so that no part of it says otherwise."""
    return go(request, "chart:summary", message=message, patient=patient)


@page("chart:allergy", needs=Permission.REVIEW_LISTS, methods=("GET", "POST"))
def allergy(request: PageRequest, patient: str, allergy: str) -> HttpResponseBase:
    """Look at one allergy; resolve it, or say that it was wrong."""
    chart = read_chart(request.store, patient)
    standing = belongs(request.store.read(AllergyIntolerance, allergy), patient)
    if request.method == "POST":
        actions.resolve_allergy(allergy=allergy, by=request.actor, was_wrong=request.POST.get("how") == "refuted")
        return _banner_changed(request, patient, _("Allergy no longer active."))
    return panel(request, chart, "chart/panels/allergy_detail.html", _("Allergy"), row=AllergyRow(standing))


@page("chart:allergies-reviewed", needs=Permission.REVIEW_LISTS, methods=("POST",))
def allergies_reviewed(request: PageRequest, patient: str) -> HttpResponseBase:
    """The list was gone through; with `none` the patient knows of no allergies."""
    if request.POST.get("none"):
        actions.confirm_no_allergies(patient=patient, by=request.actor)
        return _banner_changed(request, patient, _("No known allergies: confirmed."))
    actions.review_allergies(patient=patient, by=request.actor)
    return _banner_changed(request, patient, _("Allergies reviewed."))


@page("chart:medications-reviewed", needs=Permission.REVIEW_LISTS, methods=("POST",))
def medications_reviewed(request: PageRequest, patient: str) -> HttpResponseBase:
    actions.review_medications(patient=patient, by=request.actor)
    return done(request, patient, _("Medications reviewed."), "medications")


@page("chart:medication-reported", needs=Permission.REVIEW_LISTS, methods=("GET", "POST"))
def medication_reported(request: PageRequest, patient: str) -> HttpResponseBase:
    """Add what the patient takes besides what is prescribed here."""
    chart = read_chart(request.store, patient)
    form = ReportedForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        since = form.cleaned_data["since"]
        try:
            actions.report_medication(
                patient=patient, **form.chosen(), taken=form.cleaned_data["taken"], since=since.isoformat() if since else "", by=request.actor
            )
            return done(request, patient, _("Medication recorded."), "medications")
        except FhirError as error:
            errors.add_to_form(form, error)
    return panel(request, chart, "chart/panels/reported.html", _("Add a medication the patient takes"), form)


@page("chart:medication-ended", needs=Permission.REVIEW_LISTS, methods=("POST",))
def medication_ended(request: PageRequest, patient: str, statement: str) -> HttpResponseBase:
    belongs(request.store.read(MedicationStatement, statement), patient)
    actions.no_longer_taken(statement=statement, by=request.actor)
    return done(request, patient, _("No longer taken."), "medications")


@page("chart:problem-new", needs=Permission.MANAGE_PROBLEMS, methods=("GET", "POST"))
def problem_new(request: PageRequest, patient: str) -> HttpResponseBase:
    diagnoses.warm()
    chart = read_chart(request.store, patient)
    form = ProblemForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        onset = data["onset"].isoformat() if data["onset"] else ""
        try:
            actions.add_problem(patient=patient, **form.chosen(), onset=onset, note=data["note"], by=request.actor)
            return done(request, patient, _("Problem added."), "problems")
        except FhirError as error:
            errors.add_to_form(form, error)
    return panel(request, chart, "chart/panels/problem.html", _("Add a problem"), form)


@page("chart:problem", needs=Permission.MANAGE_PROBLEMS, methods=("GET", "POST"))
def problem(request: PageRequest, patient: str, problem: str) -> HttpResponseBase:
    """Look at one problem; resolve it or make it active again."""
    chart = read_chart(request.store, patient)
    standing = belongs(request.store.read(Condition, problem), patient)
    form = ResolveForm(request.POST or None, initial={"on": timezone.localdate()})
    if request.method == "POST" and (request.POST.get("reopen") or form.is_valid()):
        reopen = bool(request.POST.get("reopen"))
        on = "" if reopen else form.cleaned_data["on"].isoformat()
        actions.resolve_problem(problem=problem, on=on, reopen=reopen, by=request.actor)
        return done(request, patient, _("Problem is active again.") if reopen else _("Problem resolved."), "problems")
    return panel(request, chart, "chart/panels/problem_detail.html", _("Problem"), form, row=ProblemRow(standing))
