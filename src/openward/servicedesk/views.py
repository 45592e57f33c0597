"""Reporting a problem from any page; the agents' queue; the reporter's own list."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.fhir.errors import FhirError
from openward.servicedesk import actions, queries
from openward.servicedesk.forms import AnswerForm, ReportForm
from openward.servicedesk.models import Ticket
from openward.web.errors import add_to_form
from openward.web.pages import PageRequest, go, page, render


@page("servicedesk:report", public=True, methods=("GET", "POST"))
def report(request: PageRequest) -> HttpResponseBase:
    asked = {"page": request.GET.get("page", ""), "error": request.GET.get("error", "")}
    form = ReportForm(request.POST or None, initial=asked)
    if request.method == "POST" and form.is_valid():
        try:
            ticket = _open(request, form)
        except FhirError as refusal:
            add_to_form(form, refusal)
        else:
            return _thanks(request, ticket)
    context = {"form": form, "layout": _layout(request), "where": page_name(form["page"].value() or ""), "error": form["error"].value()}
    return render(request, "servicedesk/report.html", context, status=422 if form.errors else 200)


def _open(request: PageRequest, form: ReportForm) -> Ticket:
    found = form.cleaned_data
    context = actions.Context(page=page_name(found["page"]), error_id=found["error"], browser=request.headers.get("User-Agent", ""))
    return actions.open_ticket(
        title=found["title"], words=found["words"], impact=found["impact"], contact=found["contact"], context=context, by=request.actor
    )


def _thanks(request: PageRequest, ticket: Ticket) -> HttpResponseBase:
    if request.actor is None:
        return render(request, "servicedesk/thanks.html", {"ticket": ticket})
    return go(
        request,
        "servicedesk:ticket",
        number=ticket.number,
        message=_("Reported as #{number}. You will see the answer here.").format(number=ticket.number),
    )


def page_name(address: str) -> str:
    """The name of the page at an address: its ids, which may be a patient's, stay behind."""
    try:
        return resolve(urlsplit(address).path).view_name
    except (Resolver404, ValueError):
        return ""


def _layout(request: PageRequest) -> str:
    if request.actor is None:
        return "web/bare.html"
    return "web/portal.html" if request.actor.kind == "patient" else "web/page.html"


@page("servicedesk:mine", needs=Permission.REPORT_PROBLEM)
def mine(request: PageRequest) -> HttpResponseBase:
    tickets = Ticket.objects.filter(tenant=request.actor.tenant, reporter=request.actor.id).order_by("-opened_at")[:100]
    return render(request, "servicedesk/mine.html", {"tickets": tickets, "layout": _layout(request)})


@page("servicedesk:queue", needs=Permission.WORK_TICKETS)
def queue(request: PageRequest) -> HttpResponseBase:
    state = request.GET.get("state", "")
    state = state if state in Ticket.State.values else ""
    counts = queries.counts(request.actor)
    tabs = [(_("Open"), "?", not state, sum(counts[s] for s in ("new", "working", "waiting")))]
    tabs += [(str(label), f"?state={value}", state == value, counts[value]) for value, label in Ticket.State.choices]
    tickets = list(queries.queue(request.actor, state)[:200])
    template = "servicedesk/queue_table.html" if request.htmx and request.GET.get("part") == "table" else "servicedesk/queue.html"
    return render(request, template, {"tickets": tickets, "tabs": tabs, "counts": counts, "state": state})


@page("servicedesk:ticket", needs=Permission.REPORT_PROBLEM, methods=("GET", "POST"))
def ticket(request: PageRequest, number: int) -> HttpResponseBase:
    found = queries.ticket(request.actor, number)
    form = AnswerForm(request.POST or None, ticket=found, by=request.actor)
    if request.method == "POST" and form.is_valid():
        try:
            actions.answer(ticket=found, by=request.actor, **form.cleaned_data)
        except FhirError as refusal:
            add_to_form(form, refusal)
            found.refresh_from_db()
        else:
            return go(request, "servicedesk:ticket", number=number, message=_("Saved"))
    context = {
        "ticket": found,
        "entries": queries.entries(request.actor, found),
        "seen": found.entries.count(),
        "form": form,
        "agent": request.actor.may(Permission.WORK_TICKETS),
        "layout": _layout(request),
    }
    return render(request, "servicedesk/ticket.html", context, status=422 if form.errors else 200)
