"""What has expired is not kept for ever."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from openward.record.jobs import every
from openward.smart.models import AccessToken, Asked, Assertion, Code, Connection, Launch, RefreshToken

# So that a code or a refresh token that is shown again long after its use is still known as one that was used.
REMEMBERED_FOR = dt.timedelta(days=30)


@every("17 * * * *", "smart.sweep")
def sweep() -> None:
    """Remove expired launches, requests and assertions at once, tokens and programs' own connections after a month. What a person agreed to stays."""
    now = timezone.now()
    for gone in (Launch, Asked, Assertion):
        gone.objects.filter(expires_at__lt=now).delete()
    for gone_later in (Code, AccessToken, RefreshToken):
        gone_later.objects.filter(expires_at__lt=now - REMEMBERED_FOR).delete()
    Connection.objects.filter(user__isnull=True, expires_at__lt=now - REMEMBERED_FOR).delete()
