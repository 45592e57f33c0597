"""The flow board: everybody in the clinic, in the column of where they are, in every browser at once."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.fhir.errors import FhirError
from openward.fhir.ids import key
from openward.fhir.resources import Encounter, Location, Patient
from openward.scheduling import actions, facts, queries, waiting
from openward.scheduling.presenters.board import FlowCard, room_choices, stay_rows
from openward.scheduling.presenters.board import columns as board_columns
from openward.scheduling.presenters.words import FLOW_WORDS, about, called
from openward.scheduling.queries import OnBoard
from openward.scheduling.transitions import FLOW_STATES
from openward.scheduling.views.where import desk
from openward.web import errors
from openward.web.pages import PageRequest, go, page, panel_done, render, render_panel, with_refresh, with_toast


@page("scheduling:board", needs=Permission.SEE_FLOW)
def board(request: PageRequest) -> HttpResponse:
    return render(request, "scheduling/board.html", board_context(request))


@page("scheduling:board-columns", needs=Permission.SEE_FLOW)
def columns(request: PageRequest) -> HttpResponse:
    """The board alone: what an event from another browser reloads."""
    context = board_context(request)
    return render(request, "scheduling/parts/board.html" if "columns" in context else "scheduling/parts/no_facility.html", context)


def board_context(request: PageRequest) -> dict[str, Any]:
    here = desk(request)
    if here.facility is None:
        return {"desk": here}
    on_board = queries.on_the_board(request.store, here.facility, here.now)
    in_use = queries.rooms_in_use(request.store)
    rooms = queries.rooms_of(request.store, here.facility.id)
    taken = {str(room.id) for room in rooms if key("Location", str(room.id)) in in_use}
    today = queries.visits_of_day(request.store, here.facility, here.today)
    return {
        "desk": here,
        "columns": board_columns(on_board, here.now),
        "rooms": room_choices(rooms, taken),
        "rooms_free": len(rooms) - len(taken),
        "median_wait": waiting.median_wait(today, here.now),
        "here_count": len(on_board),
        "may_move": request.actor.may(Permission.MOVE_FLOW),
    }


@page("scheduling:move", needs=Permission.MOVE_FLOW, methods=("POST",))
def move(request: PageRequest, visit: str, to: str) -> HttpResponseBase:
    """Move a patient; the toast takes it back. `seen` is the state on the mover's screen: somebody else may have been faster."""
    if to not in FLOW_STATES:
        raise Http404
    standing = request.store.read(Encounter, visit)
    before = facts.flow_of(standing) or ""
    try:
        actions.move(by=request.actor, visit=visit, to=to, seen=request.POST.get("seen") or None)
    except FhirError as refusal:
        return _refused(request, refusal)
    return _done(
        request,
        _("{name} moved to {state}.").format(name=_name_in(request, standing), state=FLOW_WORDS[to].lower()),
        undo=reverse("scheduling:move", args=[visit, before]) if before else None,
    )


def _name_in(request: PageRequest, visit: Encounter) -> str:
    """Whose visit it is: who moved the wrong patient must see it at once."""
    return called(request.store.find(Patient, str(visit.subject.target_id)) if visit.subject is not None else None)


@page("scheduling:room", needs=Permission.MOVE_FLOW, methods=("POST",))
def room(request: PageRequest, visit: str) -> HttpResponseBase:
    try:
        actions.put_in_room(by=request.actor, visit=visit, room=request.POST.get("room") or None)
    except FhirError as refusal:
        return _refused(request, refusal)
    return _done(request, _("Room saved."))


@page("scheduling:check-out", needs=Permission.MOVE_FLOW, methods=("POST",))
def check_out(request: PageRequest, visit: str) -> HttpResponseBase:
    """The patient has left; the toast reopens the visit."""
    try:
        actions.check_out(by=request.actor, visit=visit)
    except FhirError as refusal:
        return _refused(request, refusal)
    return _done(request, _("Checked out. The visit is finished."), undo=reverse("scheduling:reopen", args=[visit]))


@page("scheduling:reopen", needs=Permission.MOVE_FLOW, methods=("POST",))
def reopen(request: PageRequest, visit: str) -> HttpResponseBase:
    try:
        actions.reopen(by=request.actor, visit=visit)
    except FhirError as refusal:
        return _refused(request, refusal)
    return _closed(request, _("The visit is open again."))


@page("scheduling:undo-check-in", needs=Permission.CHECK_IN, methods=("POST",))
def undo_check_in(request: PageRequest, visit: str) -> HttpResponseBase:
    try:
        actions.undo_check_in(by=request.actor, visit=visit)
    except FhirError as refusal:
        return _refused(request, refusal)
    return _closed(request, _("Not checked in after all."))


@page("scheduling:visit", needs=Permission.SEE_FLOW)
def visit(request: PageRequest, visit: str) -> HttpResponseBase:
    """The timeline of one visit: minutes in each state."""
    opened = request.store.read(Encounter, visit)
    patient = request.store.find(Patient, str(opened.subject.target_id)) if opened.subject else None
    place = next((entry.location for entry in opened.location if entry.location), None)
    where = request.store.find(Location, str(place.target_id)) if place else None
    now = timezone.now()
    context = {
        "panel_title": _("Visit"),
        "card": FlowCard(OnBoard(opened, patient), now),
        "patient_name": called(patient),
        "patient_about": about(patient),
        "stays": stay_rows(opened, facts.zone_of(where).key, now),
        "waited": waiting.waited(opened, now),
        "may_move": request.actor.may(Permission.MOVE_FLOW),
        "may_find": request.actor.may(Permission.FIND_PATIENTS),
        "may_read_chart": request.actor.may(Permission.READ_CHART),
        "may_undo_check_in": request.actor.may(Permission.CHECK_IN) and facts.flow_of(opened) == "waiting" and opened.status == "arrived",
        "is_finished": opened.status == "finished",
        "chart_url": _chart(patient),
    }
    return render_panel(request, "scheduling/panels/visit.html", context, page="scheduling:board")


def _chart(patient: Patient | None) -> str:
    """The chart's own page, where that room is installed."""
    try:
        return reverse("chart:summary", args=[patient.id]) if patient else ""
    except NoReverseMatch:
        return ""


def _done(request: PageRequest, message: str, *, undo: str | None = None) -> HttpResponse:
    """Say so and let the board reload. Nothing else of the page changes, so that the focus stays with the patient."""
    if not request.htmx:
        return go(request, "scheduling:board", message=message, undo=undo)
    return with_refresh(with_toast(HttpResponse(""), message, undo=undo), "board", "arrivals")


def _closed(request: PageRequest, message: str) -> HttpResponse:
    """The same from the side panel, which closes."""
    return panel_done(request, message=message, refresh=["board", "arrivals"], page="scheduling:board")


def _refused(request: PageRequest, refusal: FhirError) -> HttpResponse:
    """Say why, and show the board as it is now."""
    if not request.htmx:
        return errors.refused(request, refusal)
    response = with_toast(HttpResponse("", status=refusal.status), errors.sentence(refusal), kind="danger")
    response["HX-Reswap"] = "none"
    return with_refresh(response, "board")
