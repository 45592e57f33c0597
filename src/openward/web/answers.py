"""How a page answers: whole, in the side panel, by moving on, with a toast; with htmx and without."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render as _render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.datastructures import MultiValueDict
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString

from openward.web import flash

render_template = render_to_string


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx asks for a fragment; a restored history entry wants the whole page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-History-Restore-Request") != "true"


def render(request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200) -> HttpResponse:
    """A whole page or a fragment; use `status=422` when a form came back with errors, so that clients and caches know."""
    return _render(request, template, dict(context or {}), status=status)


def render_panel(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    page: str,
    page_args: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HttpResponseBase:
    """The side panel `template` (extends `web/panel.html`) beside the page named `page`.

    With htmx only the panel is sent and the address bar gets the panel's own URL; without, the whole page with the panel open.
    """
    close_url = reverse(page, kwargs=dict(page_args or {}))
    html = render_to_string(template, {**(context or {}), "panel_close_url": close_url, "panel_url": request.get_full_path()}, request)
    if is_htmx(request):
        response = HttpResponse(html, status=status)
        if request.method == "GET":
            response["HX-Push-Url"] = request.get_full_path()
        return response
    return _page_with_panel(request, page, page_args or {}, SafeString(html), status)


def _page_with_panel(request: HttpRequest, page: str, ids: Mapping[str, Any], html: SafeString, status: int) -> HttpResponseBase:
    """The page's own view answers a GET of itself, with the panel already in it: it must not see this request's form."""
    from openward.web.pages import PAGES

    quiet = copy.copy(request)
    quiet.method, quiet.GET, quiet.POST = "GET", QueryDict(), QueryDict()
    quiet._files = MultiValueDict()  # type: ignore[attr-defined]
    quiet.panel_html, quiet.panel_failed = html, status == 422  # type: ignore[attr-defined]
    response = PAGES[page].view(quiet, **ids)
    if response.status_code == 200:
        response.status_code = status
    return response


def panel_done(
    request: HttpRequest,
    *,
    message: str = "",
    refresh: Iterable[str] = (),
    page: str | None = None,
    page_args: Mapping[str, Any] | None = None,
    undo: str | None = None,
) -> HttpResponse:
    """Close the panel after a successful POST, say so, and let the cards named in `refresh` reload themselves.

    Cards listen with `hx-trigger="refresh-<name> from:body"`. Without htmx the whole page is opened again: `page`, or the one
    the panel's form came from. `undo` is a URL to POST to.
    """
    if not is_htmx(request):
        if message:
            flash.add(request, message, undo=undo)
        return HttpResponseRedirect(reverse(page, kwargs=dict(page_args or {})) if page else _page_of_form(request), status=303)
    response = HttpResponse("")
    _trigger(response, "ow:panel-closed", {})
    with_refresh(response, *refresh)
    return with_toast(response, message, undo=undo) if message else response


def _page_of_form(request: HttpRequest) -> str:
    url = request.POST.get("_page", "")
    safe = url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    return url if safe and url.startswith("/") else "/"


def go(request: HttpRequest, to: str, *, message: str = "", kind: str = "ok", undo: str | None = None, **ids: Any) -> HttpResponse:
    """Move on to the page named `to` (or to a path starting with "/") after a POST, with a toast there."""
    url = to if to.startswith("/") else reverse(to, kwargs=ids)
    if message:
        flash.add(request, message, kind=kind, undo=undo)
    if is_htmx(request):
        response = HttpResponse("")
        response["HX-Redirect"] = url
        return response
    return HttpResponseRedirect(url, status=303)


def toast(request: HttpRequest, message: str, *, kind: str = "ok", undo: str | None = None) -> None:
    """Say something on the next whole page this person sees. Kinds: ok, info, warning, danger."""
    flash.add(request, message, kind=kind, undo=undo)


def with_toast(response: HttpResponse, message: str, *, kind: str = "ok", undo: str | None = None) -> HttpResponse:
    """Say something with this fragment."""
    return _trigger(response, "ow:toast", {"message": str(message), "kind": kind, "undo": undo or ""})


def with_refresh(response: HttpResponse, *names: str) -> HttpResponse:
    """Let the regions that listen for `refresh-<name> from:body` reload themselves."""
    for name in names:
        _trigger(response, f"refresh-{name}", {})
    return response


def _trigger(response: HttpResponse, event: str, detail: Mapping[str, Any]) -> HttpResponse:
    """An event on body: its source may be gone when htmx fires it, and an orphan's events never reach body."""
    events = json.loads(response.headers.get("HX-Trigger", "{}"))
    events[event] = {**detail, "target": "body"}
    response["HX-Trigger"] = json.dumps(events)
    return response
