"""How often one may be wrong: by name, whether or not anyone has it, and by address. Kept in the database, so that every worker counts the same tries."""

from __future__ import annotations

import datetime as dt
import hmac

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from openward.accounts.models import LOCK_AFTER, LOCK_FOR, Tries

# A clinic's people share one address, so that it is given room; a password guessed at this rate takes centuries.
FROM_ONE_ADDRESS = 50


class TooManyTries(Exception):
    """Too many wrong tries from here. Wait a quarter of an hour."""


def refuse(door: str, who: str | None) -> None:
    """Raises TooManyTries while this name or address is locked out at this door."""
    if who and Tries.objects.filter(key=_key(door, who), locked_until__gt=timezone.now()).exists():
        raise TooManyTries


def count(door: str, who: str | None, *, at_most: int = LOCK_AFTER, within: dt.timedelta = LOCK_FOR) -> None:
    """One more wrong try. The one that makes `at_most` within `within` locks for a quarter of an hour."""
    if not who:
        return
    now = timezone.now()
    with transaction.atomic():
        row, _ = Tries.objects.select_for_update().get_or_create(key=_key(door, who), defaults={"since": now})
        if row.since < now - within:
            row.count, row.since = 0, now
        row.count += 1
        if row.count >= at_most:
            row.count, row.since, row.locked_until = 0, now, now + LOCK_FOR
        row.save()


def forgive(door: str, who: str) -> None:
    Tries.objects.filter(key=_key(door, who)).delete()


def forget_old() -> int:
    """Remove what no longer counts; how many there were."""
    return Tries.objects.filter(since__lt=timezone.now() - dt.timedelta(days=1)).delete()[0]


def _key(door: str, who: str) -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), f"tries\0{door}\0{who}".encode(), "sha256")
