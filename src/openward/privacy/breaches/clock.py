"""The clock of a breach. https://www.ecfr.gov/current/title-45/section-164.404"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from openward.audit.models import Breach

DAYS = 60
MANY = 500


@dataclass(frozen=True)
class Clock:
    """Letters are due 60 days after discovery at the latest. Of 500 people and more the Secretary is told within the same time, of fewer within 60 days
    of the year's end (164.408). The press is told of more than 500 residents of one state: `residents.pressed` (164.406)."""

    discovered_on: dt.date
    today: dt.date
    affected: int
    closed: bool

    @classmethod
    def of(cls, breach: Breach, affected: int, today: dt.date) -> Clock:
        return cls(breach.discovered_on, today, affected, breach.closed_at is not None)

    @property
    def due(self) -> dt.date:
        return self.discovered_on + dt.timedelta(days=DAYS)

    @property
    def left(self) -> int:
        """Days that are left; below 0 when it is too late."""
        return (self.due - self.today).days

    @property
    def is_late(self) -> bool:
        return self.left < 0 and not self.closed

    @property
    def is_near(self) -> bool:
        return 0 <= self.left <= 14 and not self.closed

    @property
    def is_large(self) -> bool:
        return self.affected >= MANY

    @property
    def secretary_due(self) -> dt.date:
        return self.due if self.is_large else dt.date(self.discovered_on.year, 12, 31) + dt.timedelta(days=DAYS)
