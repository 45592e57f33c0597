"""The calendar of a facility: a day by clinician, or a week."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.scheduling import queries
from openward.scheduling.freetime import DAY, Interval
from openward.scheduling.presenters.arrivals import ArrivalRow
from openward.scheduling.presenters.calendar import Grid, day_grid, week_grid
from openward.scheduling.presenters.words import day_words
from openward.scheduling.views.where import Desk, day_of, desk
from openward.web.display import day as day_text
from openward.web.pages import PageRequest, page, render

VIEWS = ("day", "week", "list")
EVERYONE = "all"


@page("scheduling:calendar", needs=Permission.SEE_SCHEDULE)
def calendar(request: PageRequest) -> HttpResponse:
    """`?view=` day, week or list; `?day=`; `?who=` one practitioner."""
    here = desk(request)
    if here.facility is None:
        return render(request, "scheduling/calendar.html", {"desk": here})
    view = request.GET.get("view") if request.GET.get("view") in VIEWS else "day"
    day, who = day_of(request, here.today), request.GET.get("who", "")
    context = _context(request, here, str(view), day, who)
    return render(request, "scheduling/calendar.html", context)


def _context(request: PageRequest, here: Desk, view: str, day: dt.date, who: str) -> dict[str, Any]:
    place = here.place
    days = [day] if view == "day" else [day - day.weekday() * DAY + number * DAY for number in range(7)]
    everyone = list({person.practitioner: person for person in queries.bookable(request.store, facility=place.id)}.values())
    if view == "week" and not who and everyone:
        who = everyone[0].practitioner  # a week of everyone is too narrow to read; it can still be asked for
    people = [person for person in everyone if who in ("", EVERYONE, person.practitioner)]
    span = Interval(place.day(days[0]).start, place.day(days[-1]).end)
    arrivals = queries.appointments_between(request.store, place, span, None if who in ("", EVERYONE) else who)
    grid: Grid = day_grid(people, arrivals, place, day, here.now) if view == "day" else week_grid(people, arrivals, place, days, here.today, here.now)
    step = 1 if view == "day" else 7
    return {
        "desk": here,
        "view": view,
        "day": day,
        "who": who,
        "keep": {"view": view, "day": day.isoformat()},
        "people": everyone,
        "grid": grid,
        "rows": [ArrivalRow(arrival, here.zone, here.now) for arrival in arrivals],
        "title": day_words(day, here.today) if view == "day" else f"{day_text(days[0])} – {day_text(days[-1])}",
        "before": _url(view, day - step * DAY, who),
        "after": _url(view, day + step * DAY, who),
        "now_url": _url(view, here.today, who),
        "tabs": [(words, _url(name, day, who), name == view) for name, words in zip(VIEWS, (_("Day"), _("Week"), _("List")), strict=True)],
        "self_url": _url(view, day, who),
    }


def _url(view: str, day: dt.date, who: str) -> str:
    return f"{reverse('scheduling:calendar')}?{urlencode({'view': view, 'day': day.isoformat(), 'who': who})}"
