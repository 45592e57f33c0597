"""The day's list: who is expected, who is here, who is late."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from openward.access.permissions import Permission
from openward.scheduling import queries
from openward.scheduling.freetime import DAY
from openward.scheduling.presenters.arrivals import ArrivalRow
from openward.scheduling.presenters.words import day_words
from openward.scheduling.views.where import day_of, desk
from openward.web.pages import PageRequest, page, render


@page("scheduling:today", needs=Permission.SEE_SCHEDULE)
def today(request: PageRequest) -> HttpResponse:
    """Everybody expected at this facility on a day."""
    return render(request, "scheduling/today.html", arrivals_context(request))


@page("scheduling:today-list", needs=Permission.SEE_SCHEDULE)
def arrivals_list(request: PageRequest) -> HttpResponse:
    """The list alone, for when something changed."""
    context = arrivals_context(request)
    return render(request, "scheduling/parts/arrivals.html" if "rows" in context else "scheduling/parts/no_facility.html", context)


def arrivals_context(request: PageRequest, *, short: bool = False) -> dict[str, Any]:
    """The list of a day; the short one leaves out who has been and gone."""
    here = desk(request)
    if here.facility is None:
        return {"desk": here}
    day = day_of(request, here.today)
    rows = [ArrivalRow(arrival, here.zone, here.now) for arrival in queries.arrivals(request.store, here.facility, day)]
    short = short or "short" in request.GET
    return {
        "desk": here,
        "day": day,
        "title": day_words(day, here.today),
        "rows": [row for row in rows if row.is_open] if short else rows,
        "short": short,
        "counts": _counts(rows),
        "before": _link(day - DAY),
        "after": _link(day + DAY),
        "is_today": day == here.today,
        "list_url": f"{reverse('scheduling:today-list')}?day={day.isoformat()}{'&short=1' if short else ''}",
        "may_check_in": request.actor.may(Permission.CHECK_IN),
    }


def _counts(rows: list[ArrivalRow]) -> dict[str, int]:
    return {
        "expected": sum(row.is_expected for row in rows),
        "here": sum(row.state[1] == "accent" for row in rows),
        "late": sum(row.is_late for row in rows),
        "booked": sum(row.arrival.is_booked for row in rows),
    }


def _link(day: dt.date) -> str:
    return f"{reverse('scheduling:today')}?day={day.isoformat()}"
