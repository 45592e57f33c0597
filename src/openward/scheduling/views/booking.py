"""Booking: service, person, time, done. Four clicks from the patient's page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.forms import Form
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.fhir.errors import FhirError
from openward.fhir.resources import HealthcareService, Location, Patient, Practitioner
from openward.registration.queries import name_of
from openward.scheduling import actions, facts, queries
from openward.scheduling.errors import SlotTaken
from openward.scheduling.forms import BookForm
from openward.scheduling.freetime import DAY
from openward.scheduling.presenters.picker import Picker, TimeChoice, picker, read_stamp, stamp
from openward.scheduling.presenters.words import about, and_told, day_words, minutes_words, time_words
from openward.scheduling.queries import Offer
from openward.scheduling.views.where import Desk, desk
from openward.web import errors
from openward.web.display import day as day_text
from openward.web.display import person_name
from openward.web.pages import PageRequest, go, page, render, render_panel, with_refresh

DAYS = 5


@page("scheduling:book", needs=Permission.BOOK)
def book(request: PageRequest, patient: str) -> HttpResponse:
    """Choose the service, then the person (or anyone), then the time."""
    here = desk(request)
    person = request.store.read(Patient, patient)
    offered = queries.services(request.store)
    chosen = next((service for service in offered if service.id == request.GET.get("service")), None)
    context: dict[str, Any] = {
        "desk": here,
        "patient": person,
        "patient_name": name_of(person),
        "patient_about": about(person),
        "services": [(service, book_url(patient, service=str(service.id)), minutes_words(facts.length_of(service))) for service in offered],
        "chosen": chosen,
        "keep": {"service": str(chosen.id)} if chosen else {},
    }
    if chosen is not None and here.facility is not None:
        context |= _times(request, here, patient, chosen)
    return render(request, "scheduling/book.html", context)


def book_url(patient: str, **chosen: str) -> str:
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"{reverse('scheduling:book', args=[patient])}{'?' + query if query else ''}"


def _times(request: PageRequest, here: Desk, patient: str, service: HealthcareService) -> dict[str, Any]:
    """The free times of the service, and the links that narrow or move them."""
    id, who = str(service.id), request.GET.get("who", "")
    first = first_day(request, here)
    people = queries.bookable(request.store, service=id, facility=here.place.id)
    offers = queries.free_times(request.store, service=id, first=first, days=DAYS, practitioner=who or None, facility=here.place.id, patient=patient)
    elsewhere = [] if people else _elsewhere(request, here, patient, id)
    shown = picker(offers, first, DAYS, here.today, lambda offer: _confirm_url(patient, id, offer))
    soonest = None
    if shown.is_empty and people:
        soonest = next(
            iter(queries.first_free(request.store, service=id, practitioner=who or None, facility=here.place.id, patient=patient, limit=1)), None
        )

    def link(**changed: str) -> str:
        return book_url(patient, **{"service": id, "who": who, "day": first.isoformat(), **changed})

    return week_context(shown, first, here, link) | {
        "people": [(_("Anyone"), link(who=""), not who), *((one.name, link(who=one.practitioner), who == one.practitioner) for one in _once(people))],
        "elsewhere": elsewhere,
        "soonest_words": _soonest(soonest, here) if soonest else "",
        "soonest_url": link(day=soonest.day.isoformat()) if soonest else "",
    }


def _elsewhere(request: PageRequest, here: Desk, patient: str, service: str) -> list[tuple[str, str]]:
    """Where a service that is not offered here is offered, as (name, address)."""
    places = {person.facility.id: person.facility.name for person in queries.bookable(request.store, service=service)}
    return [
        (name, book_url(patient, service=service, at=id)) for id, name in sorted(places.items(), key=lambda place: place[1]) if id != here.place.id
    ]


def week_context(shown: Picker, first: dt.date, here: Desk, link: Callable[..., str]) -> dict[str, Any]:
    """The picker and how to leaf through it; never before today."""
    return {
        "picker": shown,
        "first": first,
        "span": f"{day_text(first)} – {day_text(first + (DAYS - 1) * DAY)}",
        "before": link(day=max(here.today, first - DAYS * DAY).isoformat()) if first > here.today else "",
        "after": link(day=(first + DAYS * DAY).isoformat()),
        "times_url": link(),
    }


def first_day(request: PageRequest, here: Desk) -> dt.date:
    """The first day shown: `?day=`, not before today."""
    try:
        return max(here.today, dt.date.fromisoformat(request.GET.get("day", "") or here.today.isoformat()))
    except ValueError:
        raise Http404 from None


def _once(people: list[queries.Bookable]) -> list[queries.Bookable]:
    return list({person.practitioner: person for person in people}.values())


def _soonest(offer: Offer, here: Desk) -> str:
    return f"{day_words(offer.day, here.today)} {time_words(offer.start, offer.zone)}, {offer.name}"


def _confirm_url(patient: str, service: str, offer: Offer) -> str:
    return reverse("scheduling:confirm", args=[patient, service, offer.practitioner, offer.facility, stamp(offer.start)])


@page("scheduling:confirm", needs=Permission.BOOK, methods=("GET", "POST"))
def confirm(request: PageRequest, patient: str, service: str, practitioner: str, facility: str, start: str) -> HttpResponseBase:
    """Read it back, and book. Somebody was faster: say who, and offer the next free times with the rest of the form as it is."""
    moment = moment_of(start)
    offered, where = request.store.read(HealthcareService, service), request.store.read(Location, facility)
    rooms = [(str(room.id), room.name or "") for room in queries.rooms_of(request.store, facility)]
    form = BookForm(request.POST if request.method == "POST" else None, rooms=rooms, initial={"start": start})
    context: dict[str, Any] = {"form": form, "panel_title": _("Book this time")}
    if request.method == "POST" and form.is_valid():
        moment = moment_of(form.cleaned_data["start"])
        try:
            return _booked(request, form, patient, service, practitioner, facility)
        except FhirError as refusal:
            refuse(form, refusal)
            free = queries.free_times(
                request.store, service=service, first=_day(moment, where), days=14, practitioner=practitioner, facility=facility, patient=patient
            )
            context |= {"taken": isinstance(refusal, SlotTaken), "others": _next(free, moment)}
    context |= _read_back(request, patient, offered, practitioner, where, moment)
    response = render_panel(
        request, "scheduling/panels/confirm.html", context, page="scheduling:book", page_args={"patient": patient}, status=422 if form.errors else 200
    )
    return with_refresh(response, "times") if form.errors else response  # type: ignore[arg-type]


def _booked(request: PageRequest, form: BookForm, patient: str, service: str, practitioner: str, facility: str) -> HttpResponse:
    entered = form.cleaned_data
    actions.book(
        by=request.actor,
        patient=patient,
        service=service,
        practitioner=practitioner,
        facility=facility,
        start=moment_of(entered["start"]),
        form=entered["submission"],
        room=entered["room"] or None,
        comment=entered["comment"],
    )
    return go(request, "registration:patient", message=and_told(_("Booked."), request.store.read(Patient, patient)), patient=patient)


def refuse(form: Form, refusal: FhirError) -> None:
    """Above the form; free times stand beside it as buttons."""
    if isinstance(refusal, SlotTaken):
        form.add_error(None, refusal.said)
    else:
        errors.add_to_form(form, refusal)


def moment_of(text: str) -> dt.datetime:
    try:
        return read_stamp(text)
    except ValueError:
        raise Http404 from None


def _day(moment: dt.datetime, where: Location) -> dt.date:
    return moment.astimezone(facts.zone_of(where)).date()


def _next(offers: list[Offer], after: dt.datetime) -> list[TimeChoice]:
    """The six free times nearest after the one that is gone, else the first ones."""
    later = [offer for offer in offers if offer.start >= after] or offers
    return [TimeChoice(offer, stamp(offer.start)) for offer in later[:6]]


def _read_back(
    request: PageRequest, patient: str, service: HealthcareService, practitioner: str, where: Location, start: dt.datetime
) -> dict[str, Any]:
    who = request.store.read(Practitioner, practitioner)
    zone = facts.zone_of(where)
    return {
        "patient_name": name_of(request.store.read(Patient, patient)),
        "service": service,
        "minutes": int(facts.length_of(service).total_seconds() // 60),
        "who": person_name(who.name[0] if who.name else None),
        "where": where.name,
        "day": day_words(start.astimezone(zone).date(), dt.datetime.now(zone).date()),
        "time": time_words(start, zone.key),
        "end": time_words(start + facts.length_of(service), zone.key),
    }
