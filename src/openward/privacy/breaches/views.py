"""The breach workbench."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from uuid import UUID

from django.core.paginator import Paginator
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openward.access.permissions import Permission
from openward.audit.models import Affected, AuditEvent, Breach
from openward.fhir.errors import FhirError, NotFound
from openward.fhir.protocols import Event
from openward.privacy.breaches import actions
from openward.privacy.breaches.clock import Clock
from openward.privacy.breaches.forms import BreachForm, LetterForm, WordsForm
from openward.privacy.breaches.recipients import Recipient, recipients
from openward.privacy.breaches.residents import pressed
from openward.privacy.finding import names_of
from openward.privacy.words import type_words
from openward.web.errors import add_to_form
from openward.web.pages import PageRequest, go, page, render, render_panel

SHOWN = 50
SORTS = {"first": "first", "-first": "-first", "last": "last", "-last": "-last", "times": "times", "-times": "-times"}
STEPS = {
    "opened": gettext_lazy("opened this breach"),
    "gathered": gettext_lazy("looked through the trail"),
    "letters": gettext_lazy("wrote letters"),
    "note": gettext_lazy("noted"),
    "closed": gettext_lazy("closed this breach"),
}


@page("privacy:breaches", needs=Permission.REVIEW_PRIVACY)
def breaches(request: PageRequest) -> HttpResponseBase:
    """Those under examination, the longest known first; below, those that are closed."""
    found = Breach.objects.filter(tenant=request.actor.tenant).order_by("closed_at", "discovered_on")[:200]
    rows = [(breach, Clock.of(breach, count, timezone.localdate()), count) for breach in found for count in [breach.affected.count()]]
    live, done = [row for row in rows if row[0].closed_at is None], [row for row in rows if row[0].closed_at is not None]
    return render(request, "privacy/breaches.html", {"open": live, "closed": done})


@page("privacy:breach-open", needs=Permission.REVIEW_PRIVACY, methods=("GET", "POST"))
def open_breach(request: PageRequest) -> HttpResponseBase:
    first = {"discovered_on": timezone.localdate(), "suspect": request.GET.get("suspect", "")}
    form = BreachForm(request.POST or None, initial=first, tenant=request.actor.tenant)
    if request.method == "POST" and form.is_valid():
        breach = actions.open_breach(by=request.actor, **form.told())
        return go(request, "privacy:breach", message=_("Opened. Whom it touched is gathered."), id=breach.id)
    return render(request, "privacy/breach_open.html", {"form": form}, status=422 if form.errors else 200)


@page("privacy:breach", needs=Permission.REVIEW_PRIVACY)
def breach(request: PageRequest, id: UUID) -> HttpResponseBase:
    """Whom it touched, the clock, the log."""
    found = _found(request, id)
    order = SORTS.get(request.GET.get("sort", ""), "-last")
    rows = Paginator(found.affected.order_by(order, "id"), SHOWN).get_page(request.GET.get("page"))
    names = names_of(request.store, [row.patient for row in rows])
    whom = recipients(request.store, (str(row.patient) for row in rows if row.letter is None), timezone.localdate())
    request.store.record([Event("audit-review", None, patients=[row.patient for row in rows])])
    kinds = {row.pk: ", ".join(type_words(type) for type in row.types.split(", ") if type) for row in rows}
    context = {
        "breach": found,
        "clock": Clock.of(found, rows.paginator.count, timezone.localdate()),
        "affected": [(row, names.get(row.patient, _("A patient")), kinds[row.pk], _why_not(row, whom)) for row in rows],
        "pressed": pressed(found),
        "rows": rows,
        "letters": found.affected.filter(letter__isnull=False).count(),
        "steps": [(step, STEPS.get(step.what, step.what)) for step in found.steps.order_by("at", "id")],
        "sort": request.GET.get("sort", ""),
        "suspect_name": _suspect(found),
        "last_day": found.until - dt.timedelta(microseconds=1),
    }
    return render(request, "privacy/breach.html", context)


@page("privacy:breach-gather", needs=Permission.REVIEW_PRIVACY, methods=("POST",))
def gather(request: PageRequest, id: UUID) -> HttpResponseBase:
    count = actions.gather(breach=_found(request, id), by=request.actor)
    return go(request, "privacy:breach", message=_("{n} people found.").format(n=count), id=id)


@page("privacy:breach-letters", needs=Permission.REVIEW_PRIVACY, methods=("GET", "POST"))
def letters(request: PageRequest, id: UUID) -> HttpResponseBase:
    """A letter to everyone who has none yet, through the outbox."""
    found = _found(request, id)
    form = LetterForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            count = actions.write_letters(breach=found.pk, by=request.actor, **form.cleaned_data)
        except FhirError as refusal:
            add_to_form(form, refusal)
        else:
            return go(request, "privacy:breach", message=_("{n} letters are on their way.").format(n=count), id=id)
    waiting = found.affected.filter(letter__isnull=True).count()
    return render(request, "privacy/breach_letters.html", {"form": form, "breach": found, "waiting": waiting}, status=422 if form.errors else 200)


@page("privacy:breach-note", needs=Permission.REVIEW_PRIVACY, methods=("GET", "POST"))
def add_note(request: PageRequest, id: UUID) -> HttpResponseBase:
    return _words(request, id, actions.add_note, _("Note for the log"), _("Noted."))


@page("privacy:breach-close", needs=Permission.REVIEW_PRIVACY, methods=("GET", "POST"))
def close(request: PageRequest, id: UUID) -> HttpResponseBase:
    return _words(request, id, actions.close, _("Close this breach"), _("Closed."))


def _words(request: PageRequest, id: UUID, do: actions.Worded, title: str, done: str) -> HttpResponseBase:
    _found(request, id)
    form = WordsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            do(breach=id, words=form.cleaned_data["words"], by=request.actor)
        except FhirError as refusal:
            add_to_form(form, refusal)
        else:
            return go(request, "privacy:breach", message=done, id=id)
    context = {"form": form, "panel_title": title}
    status = 422 if form.errors else 200
    return render_panel(request, "privacy/breach_words.html", context, page="privacy:breach", page_args={"id": id}, status=status)


def _why_not(row: Affected, whom: Mapping[str, Recipient]) -> str:
    """Why no letter can be written to them; empty when one can, or is."""
    if row.letter is not None:
        return ""
    person = whom.get(str(row.patient))
    return person.why_not if person else _("Their record cannot be read")


def _suspect(breach: Breach) -> str:
    """The account with a name that the trail has for it."""
    if not breach.suspect:
        return _("Every account")
    name = AuditEvent.objects.filter(tenant=breach.tenant, actor=breach.suspect).values_list("actor_name", flat=True).first()
    return f"{name} ({breach.suspect})" if name else breach.suspect


def _found(request: PageRequest, id: UUID) -> Breach:
    """Raises NotFound."""
    found = Breach.objects.filter(tenant=request.actor.tenant, pk=id).first()
    if found is None:
        raise NotFound(type="Breach", id=str(id))
    return found
