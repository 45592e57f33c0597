"""The schedule's cards on the home page: today's arrivals, the next free time of each clinician, how long people wait.

Every process registers them, also one that never shows a page: what they ask is imported when it is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from openward.access.permissions import Permission
from openward.web.homes import HomeCard

if TYPE_CHECKING:
    from openward.web.pages import PageRequest


def arrivals(request: PageRequest) -> dict[str, Any]:
    """Who is expected and who is here; it keeps itself up to date."""
    from openward.scheduling.views.today import arrivals_context

    return arrivals_context(request, short=True)


def next_free(request: PageRequest) -> dict[str, Any]:
    """For each clinician of this facility, when they are next free for a visit of usual length."""
    from openward.scheduling import queries
    from openward.scheduling.presenters.words import day_words, time_words
    from openward.scheduling.views.where import desk

    here = desk(request)
    if here.facility is None:
        return {"desk": here, "people": []}
    offers = queries.next_free_by_person(request.store, facility=here.facility.id, now=here.now)
    people = [(name, f"{day_words(offer.day, here.today)} {time_words(offer.start, offer.zone)}" if offer else "") for name, offer in offers]
    return {"desk": here, "people": people, "calendar_url": reverse("scheduling:calendar")}


def waits(request: PageRequest) -> dict[str, Any]:
    """Today's waiting in numbers, for who runs the clinic."""
    from openward.scheduling import queries, waiting
    from openward.scheduling.presenters.board import board_stats
    from openward.scheduling.views.where import desk

    here = desk(request)
    if here.facility is None:
        return {"desk": here, "stats": []}
    visits = queries.visits_of_day(request.store, here.facility, here.today)
    expected = queries.arrivals(request.store, here.facility, here.today)
    return {"desk": here, "stats": board_stats(visits, expected, waiting.median_wait(visits, here.now), here.now)}


CARDS = (
    HomeCard(
        "arrivals",
        _("Today"),
        "scheduling/cards/arrivals.html",
        arrivals,
        needs=Permission.SEE_SCHEDULE,
        roles=("front-desk", "nurse"),
        order=10,
        wide=True,
    ),
    HomeCard("next-free", _("Next free"), "scheduling/cards/next_free.html", next_free, needs=Permission.BOOK, roles=("front-desk",), order=20),
    HomeCard("waits", _("Waiting today"), "scheduling/cards/waits.html", waits, needs=Permission.SEE_FLOW, roles=("manager", "front-desk"), order=6),
)
