"""How often one may be wrong, and how fast one may ask: by name, whether or not anyone has it, and by address.

Kept in the database, so that every worker counts the same tries. An IPv6 address counts for its network of 64 bits, which whoever has one has whole.
"""

from __future__ import annotations

import datetime as dt
import hmac
import math
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from openward.accounts.models import LOCK_AFTER, LOCK_FOR, Tries

# A clinic's people share one address, so that it is given room; a password guessed at this rate takes centuries.
FROM_ONE_ADDRESS = 50


# One statement, whatever asks at the same moment; it need not outlive a crash, so that nobody waits for the disk.
ASK = """with hurried as materialized (select set_config('synchronous_commit', 'off', true))
insert into accounts_tries as t (key, count, since) select %(key)s, 1, %(now)s from hurried
on conflict (key) do update set count = case when t.since <= %(edge)s then 1 else t.count + 1 end, since = case when t.since <= %(edge)s then %(now)s else t.since end
returning count, since"""


@dataclass(frozen=True, slots=True)
class Pace:
    """At most so many questions within so long, counted from the first."""

    at_most: int
    within: dt.timedelta


class TooFast(Exception):
    """More was asked than the pace allows. `seconds` until it may be asked again; `is_first` for the first question too many, which is worth a note."""

    def __init__(self, seconds: int, *, is_first: bool) -> None:
        super().__init__("too fast")
        self.seconds, self.is_first = seconds, is_first


class TooManyTries(Exception):
    """Too many wrong tries from here. Wait a quarter of an hour."""


def refuse(door: str, who: str | None) -> None:
    """Raises TooManyTries while this name or address is locked out at this door."""
    if who and Tries.objects.filter(key=_key(door, who), locked_until__gt=timezone.now()).exists():
        raise TooManyTries


def count(door: str, who: str | None, *, at_most: int = LOCK_AFTER, within: dt.timedelta = LOCK_FOR) -> bool:
    """One more wrong try. The one that makes `at_most` within `within` locks for a quarter of an hour; whether this was it."""
    if not who:
        return False
    now = timezone.now()
    with transaction.atomic():
        row, _ = Tries.objects.select_for_update().get_or_create(key=_key(door, who), defaults={"since": now})
        if row.since < now - within:
            row.count, row.since = 0, now
        row.count += 1
        locks = row.count >= at_most
        if locks:
            row.count, row.since, row.locked_until = 0, now, now + LOCK_FOR
        row.save()
    return locks


def pace(door: str, who: str, allowed: Pace) -> None:
    """One more question at this door, right or wrong. Not inside a transaction that may be undone. Raises TooFast."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(ASK, {"key": _key(f"pace {door}", who), "now": now, "edge": now - allowed.within})
        count, since = cursor.fetchone()
    if count > allowed.at_most:
        left = (since + allowed.within - now).total_seconds()
        raise TooFast(max(1, math.ceil(left)), is_first=count == allowed.at_most + 1)


def forgive(door: str, who: str) -> None:
    Tries.objects.filter(key=_key(door, who)).delete()


def forget_old() -> int:
    """Remove what no longer counts; how many there were."""
    return Tries.objects.filter(since__lt=timezone.now() - dt.timedelta(days=1)).delete()[0]


def _key(door: str, who: str) -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), f"tries\0{door}\0{_network(who)}".encode(), "sha256")


def _network(who: str) -> str:
    """The first half of an IPv6 address; anything else as it is."""
    if ":" not in who:
        return who
    try:
        found = ip_address(who)
    except ValueError:
        return who
    return str(IPv6Address(int(found) >> 64 << 64)) if isinstance(found, IPv6Address) else who
