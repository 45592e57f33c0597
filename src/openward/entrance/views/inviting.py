"""An invitation handed over at the desk: the practice makes sure who it is, and prints a letter with a code."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.accounts import actions
from openward.accounts.models import Invitation
from openward.accounts.young import TooYoung
from openward.audit.auditor import note
from openward.entrance.forms import InviteForm
from openward.fhir.resources import Patient
from openward.record.connection import connection
from openward.web.display import person_name
from openward.web.errors import sentence
from openward.web.pages import PageRequest, page, render
from openward.web.papers import print_response


@page("accounts:invite", needs=Permission.REGISTER_PATIENTS, methods=("GET", "POST"))
def invite(request: PageRequest, patient: str) -> HttpResponseBase:
    """For the patient, or for someone who is to look after their record. The code is shown once and kept as a digest."""
    person = request.store.read(Patient, patient)
    form = InviteForm(request.POST or None)
    context = {"form": form, "patient": patient, "name": person_name(person.name[0] if person.name else None)}
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["who"] == "patient" and not person.birthDate:
            form.add_error("who", _("There is no birth date on the record, which the invitation asks for. Add it first."))
        else:
            try:
                words = _letter(request, patient, form, context)
            except TooYoung as child:
                form.add_error("who", sentence(child))
            else:
                return print_response(request, "entrance/invitation_letter.html", words, what="invitation-letter", patient=patient)
    return render(request, "entrance/invite.html", context, status=422 if form.errors else 200)


def _letter(request: PageRequest, patient: str, form: InviteForm, context: dict[str, Any]) -> dict[str, Any]:
    """What the letter says. Raises TooYoung."""
    code = actions.new_code()
    invitation = _invite(request, patient, str(context["name"]), form, code)
    there = settings.OPENWARD_PUBLIC_URL + reverse("accounts:invitation-code")
    return {**context, "invitation": invitation, "code": code, "there": there}


def _invite(request: PageRequest, patient: str, name: str, form: InviteForm, code: str) -> Invitation:
    found, by = form.cleaned_data, request.actor
    if found["who"] == "carer":
        invitation, _token = actions.invite_carer(
            name=found["name"], birth_date=found["birth_date"].isoformat(), proofed_by=found["proofed_by"], by=by, code=code
        )
    else:
        invitation, _token = actions.invite_patient(reference=f"Patient/{patient}", name=name, proofed_by=found["proofed_by"], by=by, code=code)
    note(connection(), by, "invite", detail=f"invitation:{invitation.id} {found['who']}, {found['proofed_by']}")
    return invitation
