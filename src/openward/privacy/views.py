"""Pages over the audit trail. Looking is itself an event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.audit import queries
from openward.audit.looking import REFUSED, Look, everything, place, str_of
from openward.audit.looking import page as look_up
from openward.fhir.ids import key
from openward.fhir.protocols import Event
from openward.fhir.resources import Patient
from openward.privacy.accounting import TEMPLATE, accounting_words
from openward.privacy.finding import find_patients, merged_into, name_of, names_of
from openward.privacy.forms import DisclosureForm, FindForm, PeriodForm, TrailForm
from openward.privacy.presenters import Line, lines, role_words
from openward.privacy.suspensions.actions import standing
from openward.privacy.words import purpose_words
from openward.record.connection import connection
from openward.record.work import AUDITOR
from openward.web.pages import PageRequest, go, page, render, render_panel
from openward.web.papers import csv_response, pdf_response
from openward.web.pdf import pdf

MOST_LINES = 100_000


@page("privacy:home", needs=Permission.READ_AUDIT, methods=("GET", "POST"))
def home(request: PageRequest) -> HttpResponseBase:
    """Find whose record to look at; below, what was refused lately. The search is a POST: names do not belong in addresses."""
    form = FindForm(request.POST or None)
    text = form.cleaned_data["text"] if form.is_valid() else ""
    _note(request, [])
    refused, _next = look_up(connection(), Look(request.actor.tenant, PeriodForm({}).period(), kind=REFUSED), count=20)
    context = {"form": form, "found": find_patients(request.store, text) if text else None, "text": text, "refused": lines(refused, {})}
    return render(request, "privacy/home.html", context)


@page("privacy:patient", needs=Permission.READ_AUDIT)
def patient(request: PageRequest, id: str) -> HttpResponseBase:
    """Who opened this record, and what was done with it."""
    person = request.store.read(Patient, id)
    form = TrailForm(request.GET or None)
    look = _look(request, form, patient=key("Patient", id))
    _note(request, [key("Patient", id)])
    if request.GET.get("format") == "csv":
        return csv_response(request, _rows(look), f"access-{id}.csv", patient=id)
    openings = queries.openings(queries.of_patient(request.actor.tenant, key("Patient", id), look.period))
    context = {
        "patient": person,
        "name": name_of(person),
        "openings": [(one, role_words(one.actor, one.role)) for one in openings],
        "merged": merged_into(person),
        **_listed(request, form, look, {}),
    }
    if request.actor.may(Permission.REVIEW_PRIVACY):
        withheld = standing(request.actor.tenant, key("Patient", id), timezone.localdate())
        context |= {"may_suspend": True, "suspensions": withheld}
    return render(request, "privacy/patient.html", context)


@page("privacy:person", needs=Permission.READ_AUDIT)
def person(request: PageRequest, actor: str) -> HttpResponseBase:
    """What this person did and saw."""
    form = TrailForm(request.GET or None)
    look = _look(request, form, actor=actor)
    found, _next = look_up(connection(), look, place(request.GET.get("after", "")))
    touched = {patient for event in found for patient in event.whose[:3]}
    _note(request, sorted(touched))
    if request.GET.get("format") == "csv":
        return csv_response(request, _rows(look), "access-by-person.csv", patient=None)
    names = names_of(request.store, touched)
    context = {"who": found[0].actor_name if found else actor, "actor_id": actor, **_listed(request, form, look, names)}
    context["may_review"] = request.actor.may(Permission.REVIEW_PRIVACY)
    return render(request, "privacy/person.html", context)


@page("privacy:events", needs=Permission.READ_AUDIT)
def events(request: PageRequest) -> HttpResponseBase:
    """Everything that happened: by everybody, of everybody's."""
    form = TrailForm(request.GET or None)
    look = _look(request, form)
    _note(request, [])
    if request.GET.get("format") == "csv":
        return csv_response(request, _rows(look), "trail.csv", patient=None)
    return render(request, "privacy/events.html", _listed(request, form, look, {}))


@page("privacy:disclose", needs=Permission.REVIEW_PRIVACY, methods=("GET", "POST"))
def disclose(request: PageRequest, id: str) -> HttpResponseBase:
    """Write down what was given out by paper, phone or fax."""
    request.store.read(Patient, id)
    form = DisclosureForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        event = Event("disclosure", "Patient", key("Patient", id), patients=[key("Patient", id)], detail=form.words)
        AUDITOR.record(connection(), request.actor.tenant, request.actor, [event])
        return go(request, "privacy:patient", message=_("Written down."), id=id)
    context = {"form": form, "panel_title": _("Record a disclosure")}
    status = 422 if form.errors else 200
    return render_panel(request, "privacy/disclose.html", context, page="privacy:patient", page_args={"id": id}, status=status)


@page("privacy:accounting", needs=Permission.READ_AUDIT)
def accounting(request: PageRequest, id: str) -> HttpResponseBase:
    """The accounting of disclosures as a PDF."""
    person = request.store.read(Patient, id)
    words = accounting_words(person, request.actor.tenant, timezone.localdate())
    return pdf_response(request, pdf(TEMPLATE, words), "accounting-of-disclosures.pdf", patient=id)


def _look(request: PageRequest, form: TrailForm, *, patient: UUID | None = None, actor: str | None = None) -> Look:
    return Look(request.actor.tenant, form.period(), patient, actor, form.chosen, oldest_first=request.GET.get("sort") == "when")


def _listed(request: PageRequest, form: TrailForm, look: Look, names: dict[UUID, str]) -> dict[str, Any]:
    """One page of lines, with the addresses of the next and of the file."""
    found, following = look_up(connection(), look, place(request.GET.get("after", "")))
    kept = {name: value for name in ("since", "until", "kind", "sort") if (value := request.GET.get(name, ""))}
    following_url = f"?{urlencode({**kept, 'after': str_of(following)})}" if following else None
    first_url = f"?{urlencode(kept)}" if request.GET.get("after") else None
    return {
        "form": form,
        "lines": lines(found, names),
        "next_url": following_url,
        "first_url": first_url,
        "csv_url": f"?{urlencode({**kept, 'format': 'csv'})}",
        "shown": _("{n} events").format(n=len(found)),
    }


def _note(request: PageRequest, patients: Iterable[UUID]) -> None:
    AUDITOR.record(connection(), request.actor.tenant, request.actor, [Event("audit-review", None, patients=list(patients))])


def _rows(look: Look) -> Iterator[Sequence[Any]]:
    """A file that is cut says so in its last line."""
    count = 0
    yield [_("When"), _("Who"), _("Role"), _("Did"), _("Ended"), _("Purpose"), _("From address"), _("Detail")]
    for event in everything(connection(), look, MOST_LINES):
        row, at = Line(event, {}), timezone.localtime(event.at).isoformat()
        yield [at, event.actor_name, row.role, row.did, row.outcome, purpose_words(event.purpose), event.address, row.detail]
        count += 1
    if count == MOST_LINES:
        yield [_("The file ends here: ask for fewer days.")]
