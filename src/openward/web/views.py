"""Home, palette, theme, the living page of the design system, and the pages for what goes wrong."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from openward.web import homes, living
from openward.web import palette as command_palette
from openward.web.context import THEMES
from openward.web.display import day
from openward.web.errors import bad_request, forbidden, not_found
from openward.web.errors import csrf_failure as form_expired
from openward.web.errors import server_error as crashed
from openward.web.pages import PageRequest, page, render, render_panel

__all__ = ["bad_request", "crashed", "forbidden", "form_expired", "not_found"]

YEAR = 365 * 24 * 60 * 60


@page("web:home")
def home(request: PageRequest) -> HttpResponseBase:
    """The cards of the role, or the page of a room where the role starts."""
    elsewhere = homes.home_of(request.actor.role)
    if elsewhere:
        return redirect(elsewhere)
    cards = [
        {"key": card.key, "title": card.title, "wide": card.wide, "html": render_to_string(card.template, {**found, "card": card}, request)}
        for card, found in homes.cards_for(request)
    ]
    now = timezone.localtime()
    layout = "web/portal.html" if request.actor.kind == "patient" else "web/page.html"
    context = {"layout": layout, "cards": cards, "greeting": _greeting(now.hour, request.actor.name), "today": f"{now:%A} {day(now)}"}
    return render(request, "web/home.html", context)


def _greeting(hour: int, name: str) -> str:
    words = _("Good morning, {name}") if hour < 12 else _("Good afternoon, {name}") if hour < 18 else _("Good evening, {name}")
    return words.format(name=name)


@page("web:palette", methods=("GET", "POST"))
def palette(request: PageRequest) -> HttpResponse:
    """What the palette finds. A POST, because what is typed may be a patient's name and URLs are logged."""
    text = request.POST.get("text", "")
    found = command_palette.find(request, text) if request.method == "POST" else []
    template = "web/parts/found.html" if request.htmx else "web/palette.html"
    return render(request, template, {"found": found, "text": text})


@page("web:shortcuts")
def shortcuts(request: PageRequest) -> HttpResponse:
    return render(request, "web/shortcuts.html")


@page("web:theme", public=True, methods=("POST",))
def theme(request: PageRequest) -> HttpResponse:
    """Keep the chosen colors in a cookie and go back."""
    back = request.headers.get("Referer", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = "/"
    response = HttpResponseRedirect(back, status=303)
    chosen = request.POST.get("theme", "auto")
    response.set_cookie("ow-theme", chosen if chosen in THEMES else "auto", max_age=YEAR, samesite="Lax", secure=request.is_secure())
    return response


def _only_where_shown() -> None:
    if not (settings.DEBUG or getattr(settings, "OPENWARD_DEMO", False)):
        raise Http404


@page("web:design", public=True)
def design(request: PageRequest) -> HttpResponse:
    """The living page: every component with its states. Not in production."""
    _only_where_shown()
    return render(request, "web/design/page.html", living.examples())


@page("web:design-panel", public=True, methods=("GET", "POST"))
def design_panel(request: PageRequest) -> HttpResponseBase:
    _only_where_shown()
    form = living.VitalsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        from openward.web.pages import panel_done

        return panel_done(request, message=_("Vital signs saved"), refresh=["vitals"], page="web:design")
    status = 422 if form.is_bound else 200
    return render_panel(request, "web/design/panel.html", {"form": form, "panel_title": _("Record vital signs")}, page="web:design", status=status)


@page("web:design-options", public=True, methods=("POST",))
def design_options(request: PageRequest) -> HttpResponse:
    _only_where_shown()
    return render(request, "web/components/options.html", {"options": living.options(request.POST.get("q", ""))})


@page("web:design-draft", public=True, methods=("POST",))
def design_draft(request: PageRequest) -> HttpResponse:
    _only_where_shown()
    return HttpResponse(status=204)


@page("web:design-portal", public=True)
def design_portal(request: PageRequest) -> HttpResponse:
    _only_where_shown()
    return render(request, "web/design/portal.html", living.examples())


@page("web:design-print", public=True)
def design_print(request: PageRequest) -> HttpResponse:
    _only_where_shown()
    return render(request, "web/design/print.html", living.examples())
