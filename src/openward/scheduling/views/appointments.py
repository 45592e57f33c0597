"""One appointment: see it, move it, give it back."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.fhir.errors import FhirError
from openward.fhir.resources import Appointment, Location, Practitioner
from openward.scheduling import actions, facts, queries
from openward.scheduling.errors import SlotTaken
from openward.scheduling.forms import CancelForm, MoveForm
from openward.scheduling.freetime import DAY, Interval
from openward.scheduling.presenters.arrivals import AppointmentView
from openward.scheduling.presenters.picker import TimeChoice, picker, stamp
from openward.scheduling.presenters.words import about, and_told, called, day_words, time_words
from openward.scheduling.queries import Arrival, Offer
from openward.scheduling.views.booking import DAYS, first_day, moment_of, refuse, week_context
from openward.scheduling.views.where import Desk, desk
from openward.web import errors
from openward.web.display import person_name
from openward.web.pages import PageRequest, go, page, panel_done, render, render_panel

CHANGED = ("arrivals", "calendar", "appointments")


@page("scheduling:appointment", needs=Permission.SEE_SCHEDULE)
def appointment(request: PageRequest, appointment: str) -> HttpResponseBase:
    found = queries.arrival(request.store, appointment)
    context = {
        "shown": view_of(request, found),
        "panel_title": _("Appointment"),
        "may_check_in": request.actor.may(Permission.CHECK_IN),
        "may_book": request.actor.may(Permission.BOOK),
        "may_find": request.actor.may(Permission.FIND_PATIENTS),
    }
    return render_panel(request, "scheduling/panels/appointment.html", context, page="scheduling:today")


def view_of(request: PageRequest, found: Arrival) -> AppointmentView:
    place = facts.participant(found.appointment, "Location") if found.appointment else None
    where = request.store.find(Location, str(place.target_id)) if place else None
    return AppointmentView(found, facts.zone_of(where).key, (where.name or "") if where else "", timezone.now())


@page("scheduling:move-appointment", needs=Permission.BOOK)
def move(request: PageRequest, appointment: str) -> HttpResponse:
    """Choose another time, with the same person or another who offers the same service."""
    here, found = desk(request), queries.arrival(request.store, appointment)
    booked = found.appointment
    assert booked is not None  # noqa: S101 - arrival() reads it
    who = request.GET.get("who") or facts.target(facts.participant(booked, "Practitioner")) or ""
    first, offers = first_day(request, here), _offers(request, booked, who, here)

    def link(**changed: str) -> str:
        chosen = {"who": who, "day": first.isoformat(), **changed}
        return f"{reverse('scheduling:move-appointment', args=[appointment])}?who={chosen['who']}&day={chosen['day']}"

    shown = picker(offers, first, DAYS, here.today, lambda offer: _move_url(appointment, offer))
    people = [(one.name, link(who=one.practitioner), one.practitioner == who) for one in _who_offers(request, booked, here)]
    context = {
        "desk": here,
        "shown": view_of(request, found),
        "patient_name": called(found.patient),
        "patient_about": about(found.patient),
        "people": people,
        **week_context(shown, first, here, link),
    }
    return render(request, "scheduling/move.html", context)


def _offers(request: PageRequest, booked: Appointment, who: str, here: Desk) -> list[Offer]:
    span = facts.during(booked)
    length = span.end - span.start if span else dt.timedelta(minutes=facts.DEFAULT_MINUTES)
    first = first_day(request, here)
    earliest = max(here.now, here.place.day(first).start)
    offers = queries.free_for_practitioner(request.store, practitioner=who, length=length, earliest=earliest, days=DAYS + 1)
    return [offer for offer in offers if offer.facility == here.place.id]


def _who_offers(request: PageRequest, booked: Appointment, here: Desk) -> list[queries.Bookable]:
    """Those who offer the booked service at this facility; where that is not known, everyone there."""
    code = facts.service_code(booked)
    service = next((str(one.id) for one in queries.services(request.store) if facts.service_code(one) == code), None)
    people = queries.bookable(request.store, service=service, facility=here.place.id)
    return list({person.practitioner: person for person in people}.values())


def _move_url(appointment: str, offer: Offer) -> str:
    return reverse("scheduling:confirm-move", args=[appointment, offer.practitioner, offer.facility, stamp(offer.start)])


@page("scheduling:confirm-move", needs=Permission.BOOK, methods=("GET", "POST"))
def confirm_move(request: PageRequest, appointment: str, practitioner: str, facility: str, start: str) -> HttpResponseBase:
    """Read the new time back, and move. Somebody was faster: say who, and offer the next free times."""
    found, moment = queries.arrival(request.store, appointment), moment_of(start)
    form = MoveForm(request.POST if request.method == "POST" else None, initial={"start": start})
    context: dict[str, Any] = {
        "form": form,
        "panel_title": _("Move to this time"),
        "shown": view_of(request, found),
        "patient_name": called(found.patient),
    }
    if request.method == "POST" and form.is_valid():
        moment = moment_of(form.cleaned_data["start"])
        try:
            actions.reschedule(by=request.actor, appointment=appointment, start=moment, practitioner=practitioner, facility=facility)
        except FhirError as refusal:
            refuse(form, refusal)
            context |= {"taken": isinstance(refusal, SlotTaken), "others": _next(request, found, practitioner, moment)}
        else:
            return go(request, "scheduling:today", message=and_told(_("Moved."), found.patient))
    context |= _new_time(request, practitioner, facility, moment)
    status = 422 if form.errors else 200
    return render_panel(
        request,
        "scheduling/panels/confirm_move.html",
        context,
        page="scheduling:move-appointment",
        page_args={"appointment": appointment},
        status=status,
    )


def _next(request: PageRequest, found: Arrival, practitioner: str, after: dt.datetime) -> list[TimeChoice]:
    span = facts.during(found.appointment) if found.appointment else None
    length = (span or Interval(after, after + DAY / 48)).end - (span or Interval(after, after)).start
    offers = queries.free_for_practitioner(request.store, practitioner=practitioner, length=length, earliest=max(after, timezone.now()), days=14)
    return [TimeChoice(offer, stamp(offer.start)) for offer in offers[:6]]


def _new_time(request: PageRequest, practitioner: str, facility: str, start: dt.datetime) -> dict[str, Any]:
    who, where = request.store.read(Practitioner, practitioner), request.store.read(Location, facility)
    zone = facts.zone_of(where)
    return {
        "who": person_name(who.name[0] if who.name else None),
        "where": where.name,
        "day": day_words(start.astimezone(zone).date(), dt.datetime.now(zone).date()),
        "time": time_words(start, zone.key),
    }


@page("scheduling:cancel", needs=Permission.BOOK, methods=("GET", "POST"))
def cancel(request: PageRequest, appointment: str) -> HttpResponseBase:
    """Ask why, then give the time back. Can be undone while nobody else took it."""
    found = queries.arrival(request.store, appointment)
    form = CancelForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.cancel(by=request.actor, appointment=appointment, reason=form.cancellation())
        except FhirError as refusal:
            errors.add_to_form(form, refusal)
        else:
            undo = reverse("scheduling:restore", args=[appointment])
            return panel_done(request, message=and_told(_("Cancelled."), found.patient), refresh=CHANGED, page="scheduling:today", undo=undo)
    context = {"form": form, "shown": view_of(request, found), "panel_title": _("Cancel the appointment")}
    return render_panel(request, "scheduling/panels/cancel.html", context, page="scheduling:today", status=422 if form.errors else 200)


@page("scheduling:no-show", needs=Permission.CHECK_IN, methods=("POST",))
def no_show(request: PageRequest, appointment: str) -> HttpResponse:
    actions.mark_no_show(by=request.actor, appointment=appointment)
    undo = reverse("scheduling:restore", args=[appointment])
    return panel_done(request, message=_("Marked as not come. The time is free again."), refresh=CHANGED, page="scheduling:today", undo=undo)


@page("scheduling:restore", needs=Permission.BOOK, methods=("POST",))
def restore(request: PageRequest, appointment: str) -> HttpResponse:
    """Take back a cancellation or a no-show; somebody may have taken the time."""
    actions.restore(by=request.actor, appointment=appointment)
    return panel_done(request, message=_("Booked as before."), refresh=CHANGED, page="scheduling:today")
