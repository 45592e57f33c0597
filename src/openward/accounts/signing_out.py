"""Ending everything a person holds at once: their sessions everywhere, their visits at shared workstations, and whatever else was given in their name."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from openward.accounts import sessions
from openward.accounts.models import Reset, StationVisit, User

Ender = Callable[[User], int]
_ENDERS: list[Ender] = []


def also_ends(ender: Ender) -> Ender:
    """Register what gives out tokens in a person's name: it is called, in the same transaction, whenever a person is signed out everywhere."""
    _ENDERS.append(ender)
    return ender


def everywhere(user: User) -> int:
    """How many sessions and tokens ended. Pages ask for the session at each request, so that it holds from the next one on."""
    with transaction.atomic():
        return elsewhere(user) + sum(ender(user) for ender in _ENDERS)


def elsewhere(user: User, *, but: str | None = None) -> int:
    """Everywhere but in the session of this key: sessions, links that set a password, and ways back by PIN. How many sessions ended; apps go on."""
    with transaction.atomic():
        StationVisit.objects.filter(user=user).delete()
        Reset.objects.filter(user=user, used_at__isnull=True).delete()
        return sessions.end_all(user, but=but)
