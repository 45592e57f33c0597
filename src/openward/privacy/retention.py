"""How long the trail is kept, and what stops it from going."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openward.access.permissions import Permission
from openward.audit.auditor import note
from openward.audit.models import LEAST_DAYS, Hold, Retention
from openward.fhir.errors import NotFound
from openward.record.connection import connection
from openward.web.pages import PageRequest, go, page, render, render_panel

YEAR = 365.25
LEAST_YEARS = 6


class RetentionForm(forms.Form):
    years = forms.IntegerField(
        label=gettext_lazy("Years"),
        min_value=LEAST_YEARS,
        max_value=100,
        help_text=gettext_lazy("At least six. It can be changed later."),
    )

    @property
    def days(self) -> int:
        return max(LEAST_DAYS, round(self.cleaned_data["years"] * YEAR))


class HoldForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=500, help_text=gettext_lazy("Such as the matter and who asked"))


@page("privacy:retention", needs=Permission.REVIEW_PRIVACY, methods=("GET", "POST"))
def retention(request: PageRequest) -> HttpResponseBase:
    """The period, and the holds that stand and stood."""
    kept = Retention.objects.filter(tenant=request.actor.tenant).first()
    form = RetentionForm(request.POST or None, initial={"years": round(kept.days / YEAR)} if kept else None)
    if request.method == "POST" and form.is_valid():
        now = {"days": form.days, "set_by": request.actor.name, "set_at": timezone.now()}
        Retention.objects.update_or_create(tenant=request.actor.tenant, defaults=now)
        note(connection(), request.actor, "retention-set", detail=f"{form.days} days")
        return go(request, "privacy:retention", message=_("Saved."))
    holds = Hold.objects.filter(tenant=request.actor.tenant).order_by("-placed_at")[:200]
    return render(request, "privacy/retention.html", {"form": form, "kept": kept, "holds": holds}, status=422 if form.errors else 200)


@page("privacy:hold", needs=Permission.REVIEW_PRIVACY, methods=("GET", "POST"))
def hold(request: PageRequest) -> HttpResponseBase:
    """While one stands nothing of the trail goes, however old."""
    form = HoldForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = Hold.objects.create(tenant=request.actor.tenant, reason=form.cleaned_data["reason"], placed_by=request.actor.name)
        note(connection(), request.actor, "hold-placed", detail=f"hold {made.id}")
        return go(request, "privacy:retention", message=_("The hold stands."))
    context = {"form": form, "panel_title": _("Place a legal hold")}
    return render_panel(request, "privacy/hold.html", context, page="privacy:retention", status=422 if form.errors else 200)


@page("privacy:release", needs=Permission.REVIEW_PRIVACY, methods=("POST",))
def release(request: PageRequest, id: UUID) -> HttpResponseBase:
    held = Hold.objects.filter(tenant=request.actor.tenant, pk=id, released_at__isnull=True)
    if not held.update(released_at=timezone.now(), released_by=request.actor.name):
        raise NotFound(type="Hold", id=str(id))
    note(connection(), request.actor, "hold-released", detail=f"hold {id}")
    return go(request, "privacy:retention", message=_("Released."))
