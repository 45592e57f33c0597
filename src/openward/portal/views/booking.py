"""Booking, moving and giving back an appointment: one question per page, plain links and forms."""

from __future__ import annotations

import datetime as dt
from uuid import UUID, uuid4

from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.fhir.errors import Conflict, FhirError
from openward.fhir.resources import Appointment, HealthcareService, Location, Patient, Practitioner
from openward.portal import queries
from openward.portal.errors import NotOnOffer, TooLate
from openward.portal.forms import TimeForm
from openward.portal.presenters import Chosen, Coming, by_day
from openward.registration.queries import reach_of
from openward.scheduling.actions.booking import Cancellation, book, cancel, reschedule
from openward.scheduling.queries.places import bookable, services
from openward.scheduling.queries.times import HORIZON, first_free, free_times
from openward.web.errors import sentence
from openward.web.pages import PageRequest, go, page, render

WEEK = 7


@page("portal:book", needs=Permission.BOOK_OWN)
def choose_service(request: PageRequest) -> HttpResponseBase:
    return render(request, "portal/book_service.html", {"services": services(request.store)})


@page("portal:book-who", needs=Permission.BOOK_OWN)
def choose_person(request: PageRequest, service: str) -> HttpResponseBase:
    offered = request.store.read(HealthcareService, service)
    people = {one.practitioner: one for one in bookable(request.store, service=service)}
    return render(request, "portal/book_who.html", {"service": offered, "people": people.values()})


@page("portal:book-when", needs=Permission.BOOK_OWN, methods=("GET", "POST"))
def choose_time(request: PageRequest, service: str, who: str) -> HttpResponseBase:
    """Free times of a week; a time in the address asks whether it is the right one, a POST books it. Taken meanwhile: said, and the times as they are now."""
    practitioner = None if who == "anyone" else who
    form, trouble = TimeForm(request.POST or _asked(request)), ""
    if form.is_valid():
        if request.method == "GET":
            return _confirm(request, service, form)
        try:
            booked = _book(request, service, form)
        except FhirError as refusal:
            trouble = _taken(refusal)
        else:
            return go(request, "portal:visits", message=_booked_words(request), undo=reverse("portal:cancel", args=[booked.id]))
    return _times(request, service, practitioner, who, trouble or _chosen_none(form))


def _asked(request: PageRequest) -> QueryDict | None:
    return request.GET if "time" in request.GET else None


def _book(request: PageRequest, service: str, form: TimeForm) -> Appointment:
    person, facility, start = form.cleaned_data["time"]
    _must_be_on_offer(request, service, person, facility, start)
    patient = queries.own_id(request.store)
    return book(by=request.actor, patient=patient, service=service, practitioner=person, facility=facility, start=start, form=_form_id(request))


def _must_be_on_offer(request: PageRequest, service: str, person: str, facility: str, start: dt.datetime) -> None:
    """The form comes from a browser: who does not offer this kind of visit is not booked for it, nor a day further ahead than can be. Raises NotOnOffer."""
    last = timezone.localdate() + dt.timedelta(days=HORIZON + WEEK)
    if timezone.localdate(start) > last or not bookable(request.store, service=service, practitioner=person, facility=facility):
        raise NotOnOffer


def _confirm(request: PageRequest, service: str, form: TimeForm, moving: Coming | None = None) -> HttpResponseBase:
    """What, when, with whom and where, before it is done: a time is a small thing to touch on a phone, and someone else waits for it."""
    person, facility, start = form.cleaned_data["time"]
    chosen = Chosen.of(
        request.store.read(HealthcareService, service), request.store.read(Practitioner, person), request.store.read(Location, facility), start
    )
    context = {"chosen": chosen, "time": form["time"].value(), "moving": moving, "form_id": uuid4()}
    return render(request, "portal/book_confirm.html", context)


def _booked_words(request: PageRequest) -> str:
    """A confirmation is promised only to who can be sent one."""
    reachable = reach_of(request.store.read(Patient, queries.own_id(request.store))) is not None
    return _("Your visit is booked. A confirmation is on its way.") if reachable else _("Your visit is booked.")


