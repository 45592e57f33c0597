"""When the demo is: its date, and the clock at each facility."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

from openward.demo.content.places import Facility

HALF_DAY = dt.timedelta(hours=36)
AFTERNOON = dt.time(14, 10)


@cache
def zone_of(facility: Facility) -> ZoneInfo:
    return ZoneInfo(facility.zone)


@dataclass(frozen=True, slots=True)
class Moment:
    """`today` is the demo's day, `now` the clock on the wall; without one it is ten past two in the afternoon at every facility."""

    today: dt.date
    now: dt.datetime | None

    @classmethod
    def of(cls, today: dt.date, now: dt.datetime | None = None) -> Moment:
        """A clock that shows quite another day than `today` is left out."""
        noon = dt.datetime.combine(today, dt.time(12), dt.UTC)
        return cls(today, now if now and abs(now - noon) < HALF_DAY else None)

    def clock(self, facility: Facility) -> dt.datetime:
        """What the clock at the facility shows."""
        if self.now is None:
            return dt.datetime.combine(self.today, AFTERNOON, zone_of(facility))
        return self.now.astimezone(zone_of(facility)).replace(microsecond=0)

    def day(self, facility: Facility) -> dt.date:
        """The calendar day it is at the facility: near midnight it differs between them."""
        return self.clock(facility).date()
