"""Emergency access: asking for it, what is open, and the privacy officer's review."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import Http404
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from openward.access.models import Opening
from openward.access.permissions import Permission
from openward.fhir.errors import FhirError
from openward.privacy.breakglass import actions, queries
from openward.privacy.breakglass.forms import OpenForm, ReviewForm
from openward.privacy.naming import names_by_reference
from openward.web.errors import add_to_form
from openward.web.pages import PageRequest, go, page, panel_done, render, render_panel


@page("privacy:emergency", needs=Permission.BREAK_GLASS, methods=("GET", "POST"))
def emergency(request: PageRequest) -> HttpResponseBase:
    """Ask for a record that is closed. What was typed is in the body, never in an address."""
    form = OpenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            opening = actions.open_record(by=request.actor, **form.cleaned_data)
        except FhirError as refusal:
            add_to_form(form, refusal)
        else:
            chart = Permission.READ_CHART if request.actor.may(Permission.READ_CHART) else None
            place = reverse("chart:summary", args=[opening.reference.split("/", 1)[1]]) if chart else reverse("privacy:emergency")
            return go(request, place, message=_("Open for an hour. Everything you look at is on record."))
    open_now = queries.mine(request.actor)
    rows = [(opening, name) for opening, name in zip(open_now, names_by_reference(request.store, [one.reference for one in open_now]), strict=True)]
    context = {"form": form, "open_now": rows, "may_read_chart": request.actor.may(Permission.READ_CHART)}
    return render(request, "privacy/emergency.html", context, status=422 if form.errors else 200)


@page("privacy:emergency-end", needs=Permission.BREAK_GLASS, methods=("POST",))
def end(request: PageRequest, id: str) -> HttpResponseBase:
    try:
        actions.end(opening=id, by=request.actor)
    except ValidationError:
        raise Http404 from None
    return go(request, "privacy:emergency", message=_("Emergency access ended."))


@page("privacy:openings", needs=Permission.REVIEW_PRIVACY)
def openings(request: PageRequest) -> HttpResponseBase:
    """What waits for a review, the oldest first; below, what was reviewed."""
    waiting, done = list(queries.waiting(request.actor.tenant)[: queries.MOST]), queries.reviewed(request.actor.tenant)
    names = names_by_reference(request.store, [one.reference for one in (*waiting, *done)])
    rows = [queries.Row(opening, name) for opening, name in zip((*waiting, *done), names, strict=True)]
    return render(request, "privacy/openings.html", {"waiting": rows[: len(waiting)], "done": rows[len(waiting) :]})


@page("privacy:opening", needs=Permission.REVIEW_PRIVACY, methods=("GET", "POST"))
def opening(request: PageRequest, id: str) -> HttpResponseBase:
    found = _found(request, id)
    form = ReviewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.review(opening=id, by=request.actor, **form.cleaned_data)
        except FhirError as refusal:
            add_to_form(form, refusal)
        else:
            return panel_done(request, message=_("Reviewed."), refresh=["openings"], page="privacy:openings")
    row = queries.Row(found, names_by_reference(request.store, [found.reference])[0])
    context = {
        "form": form,
        "row": row,
        "times": queries.looked_at(found),
        "panel_title": _("Emergency access by {who}").format(who=found.actor_name),
    }
    return render_panel(request, "privacy/opening.html", context, page="privacy:openings", status=422 if form.errors else 200)


def _found(request: PageRequest, id: str) -> Opening:
    try:
        return Opening.objects.get(pk=id, tenant=request.actor.tenant)
    except (Opening.DoesNotExist, ValidationError):
        raise Http404 from None