@page("portal:move", needs=Permission.BOOK_OWN, methods=("GET", "POST"))
def move(request: PageRequest, id: str) -> HttpResponseBase:
    """Another time for a booked visit, with the same person; asked and done as booking is."""
    coming = _changeable(request, id)
    service, practitioner = _service_of(request, coming.appointment), _practitioner_of(coming.appointment)
    form, trouble = TimeForm(request.POST or _asked(request)), ""
    if form.is_valid():
        if request.method == "GET":
            return _confirm(request, service, form, moving=coming)
        person, facility, start = form.cleaned_data["time"]
        try:
            _must_be_on_offer(request, service, person, facility, start)
            reschedule(by=request.actor, appointment=id, start=start, practitioner=person, facility=facility)
        except FhirError as refusal:
            trouble = _taken(refusal)
        else:
            return go(request, "portal:visits", message=_("Your visit is moved."))
    return _times(request, service, practitioner, practitioner or "anyone", trouble or _chosen_none(form), moving=coming)


def _changeable(request: PageRequest, id: str) -> Coming:
    """Raises TooLate once the visit has begun, so that a visit somebody missed is not given back afterwards; NotFound."""
    coming = queries.coming(request.store, id)
    if not coming.may_change:
        raise TooLate
    return coming


@page("portal:cancel", needs=Permission.BOOK_OWN, methods=("GET", "POST"))
def give_back(request: PageRequest, id: str) -> HttpResponseBase:
    coming = _changeable(request, id)
    if request.method == "POST":
        cancel(by=request.actor, appointment=id, reason=Cancellation("pat", _("Cancelled by the patient")))
        return go(request, "portal:visits", message=_("Your visit is cancelled."))
    return render(request, "portal/cancel.html", {"coming": coming})


def _times(request: PageRequest, service: str, practitioner: str | None, who: str, trouble: str, moving: object = None) -> HttpResponseBase:
    first = _first_day(request, service, practitioner)
    patient = queries.own_id(request.store)
    offers = free_times(request.store, service=service, first=first, days=WEEK, practitioner=practitioner, patient=patient)
    today = timezone.localdate()
    offered = by_day(offers)
    whom = {words for day in offered for _value, _time, words in day.choices}
    context = {
        "service": request.store.read(HealthcareService, service), "who": who, "days": offered, "only_who": whom.pop() if len(whom) == 1 else "", "trouble": trouble, "moving": moving,
        "first": first, "later": first + dt.timedelta(days=WEEK) if first + dt.timedelta(days=WEEK) < today + dt.timedelta(days=HORIZON) else None, "earlier": first - dt.timedelta(days=WEEK) if first > today else None,
    }  # fmt: skip
    return render(request, "portal/book_when.html", context, status=422 if trouble else 200)


def _first_day(request: PageRequest, service: str, practitioner: str | None) -> dt.date:
    """The day asked for, no further ahead than can be booked, else the day of the first free time: nobody should page through full weeks."""
    today = timezone.localdate()
    try:
        return min(max(dt.date.fromisoformat(request.GET.get("from", "")), today), today + dt.timedelta(days=HORIZON))
    except ValueError:
        free = first_free(request.store, service=service, practitioner=practitioner, limit=1)
        return free[0].day if free else timezone.localdate()


def _form_id(request: PageRequest) -> UUID | None:
    try:
        return UUID(request.POST.get("form", ""))
    except ValueError:
        return None


def _taken(refusal: FhirError) -> str:
    return (
        _("Someone was faster: this time has just been taken. Here are the times that are free now.")
        if isinstance(refusal, Conflict)
        else sentence(refusal)
    )


def _chosen_none(form: TimeForm) -> str:
    return _("Choose one of the times.") if form.errors else ""


def _practitioner_of(appointment: object) -> str | None:
    actors = (one.actor for one in appointment.participant if one.actor is not None)  # type: ignore[attr-defined]
    return next((actor.target_id for actor in actors if actor.type == "Practitioner"), None)


def _service_of(request: PageRequest, appointment: object) -> str:
    """The HealthcareService whose type code the appointment carries; another visit of the kind can be booked at its times only."""
    wanted = {coding.code for concept in appointment.serviceType for coding in concept.coding}  # type: ignore[attr-defined]
    for offered in services(request.store):
        if any(coding.code in wanted for concept in offered.type for coding in concept.coding):
            return str(offered.id)
    return ""
