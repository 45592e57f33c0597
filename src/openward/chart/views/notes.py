"""Writing, signing and reading notes."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.chart import actions, diagnoses, notes
from openward.chart.actions.notes import Texts, is_author, template_of, texts_of
from openward.chart.errors import DraftChangedElsewhere
from openward.chart.forms.entry import AddendumForm
from openward.chart.notes import Section, Template
from openward.chart.presenters.filling import fillings
from openward.chart.presenters.lists import DocumentRow
from openward.chart.presenters.wording import who
from openward.chart.queries.patients import age_of
from openward.chart.queries.summary import Chart, read_chart
from openward.chart.queries.visits import diagnoses_of
from openward.chart.views.chart import context
from openward.chart.views.lists import belongs, panel
from openward.fhir.errors import FhirError
from openward.fhir.resources import Composition, Encounter, Patient
from openward.web.banner import Banner
from openward.web.display import parse
from openward.web.errors import sentence
from openward.web.pages import PageRequest, go, page, render, render_panel, toast


@page("chart:note-new", needs=Permission.WRITE_NOTES, methods=("GET", "POST"))
def new(request: PageRequest, patient: str) -> HttpResponseBase:
    """Choose a template; the draft exists on the server from then on."""
    chart = read_chart(request.store, patient)
    if request.method == "POST" and (template := notes.templates().get(request.POST.get("template", ""))) is not None:
        made = actions.open_note(patient=patient, template=template.key, texts=_brought_in(template, chart), by=request.actor)
        return go(request, "chart:note", patient=patient, note=str(made.id))
    drafts = [row for row in chart.note_rows if row.is_draft and is_author(row.resource.author, request.actor)]
    return panel(request, chart, "chart/panels/note_new.html", _("New note"), templates=notes.offered_at(age_of(chart.patient)), drafts=drafts)


def _brought_in(template: Template, chart: Chart) -> dict[str, str]:
    """What the sections start with: today's vital signs and the lists, as the author's own text to change."""
    return {section.key: text for section in template.sections if (text := fillings(section.fill, chart, timezone.localdate()))}


@page("chart:note", needs=Permission.READ_CHART)
def note(request: PageRequest, patient: str, note: str) -> HttpResponse:
    """A draft to its author, a note to everyone else."""
    found = belongs(request.store.read(Composition, note), patient)
    if found.status == "preliminary" and is_author(found.author, request.actor) and request.actor.may(Permission.WRITE_NOTES):
        return _editor(request, read_chart(request.store, patient), found, texts_of(found))
    return _reading(request, read_chart(request.store, patient), found)


def _editor(request: PageRequest, chart: Chart, draft: Composition, texts: Texts, *, problem: str = "", theirs: Texts | None = None) -> HttpResponse:
    template = template_of(draft)
    visit = request.store.find(Encounter, str(draft.encounter.target_id)) if draft.encounter is not None else None
    more = {
        "note": draft,
        "row": DocumentRow(draft),
        "version": draft.meta.versionId if draft.meta is not None else "",
        "fields": [_field(section, texts, theirs) for section in template.sections],
        "problem": problem,
        "visit": visit,
        "visit_diagnoses": diagnoses_of(request.store, visit) if visit is not None else [],
        "may_sign": request.actor.may(Permission.SIGN_NOTES),
    }
    return render(request, "chart/note_edit.html", {**context(request, chart), **more}, status=409 if theirs is not None else 422 if problem else 200)


def _field(section: Section, texts: Texts, theirs: Texts | None) -> dict[str, Any]:
    mine, other = texts.get(section.key, ""), (theirs or {}).get(section.key, "")
    return {
        "section": section,
        "name": f"section-{section.key}",
        "text": mine,
        "other": other if theirs is not None and other != mine else "",
        "lines": max(3, mine.count("\n") + 2),
    }


def _texts(request: PageRequest, template: Template) -> dict[str, str]:
    return {section.key: request.POST.get(f"section-{section.key}", "").replace("\r\n", "\n") for section in template.sections}


def _version(request: PageRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


@page("chart:note-draft", needs=Permission.WRITE_NOTES, methods=("GET", "POST"))
def draft(request: PageRequest, patient: str, note: str) -> HttpResponse:
    """What the page sends while one types: 204 with the new version, 409 when the draft moved on elsewhere. GET tells the version on the server."""
    standing = belongs(request.store.read(Composition, note), patient)
    if request.method != "POST":
        return HttpResponse(str(standing.meta.versionId if standing.meta is not None else ""), content_type="text/plain; charset=utf-8")
    try:
        saved = actions.save_draft(note=note, texts=_texts(request, template_of(standing)), version=_version(request), by=request.actor)
    except DraftChangedElsewhere as conflict:
        response = HttpResponse(str(conflict), status=409, content_type="text/plain; charset=utf-8")
        response["X-Openward-Conflict"] = "1"
        return response
    response = HttpResponse(status=204)
    response["X-Openward-Version"] = str(saved.meta.versionId if saved.meta is not None else "")
    return response


@page("chart:note-sign", needs=Permission.SIGN_NOTES, methods=("POST",))
def sign(request: PageRequest, patient: str, note: str) -> HttpResponseBase:
    """Sign what is on the screen. When it is not what is on the server, both are shown and nothing is lost."""
    standing = belongs(request.store.read(Composition, note), patient)
    texts = _texts(request, template_of(standing))
    try:
        actions.sign_note(note=note, texts=texts, version=_version(request), by=request.actor)
    except DraftChangedElsewhere as conflict:
        return _editor(request, read_chart(request.store, patient), standing, texts, problem=str(conflict), theirs=texts_of(standing))
    except FhirError as error:
        if standing.status != "preliminary":
            raise
        return _editor(request, read_chart(request.store, patient), standing, texts, problem=sentence(error))
    return go(request, "chart:note", message=_("Signed. The note is locked."), patient=patient, note=note)


@page("chart:note-save", needs=Permission.WRITE_NOTES, methods=("POST",))
def save(request: PageRequest, patient: str, note: str) -> HttpResponseBase:
    """Keep the draft and go back to the chart; for browsers without JavaScript too."""
    standing = belongs(request.store.read(Composition, note), patient)
    texts = _texts(request, template_of(standing))
    try:
        actions.save_draft(note=note, texts=texts, version=_version(request), by=request.actor)
    except DraftChangedElsewhere as conflict:
        return _editor(request, read_chart(request.store, patient), standing, texts, problem=str(conflict), theirs=texts_of(standing))
    return go(request, "chart:summary", message=_("Draft kept."), patient=patient)


@page("chart:note-discard", needs=Permission.WRITE_NOTES, methods=("POST",))
def discard(request: PageRequest, patient: str, note: str) -> HttpResponseBase:
    belongs(request.store.read(Composition, note), patient)
    actions.discard_draft(note=note, by=request.actor)
    return go(request, "chart:summary", message=_("Draft discarded."), patient=patient)


def _reading(request: PageRequest, chart: Chart, found: Composition) -> HttpResponse:
    related = request.store.search(Composition, {"related-ref": f"Composition/{found.id}", "_sort": "date", "_count": 50}).resources
    appended = [one for one in related if any(link.code == "appends" for link in one.relatesTo)]
    more = {
        "note": shown(found),
        "addenda": [shown(one) for one in appended],
        "may_add": request.actor.may(Permission.SIGN_NOTES) and found.status in ("final", "amended"),
    }
    return render(request, "chart/note.html", {**context(request, chart), **more})


def shown(note: Composition) -> dict[str, Any]:
    """A note as it is read: sections as plain text, who signed and when."""
    attester = next((one for one in note.attester if one.mode == "legal"), None)
    signed_at = parse(str(attester.time or "")) if attester is not None else None
    return {
        "row": DocumentRow(note),
        "sections": [(str(section.title or ""), notes.plain_text(section.text.div if section.text is not None else "")) for section in note.section],
        "signed_by": who(attester.party) if attester is not None else "",
        "signed_at": signed_at if isinstance(signed_at, dt.datetime) else None,
        "appends": next(
            (str(link.targetReference.target_id) for link in note.relatesTo if link.code == "appends" and link.targetReference is not None), ""
        ),
    }


@page("chart:note-addendum", needs=Permission.SIGN_NOTES, methods=("GET", "POST"))
def add(request: PageRequest, patient: str, note: str) -> HttpResponseBase:
    standing = belongs(request.store.read(Composition, note), patient)
    form = AddendumForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.addendum(note=note, text=form.cleaned_data["text"], by=request.actor)
        return go(request, "chart:note", message=_("Addendum signed."), patient=patient, note=note)
    more = {
        "form": form,
        "panel_title": _("Addendum to {title}").format(title=standing.title),
        "patient": patient,
        "panel_patient": Banner(request.store.read(Patient, patient)),
    }
    return render_panel(
        request,
        "chart/panels/addendum.html",
        more,
        page="chart:note",
        page_args={"patient": patient, "note": note},
        status=422 if form.is_bound else 200,
    )


@page("chart:diagnoses", needs=Permission.MANAGE_PROBLEMS, methods=("GET", "POST"))
def visit_diagnoses(request: PageRequest, patient: str, visit: str) -> HttpResponseBase:
    """What the visit was about, in order of weight."""
    diagnoses.warm()
    chart = read_chart(request.store, patient)
    encounter = belongs(request.store.read(Encounter, visit), patient)
    problem = ""
    if request.method == "POST":
        try:
            actions.set_visit_diagnoses(visit=visit, codes=_ranked_codes(request), shown=request.POST.getlist("shown"), by=request.actor)
            toast(request, _("Diagnoses saved."))
            return go(request, request.POST.get("_page") or "chart:summary", **({} if request.POST.get("_page") else {"patient": patient}))
        except FhirError as error:
            problem = sentence(error)
    current = diagnoses_of(request.store, encounter)
    taken = {one.code for one in current}
    suggested = [row for row in chart.problems if row.code and row.code not in taken]
    more = {"visit": encounter, "current": current, "suggested": suggested, "problem": problem}
    return panel(request, chart, "chart/panels/diagnoses.html", _("Diagnoses of this visit"), **more)


def _ranked_codes(request: PageRequest) -> list[str]:
    """The codes kept, by the rank typed beside each, then the suggestions ticked, then the one found by search."""
    kept = [(request.POST.get(f"rank-{code}", "99"), place, code) for place, code in enumerate(request.POST.getlist("code"))]
    ordered = sorted((int(rank) if rank.isdecimal() and len(rank) < 4 else 99, place, code) for rank, place, code in kept)
    return [code for _rank, _place, code in ordered] + request.POST.getlist("suggested") + [code for code in [request.POST.get("added", "")] if code]
