"""Flagged look-ups: the list, and the finding of each."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openward.access.models import Flag
from openward.access.permissions import Permission
from openward.fhir.errors import FhirError
from openward.privacy.finding import names_of
from openward.privacy.snooping import actions
from openward.privacy.snooping.report import REASONS
from openward.web.errors import add_to_form
from openward.web.pages import PageRequest, page, panel_done, render, render_panel

PER_PAGE = 100


class FindingForm(forms.Form):
    finding = forms.CharField(label=gettext_lazy("What you found"), min_length=5, max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


@page("privacy:lookups", needs=Permission.REVIEW_PRIVACY)
def lookups(request: PageRequest) -> HttpResponseBase:
    """What was flagged, the newest day first; what is still to examine, or everything."""
    every = request.GET.get("state") == "all"
    found = Flag.objects.filter(tenant=request.actor.tenant).order_by("-day", "actor_name", "id")
    shown = Paginator(found if every else found.filter(examined_at__isnull=True), PER_PAGE).get_page(request.GET.get("page"))
    names = names_of(request.store, {flag.patient for flag in shown})
    rows = [(flag, names.get(flag.patient, _("A patient")), [REASONS.get(reason, reason) for reason in flag.reasons]) for flag in shown]
    tabs = [(_("To examine"), "?", not every), (_("All"), "?state=all", every)]
    return render(request, "privacy/lookups.html", {"rows": rows, "shown": shown, "tabs": tabs, "state": "all" if every else ""})


@page("privacy:lookup", needs=Permission.REVIEW_PRIVACY, methods=("GET", "POST"))
def lookup(request: PageRequest, id: str) -> HttpResponseBase:
    try:
        flag = Flag.objects.get(pk=id, tenant=request.actor.tenant)
    except (Flag.DoesNotExist, ValidationError):
        raise Http404 from None
    form = FindingForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.examine(flag=id, finding=form.cleaned_data["finding"], by=request.actor)
        except FhirError as refusal:
            add_to_form(form, refusal)
        else:
            return panel_done(request, message=_("Kept."), refresh=["lookups"], page="privacy:lookups")
    name = names_of(request.store, {flag.patient}).get(flag.patient, _("A patient"))
    context = {
        "flag": flag,
        "name": name,
        "reasons": [REASONS.get(reason, reason) for reason in flag.reasons],
        "form": form,
        "panel_title": flag.actor_name,
    }
    return render_panel(request, "privacy/lookup.html", context, page="privacy:lookups", status=422 if form.errors else 200)
