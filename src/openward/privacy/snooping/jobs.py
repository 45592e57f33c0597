"""Every night, the day before; and every day before it that was missed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from openward.accounts.models import User
from openward.privacy.models import Reported
from openward.privacy.snooping.report import TooMuch, report
from openward.record.health import health_check
from openward.record.jobs import every

BACK_DAYS = 92
LATE_DAYS = 3


@every("15 * * * *", "privacy.flag_lookups")
def flag_lookups() -> None:
    """Flag the look-ups of yesterday, and of days that were missed, of one's own record, family, coworkers and VIPs, by emergency access, and outside one's care."""
    trouble: TooMuch | None = None
    for tenant in sorted(set(User.objects.values_list("tenant", flat=True))):
        for day in due(tenant, timezone.localdate()):
            try:
                with transaction.atomic():
                    Reported.objects.create(tenant=tenant, day=day, flagged=report(tenant, day))
            except TooMuch as found:
                trouble = found
    if trouble is not None:
        raise trouble


def due(tenant: int, today: dt.date) -> Iterator[dt.date]:
    """The days before today that were not gone through, since the first that was and at most BACK_DAYS back; where none ever was, yesterday."""
    done = set(Reported.objects.filter(tenant=tenant).values_list("day", flat=True))
    day = max(min(done), today - dt.timedelta(days=BACK_DAYS)) if done else today - dt.timedelta(days=1)
    while day < today:
        if day not in done:
            yield day
        day += dt.timedelta(days=1)


@health_check("look-ups", title="Look-ups to examine")
def examined_daily() -> str | None:
    """None while each day was gone through within LATE_DAYS."""
    today = timezone.localdate()
    late = [day for tenant in set(Reported.objects.values_list("tenant", flat=True)) for day in due(tenant, today) if (today - day).days >= LATE_DAYS]
    return (
        f"The look-ups of {len(set(late))} days, the first {min(late)}, were not gone through for what the privacy officer must see."
        if late
        else None
    )
