"""What goes wrong, in words for a person: beside the field, as a toast, or as a page. Nowhere else.

The engine's errors (`fhir/errors.py`) become sentences here; the pages for 400, 403, 404, 500 and an expired form live here too.
A 500 shows an error id that the log and the service desk share.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from openward.fhir.errors import Conflict, FhirError, Forbidden, Issue, PreconditionFailed
from openward.web import given_back
from openward.web.answers import is_htmx, with_toast
from openward.web.gate import actor_of

log = logging.getLogger("openward.web")


def sentence(error: FhirError) -> str:
    """The error as a person should read it."""
    if isinstance(error, PreconditionFailed):
        return _("Someone else changed this while you were working on it. Open it again to see their change, then make yours.")
    if isinstance(error, Forbidden):
        return _("Your role may not do this.")
    return " ".join(issue.diagnostics for issue in error.issues)


def add_to_form(form: BaseForm, error: FhirError, fields: Mapping[str, str] | None = None) -> None:
    """Put each issue beside the field it is about, the rest above the form.

    `fields` maps FHIRPath expressions or their beginnings (`Patient.birthDate`) to field names.
    """
    if isinstance(error, (PreconditionFailed, Forbidden)):
        form.add_error(None, sentence(error))
        return
    for issue in error.issues:
        form.add_error(_field_of(issue, fields or {}, form), issue.diagnostics)


def _field_of(issue: Issue, fields: Mapping[str, str], form: BaseForm) -> str | None:
    expression = issue.expression or ""
    for beginning, name in fields.items():
        if expression.startswith(beginning) and name in form.fields:
            return name
    return None


def refused(request: HttpRequest, error: FhirError) -> HttpResponse:
    """A refusal no view turned into a form error: a toast for a fragment, else a page."""
    title = _("This changed in the meantime") if isinstance(error, (Conflict, PreconditionFailed)) else _("This cannot be done")
    return _problem(request, status=error.status, title=title, text=sentence(error))


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _problem(
        request, status=400, title=_("That request was not understood"), text=_("The address or the form was incomplete. Go back and try once more.")
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _problem(
        request,
        status=403,
        title=_("You may not open this"),
        text=_("Your role does not include this page. If your work needs it, ask your administrator."),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    text = _("It may have moved, or it is not open to you. Check the address, or search for what you need.")
    return _problem(request, status=404, title=_("There is nothing here"), text=text)


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for what we did not foresee. Uses no database and no context processor: either may be what is broken."""
    error_id = _error_id(request)
    log.error("error page shown", extra={"error_id": error_id})
    title, text = _("Something went wrong on our side"), _("What you saved before is safe. What you were doing now may not have been saved.")
    if is_htmx(request):
        response = with_toast(HttpResponse("", status=500), f"{title}. {text} ({error_id})", kind="danger")
        response["HX-Reswap"] = "none"
        return response
    html = render_to_string("web/broken.html", {"title": title, "text": text, "error_id": error_id, "path": request.path})
    return HttpResponse(html, status=500)


def signed_out() -> HttpResponse:
    """What a page sent by itself when its session was over: said where it was typed, and nothing of it is swapped away."""
    text = _("You were signed out, and this was not saved. What you typed is still here: sign in again in another tab, then send it once more.")
    response = with_toast(HttpResponse("", status=401), text, kind="danger")
    response["HX-Reswap"] = "none"
    return response


def signed_out_page(request: HttpRequest) -> HttpResponse:
    """The same for a form that the browser sent by itself: what it brought is on the page that says so."""
    text = _("What you typed is still here. Sign in again in another tab, as yourself, then come back and send it once more.")
    return given_back.page(request, title=_("You were signed out, and this was not saved"), text=text, status=401)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was open across a sign-in or for too long; nothing was saved."""
    text = _("The page was open across a sign-out, or for very long. Nothing was saved. Go back, reload the page, and send the form again.")
    return _problem(request, status=403, title=_("This form has expired"), text=text)


def _problem(request: HttpRequest, *, status: int, title: str, text: str) -> HttpResponse:
    if is_htmx(request):
        response = with_toast(HttpResponse("", status=status), f"{title}. {text}", kind="danger")
        response["HX-Reswap"] = "none"
        return response
    actor = actor_of(request)
    layout = "web/bare.html" if actor is None else "web/portal.html" if actor.kind == "patient" else "web/page.html"
    context = {"title": title, "text": text, "status": status, "layout": layout}
    return HttpResponse(render_to_string("web/problem.html", context, request), status=status)


def _error_id(request: HttpRequest) -> str:
    return getattr(request, "request_id", None) or secrets.token_hex(4)
