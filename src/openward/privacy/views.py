"""Pages over the audit trail. Looking is itself an event."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.audit import queries
from openward.audit.models import AuditEvent
from openward.fhir.ids import key
from openward.fhir.protocols import Event
from openward.fhir.resources import Patient
from openward.privacy.finding import find_patients, name_of, names_of
from openward.privacy.forms import FindForm, PeriodForm
from openward.privacy.presenters import Line, lines
from openward.record.connection import connection
from openward.record.work import AUDITOR
from openward.web.pages import PageRequest, page, render

RISKY = ("=", "+", "-", "@", "\t", "\r")


@page("privacy:home", needs=Permission.READ_AUDIT, methods=("GET", "POST"))
def home(request: PageRequest) -> HttpResponseBase:
    """Find whose record to look at; below, what was refused lately. The search is a POST: names do not belong in addresses."""
    form = FindForm(request.POST or None)
    text = form.cleaned_data["text"] if form.is_valid() else ""
    period = PeriodForm({}).period()
    refused = queries.newest(queries.refused(request.actor.tenant, period))
    context = {"form": form, "found": find_patients(request.store, text) if text else None, "text": text, "refused": lines(refused, {})}
    return render(request, "privacy/home.html", context)


@page("privacy:patient", needs=Permission.READ_AUDIT)
def patient(request: PageRequest, id: str) -> HttpResponseBase:
    """Who opened this record."""
    person = request.store.read(Patient, id)
    form = PeriodForm(request.GET or None)
    events = queries.of_patient(request.actor.tenant, key("Patient", id), form.period())
    _note(request, [key("Patient", id)])
    if request.GET.get("format") == "csv":
        return _csv(lines(list(events.order_by("-at")), {}), f"access-{id}.csv")
    found = queries.newest(events, _before(request))
    context = {
        "patient": person,
        "name": name_of(person),
        "form": form,
        "openings": queries.openings(events),
        "lines": lines(found, {}),
        "next": _next(found),
    }
    return render(request, "privacy/patient.html", context)


@page("privacy:person", needs=Permission.READ_AUDIT)
def person(request: PageRequest, actor: str) -> HttpResponseBase:
    """What this person did and saw."""
    form = PeriodForm(request.GET or None)
    events = queries.of_actor(request.actor.tenant, actor, form.period())
    found = queries.newest(events, _before(request))
    touched = {patient for event in found for patient in event.whose[:3]}
    _note(request, sorted(touched))
    names = names_of(request.store, touched)
    context = {"who": found[0].actor_name if found else actor, "actor_id": actor, "form": form, "lines": lines(found, names), "next": _next(found)}
    return render(request, "privacy/person.html", context)


def _note(request: PageRequest, patients: Iterable[UUID]) -> None:
    AUDITOR.record(connection(), request.actor.tenant, request.actor, [Event("audit-review", None, patients=list(patients))])


def _before(request: PageRequest) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(request.GET.get("before", ""))
    except ValueError:
        return None


def _next(found: Sequence[AuditEvent]) -> str:
    return found[-1].at.isoformat() if len(found) == queries.PAGE else ""


def _csv(rows: Iterable[Line], name: str) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    writer.writerow([_("When"), _("Who"), _("Role"), _("Did"), _("Ended"), _("Purpose"), _("From address")])
    for row in rows:
        event = row.event
        cells = [timezone.localtime(event.at).isoformat(), event.actor_name, row.role, row.did, row.outcome, event.purpose, event.address or ""]
        writer.writerow([_harmless(str(cell)) for cell in cells])
    return response


def _harmless(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula is quoted."""
    return f"'{cell}" if cell.startswith(RISKY) else cell
