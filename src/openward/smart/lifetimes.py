"""How long tokens live. An administrator sets two of them; the others are what SMART recommends."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

BACKEND = dt.timedelta(minutes=5)
LAUNCH = dt.timedelta(minutes=5)
ASKED = dt.timedelta(minutes=10)
CONSENT = dt.timedelta(minutes=30)
ID_TOKEN = dt.timedelta(minutes=10)


def access() -> dt.timedelta:
    return dt.timedelta(minutes=settings.OPENWARD_SMART_TOKEN_MINUTES)


def refresh(contexts: frozenset[str]) -> dt.timedelta:
    """From the last use on: months for `offline_access`; for `online_access` a session's length, and no longer than the session itself."""
    if "offline_access" in contexts:
        return dt.timedelta(days=settings.OPENWARD_SMART_REFRESH_DAYS)
    return dt.timedelta(seconds=settings.SESSION_COOKIE_AGE)


def longest() -> dt.timedelta:
    """However often an app comes back, its person is asked anew after this. OWASP ASVS 5.0, 10.4.8."""
    return dt.timedelta(days=settings.OPENWARD_SMART_LONGEST_DAYS)


def connection(contexts: frozenset[str]) -> dt.timedelta:
    """How long what a person agreed to holds while the app does not come back."""
    return refresh(contexts) if contexts & {"offline_access", "online_access"} else access() + dt.timedelta(minutes=5)
