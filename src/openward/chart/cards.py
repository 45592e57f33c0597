"""The chart's cards on the home page: my patients, the inbox, unsigned notes; for nurses, who waits for their vital signs.

Every process registers them, also one that never shows a page: what they ask is imported when it is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from openward.access.permissions import Permission
from openward.web.homes import HomeCard

if TYPE_CHECKING:
    from openward.web.pages import PageRequest


def my_patients(request: PageRequest) -> dict[str, Any]:
    """The clinician's day in order of time, with where each patient is."""
    from openward.chart.queries.visits import my_patients_today

    me = request.actor.reference_id
    return {"coming": my_patients_today(request.store, me) if me else []}


def inbox(request: PageRequest) -> dict[str, Any]:
    """What waits, in numbers, and today's results themselves."""
    from openward.chart.queries.inbox import read_inbox
    from openward.chart.queries.results import overdue_orders
    from openward.chart.views.inbox import topics

    found = read_inbox(request.store, request.actor)
    return {
        "inbox": found,
        "today": found.of("today")[:6],
        "overdue": len(overdue_orders(request.store, request.actor.reference_id)),
        "topics": topics(request),
        "drafts": found.drafts,
    }


def worklist(request: PageRequest) -> dict[str, Any]:
    """Patients in the clinic whose vital signs nobody has taken yet."""
    from openward.chart.queries.visits import without_vitals

    return {"waiting": without_vitals(request.store)}


CARDS = (
    HomeCard("my-patients", _("My patients today"), "chart/home/my_patients.html", my_patients, needs=Permission.WRITE_NOTES, order=10, wide=True),
    HomeCard("inbox", _("Inbox"), "chart/home/inbox.html", inbox, needs=Permission.REVIEW_RESULTS, order=12),
    HomeCard(
        "worklist",
        _("Waiting for vital signs"),
        "chart/home/worklist.html",
        worklist,
        needs=Permission.RECORD_VITALS,
        roles=("nurse",),
        order=5,
        wide=True,
    ),
)
