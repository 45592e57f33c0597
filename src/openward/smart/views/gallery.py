"""The administrator's app gallery: what is registered, what waits for approval, who uses it."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.smart import actions, words
from openward.smart.forms import AppForm, ApproveForm
from openward.smart.models import App
from openward.smart.registration import BadApp, register
from openward.web.pages import PageRequest, go, page, panel_done, render, render_panel

AT_MOST = 200


@page("smart:apps", needs=Permission.MANAGE_APPS)
def apps(request: PageRequest) -> HttpResponseBase:
    return render(request, "smart/apps.html", {"apps": _shown(request)})


def _shown(request: PageRequest) -> Any:
    standing = Q(connections__ended_at__isnull=True, connections__user__isnull=False, connections__expires_at__gt=timezone.now())
    listed = App.objects.filter(tenant=request.actor.tenant).annotate(connected=Count("connections", filter=standing))
    return listed.order_by("ended_at", "approved_at", "name")[:AT_MOST]


@page("smart:add-app", needs=Permission.MANAGE_APPS, methods=("GET", "POST"), fresh=True)
def add(request: PageRequest) -> HttpResponseBase:
    form = AppForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = register(form.draft(), by=request.actor, approved=True)
        except BadApp as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            return _made(request, made, secret)
    context = {"form": form, "panel_title": _("Register an app")}
    return render_panel(request, "smart/add_app.html", context, page="smart:apps", status=422 if form.errors else 200)


def _made(request: PageRequest, made: App, secret: str | None) -> HttpResponseBase:
    """The secret is on this one page and nowhere else."""
    if secret is None:
        return go(request, "smart:apps", message=_("{name} is registered.").format(name=made.name))
    return _with_secret(request, made, secret)


def _with_secret(request: PageRequest, shown: App, secret: str) -> HttpResponseBase:
    response = render_panel(request, "smart/secret.html", {"app": shown, "secret": secret, "panel_title": shown.name}, page="smart:apps")
    response["Cache-Control"] = "no-store"
    return response


@page("smart:app", needs=Permission.MANAGE_APPS, methods=("GET", "POST"), fresh=True)
def app(request: PageRequest, id: Any) -> HttpResponseBase:
    shown = App.objects.filter(id=id, tenant=request.actor.tenant).first()
    if shown is None:
        raise Http404
    form = ApproveForm(request.POST or None, initial={"for_staff": shown.for_staff, "for_patients": shown.for_patients})
    if request.method == "POST" and form.is_valid():
        return _changed(request, shown, form)
    context = {"app": shown, "form": form, "panel_title": shown.name, "sentences": [words.sentence(scope) for scope in shown.scopes.resources]}
    return render_panel(request, "smart/app.html", context, page="smart:apps")


def _changed(request: PageRequest, shown: App, form: ApproveForm) -> HttpResponseBase:
    match request.POST.get("do"):
        case "approve":
            actions.approve(app=shown, by=request.actor, **form.cleaned_data)
            said = _("{name} works for those you chose.").format(name=shown.name)
        case "end":
            ended = actions.end(app=shown, by=request.actor)
            said = _("{name} works no longer; {count} connections were ended.").format(name=shown.name, count=ended)
        case "secret" if shown.kind == App.Kind.SECRET:
            return _with_secret(request, shown, actions.new_secret(app=shown, by=request.actor))
        case _:
            raise Http404
    return panel_done(request, message=said, refresh=["apps"], page="smart:apps")
