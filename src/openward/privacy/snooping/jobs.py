"""Every night, the day before."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from openward.accounts.models import User
from openward.record.jobs import every


@every("15 9 * * *", "privacy.flag_lookups")
def flag_lookups() -> None:
    """Flag yesterday's look-ups of one's own record, of family, coworkers and VIPs, by emergency access, and outside one's care."""
    from openward.privacy.snooping.report import report

    yesterday = timezone.localdate() - dt.timedelta(days=1)
    for tenant in sorted(set(User.objects.values_list("tenant", flat=True))):
        report(tenant, yesterday)
