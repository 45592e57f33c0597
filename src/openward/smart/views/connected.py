"""What a patient has let in: seen, shortened, taken back; and what else there is."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.smart import actions, words
from openward.smart.models import App, Connection
from openward.smart.patients import own
from openward.web.pages import PageRequest, go, page, render


@page("smart:connected", needs=Permission.CONNECT_APPS)
def connected(request: PageRequest) -> HttpResponseBase:
    theirs = list(_standing(request))
    known = {one.app_id for one in theirs}
    offered = App.objects.filter(tenant=request.actor.tenant, for_patients=True, approved_at__isnull=False, ended_at__isnull=True).order_by("name")
    context = {
        "connections": [(one, [words.sentence(scope) for scope in one.scopes.resources]) for one in theirs],
        "offered": [app for app in offered if app.id not in known],
    }
    return render(request, "smart/connected.html", context)


def _standing(request: PageRequest) -> Any:
    """Only the person's own: who acts for someone else sees none of theirs."""
    if not own(request.actor):
        return Connection.objects.none()
    found = Connection.objects.filter(user_id=request.actor.user_id or "", ended_at__isnull=True, expires_at__gt=timezone.now())
    return found.select_related("app", "user").order_by("app__name", "-made_at")


@page("smart:connection", needs=Permission.CONNECT_APPS, methods=("GET", "POST"))
def connection(request: PageRequest, id: Any) -> HttpResponseBase:
    found = _standing(request).filter(id=id).first()
    if found is None:
        raise Http404
    if request.method == "POST":
        return _changed(request, found)
    scopes, role = found.scopes, found.user.role
    context = {"connection": found, "app": found.app, "offers": words.offers(scopes, role), "by_kind": words.is_by_kind(scopes, role)}
    context["kept"] = words.kept_words(scopes.contexts)
    return render(request, "smart/connection.html", context)


def _changed(request: PageRequest, found: Connection) -> HttpResponseBase:
    if request.POST.get("do") == "withdraw":
        actions.withdraw(connection=found, by=request.actor)
        return go(request, "smart:connected", message=_("{name} can no longer see your record.").format(name=found.app.name))
    try:
        actions.leave_only(connection=found, picked=set(request.POST.getlist("scope")), by=request.actor)
    except ValueError:
        raise Http404 from None
    return go(request, "smart:connected", message=_("{name} sees only what you left.").format(name=found.app.name))
