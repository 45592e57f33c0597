"""Suspending an accounting, from the page of who opened the record."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django import forms
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openward.access.permissions import Permission
from openward.fhir.errors import NotFound
from openward.fhir.ids import key
from openward.fhir.resources import Patient
from openward.privacy.models import Suspension
from openward.privacy.suspensions import actions
from openward.web.pages import PageRequest, go, page, render_panel

DATE = {"type": "date"}


class SuspensionForm(forms.Form):
    """What the agency said. 45 CFR 164.528(a)(2)(i) and (ii)"""

    agency = forms.CharField(
        label=gettext_lazy("Agency"), max_length=200, help_text=gettext_lazy("Written as in the disclosures to it, which stay out of the accounting")
    )
    stated = forms.CharField(label=gettext_lazy("Who said it, and why"), max_length=500)
    in_writing = forms.BooleanField(
        label=gettext_lazy("There is a written statement"), required=False, help_text=gettext_lazy("One that was only said holds for 30 days")
    )
    stated_on = forms.DateField(label=gettext_lazy("Stated on"), initial=timezone.localdate, widget=forms.DateInput(attrs=DATE))
    last_day = forms.DateField(
        label=gettext_lazy("Last day"), widget=forms.DateInput(attrs=DATE), help_text=gettext_lazy("The agency names the time")
    )

    def clean_agency(self) -> str:
        """As the trail keeps whom it was given to."""
        return " ".join(self.cleaned_data["agency"].replace("|", "/").split())

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        since, until, today = found.get("stated_on"), found.get("last_day"), timezone.localdate()
        if since and since > today:
            self.add_error("stated_on", _("This day is still to come."))
        if until and until < max(today, since or today):
            self.add_error("last_day", _("This day is over."))
        if since and until and not found.get("in_writing") and until > since + dt.timedelta(days=actions.ORAL_DAYS):
            self.add_error("last_day", _("Without a written statement it ends 30 days after it was said."))
        return found

    def told(self) -> dict[str, Any]:
        """For `suspend`. The fields have other names than those of the list behind the panel, which has days of its own."""
        found = dict(self.cleaned_data)
        since, until = found.pop("stated_on"), found.pop("last_day")
        return {**found, "since": since, "until": until}


@page("privacy:suspend", needs=Permission.REVIEW_PRIVACY, methods=("GET", "POST"))
def suspend(request: PageRequest, id: str) -> HttpResponseBase:
    request.store.read(Patient, id)
    form = SuspensionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.suspend(patient=key("Patient", id), by=request.actor, **form.told())
        return go(request, "privacy:patient", message=_("Withheld until that day."), id=id)
    context = {"form": form, "panel_title": _("Withhold from the accounting")}
    status = 422 if form.errors else 200
    return render_panel(request, "privacy/suspend.html", context, page="privacy:patient", page_args={"id": id}, status=status)


@page("privacy:resume", needs=Permission.REVIEW_PRIVACY, methods=("POST",))
def resume(request: PageRequest, id: str, suspension: UUID) -> HttpResponseBase:
    request.store.read(Patient, id)
    if not Suspension.objects.filter(tenant=request.actor.tenant, pk=suspension, patient=key("Patient", id)).exists():
        raise NotFound(type="Suspension", id=str(suspension))
    actions.resume(suspension=suspension, by=request.actor)
    return go(request, "privacy:patient", message=_("The accounting tells it again."), id=id)
