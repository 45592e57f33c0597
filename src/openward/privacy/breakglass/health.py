"""That emergency access is looked at in time."""

from __future__ import annotations

from openward.privacy.breakglass.queries import late
from openward.record.health import health_check


@health_check("emergency-access", title="Review of emergency access")
def reviewed_in_time() -> str | None:
    """None when every opening of every tenant is reviewed or younger than a week."""
    number = late()
    return f"{number} openings of records by emergency access have waited more than a week for the privacy officer's review." if number else None
