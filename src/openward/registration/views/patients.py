"""Registering a patient, and the patient's page."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.fhir.errors import FhirError
from openward.fhir.resources import Patient
from openward.registration import actions, merging, queries
from openward.registration.errors import ProbableDuplicate
from openward.registration.forms import DifferentPersonForm, PatientForm
from openward.registration.presenters import AppointmentRow, Details, LikenessRow, coverage_rows
from openward.registration.sides import MergedRow
from openward.web import errors
from openward.web.addresses import address
from openward.web.banner import Banner, replaced_by
from openward.web.pages import PageRequest, go, page, panel_done, render, render_panel

SHOWN = 6
FIELDS = {
    "Patient.name": "family",
    "Patient.birthDate": "birth_date",
    "Patient.gender": "sex",
    "Patient.telecom": "phone",
    "Patient.address": "line",
    "Patient.contact": "contact_name",
}


@page("registration:new", needs=Permission.REGISTER_PATIENTS, methods=("GET", "POST"))
def new(request: PageRequest) -> HttpResponse:
    """Register somebody. Somebody alike is shown first, with why, and the form waits for a decision."""
    form = PatientForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "registration/new.html", {"form": form}, status=422 if form.errors else 200)
    reason, shown = request.POST.get("different", "").strip(), request.POST.getlist("shown")
    try:
        registered = actions.register(by=request.actor, patient=form.apply(Patient()), different=reason, shown=shown)
    except ProbableDuplicate as duplicate:
        likenesses = likeness_rows(request, duplicate)
        answered = shown if {row.likeness.id for row in likenesses} <= set(shown) else []
        context = {"form": form, "different": DifferentPersonForm(request.POST if answered else None), "likenesses": likenesses}
        return render(request, "registration/new.html", context, status=422)
    except FhirError as refusal:
        errors.add_to_form(form, refusal, FIELDS)
        return render(request, "registration/new.html", {"form": form}, status=422)
    return go(request, "registration:patient", message=_("Registered."), patient=registered.id)


def likeness_rows(request: PageRequest, duplicate: ProbableDuplicate) -> list[LikenessRow]:
    rows = []
    for likeness in duplicate.likenesses:
        patient = request.store.find(Patient, likeness.id)
        if patient is not None:
            rows.append(LikenessRow(likeness, patient, reverse("registration:patient", args=[patient.id])))
    return rows


@page("registration:patient", needs=Permission.FIND_PATIENTS)
def patient(request: PageRequest, patient: str) -> HttpResponse:
    """Who this is, how to reach them, who pays, when they come."""
    return render(request, "registration/patient.html", patient_context(request, patient))


def patient_context(request: PageRequest, patient: str) -> dict[str, Any]:
    found, actor = queries.registration(request.store, patient), request.actor
    zones = queries.zones_of(request.store, [*found.upcoming, *found.past])
    return {
        "patient": found.patient,
        "banner": queries.banner(request.store, found.patient),
        "details": Details(found.patient),
        "coverages": coverage_rows(found.coverages),
        "upcoming": [AppointmentRow(one, zones) for one in found.upcoming[:SHOWN]],
        "later": [AppointmentRow(one, zones) for one in found.upcoming[SHOWN:]],
        "past": [AppointmentRow(one, zones) for one in found.past],
        "may_edit": actor.may(Permission.REGISTER_PATIENTS),
        "edit_or_not": _("Edit") if actor.may(Permission.REGISTER_PATIENTS) else "",
        "add_or_not": _("Add") if actor.may(Permission.EDIT_COVERAGE) else "",
        "replaced_by": replaced_by(found.patient),
        "may_merge": actor.may(Permission.MERGE_PATIENTS),
        "merged": [MergedRow(one) for one in merging.merges(request.store, patient)] if actor.may(Permission.MERGE_PATIENTS) else [],
        "may_see_coverage": actor.may(Permission.SEE_COVERAGE),
        "may_edit_coverage": actor.may(Permission.EDIT_COVERAGE),
        "may_see_schedule": actor.may(Permission.SEE_SCHEDULE),
        "may_book": actor.may(Permission.BOOK),
        "may_check_in": actor.may(Permission.CHECK_IN),
        "chart_url": _address("chart:summary", patient) if actor.may(Permission.READ_CHART) else "",
        "consents_url": _address("privacy:consents", patient) if actor.may(Permission.RECORD_CONSENTS) else "",
        "balance_url": _address("billing:account", patient) if actor.may(Permission.SEE_BILLING) else "",
    }


def _address(url_name: str, patient: str) -> str:
    """The page of another room, or nothing where that room has none."""
    try:
        return reverse(url_name, args=[patient])
    except NoReverseMatch:
        return address(url_name)


@page("registration:details-card", needs=Permission.FIND_PATIENTS)
def details_card(request: PageRequest, patient: str) -> HttpResponse:
    return render(request, "registration/parts/details.html", patient_context(request, patient))


@page("registration:appointments-card", needs=Permission.SEE_SCHEDULE)
def appointments_card(request: PageRequest, patient: str) -> HttpResponse:
    return render(request, "registration/parts/appointments.html", patient_context(request, patient))


@page("registration:edit", needs=Permission.REGISTER_PATIENTS, methods=("GET", "POST"))
def edit(request: PageRequest, patient: str) -> HttpResponseBase:
    """Change demographics in the side panel."""
    person = request.store.read(Patient, patient)
    version = int((person.meta.versionId if person.meta else None) or 0)
    form = PatientForm(request.POST if request.method == "POST" else None, initial=PatientForm.shown(person))
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_demographics(by=request.actor, patient=patient, version=typed_version(request, version), apply=form.apply)
        except FhirError as refusal:
            errors.add_to_form(form, refusal, FIELDS)
        else:
            return panel_done(request, message=_("Details saved."), refresh=["details"], page="registration:patient", page_args={"patient": patient})
    context = {"form": form, "version": request.POST.get("version") or version, "panel_title": _("Edit details"), "panel_patient": Banner(person)}
    status = 422 if form.errors else 200
    return render_panel(request, "registration/panels/edit.html", context, page="registration:patient", page_args={"patient": patient}, status=status)


def typed_version(request: PageRequest, standing: int) -> int:
    """The version the form was opened on; the standing one where it brings none that is a number."""
    text = request.POST.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 10 else standing


@page("registration:invite", needs=Permission.REGISTER_PATIENTS, methods=("POST",))
def invite(request: PageRequest, patient: str) -> HttpResponse:
    """Send the patient an invitation to the portal."""
    reach = actions.invite(by=request.actor, patient=patient)
    words = {"sms": _("text message"), "email": _("e-mail"), "letter": _("letter")}
    message = _("The invitation leaves by {channel}.").format(channel=words[reach.channel])
    return panel_done(request, message=message, page="registration:patient", page_args={"patient": patient})
