"""Which facility this desk works at: chosen once, kept in the session."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import Http404
from django.utils import timezone

from openward.scheduling.queries import Facility, busiest, facilities, workplace
from openward.web.pages import PageRequest

KEY = "scheduling.facility"


@dataclass(frozen=True, slots=True)
class Desk:
    """The facility of this desk, all there are, and what time it is."""

    facility: Facility | None
    all: Sequence[Facility]
    now: dt.datetime

    @property
    def place(self) -> Facility:
        """Raises Http404 where no facility is set up."""
        if self.facility is None:
            raise Http404
        return self.facility

    @property
    def today(self) -> dt.date:
        return self.place.today(self.now)

    @property
    def zone(self) -> str:
        return self.place.zone.key


def desk(request: PageRequest) -> Desk:
    """The facility named by `?at=`, else the one used last, else where this person works, else where most people do; remembered."""
    every = facilities(request.store)
    known = {place.id: place for place in every}
    asked = request.GET.get("at") or request.POST.get("at")
    if asked in known and request.session.get(KEY) != asked:
        request.session[KEY] = asked
    if request.session.get(KEY) not in known and every:
        request.session[KEY] = workplace(request.store, request.actor.reference) or busiest(request.store) or every[0].id
    return Desk(known.get(request.session.get(KEY, "")) or (every[0] if every else None), every, timezone.now())


def day_of(request: PageRequest, default: dt.date) -> dt.date:
    """The day named by `?day=2026-11-03`. Raises Http404 for anything else."""
    asked = request.GET.get("day")
    if not asked:
        return default
    try:
        return dt.date.fromisoformat(asked)
    except ValueError:
        raise Http404 from None
