"""What every process knows of the policy's tables for a moment: read anew as soon as any process has changed them.

A sequence counts the changes. A page asks it once; a client program's request, and work in the house's own name, trust what is at most two seconds old.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import InterfaceError, OperationalError
from django.db import connection as django_connection
from django.utils import timezone
from psycopg import Cursor
from psycopg.rows import tuple_row

from openward.fhir.failures import Unavailable

if TYPE_CHECKING:
    from openward.access.actor import Actor
    from openward.access.roles import Role

TRUST_FOR_SECONDS = 2.0
HEARD_FOR_SECONDS = 0.5
KEEP_FOR_SECONDS = 30.0  # a bound for what no change is told of: where a practitioner works, the end of a process between commit and telling
AT_MOST = 2_000
CHANGES = "select last_value from access_changes"

_thread = threading.local()
_houses: dict[int, tuple[int, float, House]] = {}
_kept: dict[Any, tuple[int, float, Any]] = {}


@dataclass(frozen=True, slots=True)
class Assigned:
    """A custom role a person has; `facility` is a Location's reference or empty; `until` is aware."""

    role: Role
    facility: str
    since: dt.datetime
    until: dt.datetime | None

    @property
    def holds(self) -> bool:
        now = timezone.now()
        return self.since <= now and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class House:
    """What is the same for every actor of a tenant: which labels any resource of a type has, who has which custom role, which there are."""

    used: Mapping[int, frozenset[str]]
    assigned: Mapping[str, Assigned]
    roles: Mapping[str, Role]


def rows(sql: str, params: Sequence[Any] | Mapping[str, Any]) -> list[Any]:
    """One question to the database of this thread. Raises Unavailable when it cannot be asked."""
    try:
        if not django_connection.in_atomic_block:
            django_connection.close_if_unusable_or_obsolete()
        with django_connection.cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall())
    except (OperationalError, InterfaceError) as error:
        raise Unavailable from error


def first(sql: str, params: Sequence[Any]) -> tuple[Any, ...] | None:
    """The first row of a question that every page asks: its plan is kept on this thread's connection. Raises Unavailable."""
    wire = django_connection.connection
    if wire is not None and not wire.closed:
        try:
            return Cursor(wire, row_factory=tuple_row).execute(sql, params, prepare=True).fetchone()
        except psycopg.OperationalError:
            if django_connection.in_atomic_block:
                raise Unavailable from None
    return next(iter(rows(sql, params)), None)  # it is not open yet, or broke since it was last used


def as_json(value: Any) -> Any:
    """A jsonb column of `rows`, which Django's connection gives as text."""
    return json.loads(value) if isinstance(value, str) else value


def changed() -> None:
    """Say to every process that the policy's tables have changed. To be called after the commit."""
    forget()
    rows("select nextval('access_changes')", [])


def forget() -> None:
    """What this process has kept is read anew."""
    _houses.clear()
    _kept.clear()
    _thread.__dict__.clear()


@contextmanager
def changing() -> Iterator[None]:
    """Around a change of the policy's tables, in its transaction: it holds in this process at once and everywhere from the commit."""
    from django.db import transaction

    yield
    forget()
    transaction.on_commit(changed)


def heard(number: int) -> None:
    """How many changes there have been, read for the request that begins on this thread: it need not ask."""
    _thread.number, _thread.heard_at = number, time.monotonic()


def changes(actor: Actor) -> int:
    """How many changes there have been; a request asks once, unless its session has told."""
    now = time.monotonic()
    if actor.kind in ("client", "system") and getattr(_thread, "asked_at", 0.0) + TRUST_FOR_SECONDS > now:
        return int(_thread.number)
    if actor.request_id and getattr(_thread, "request", None) == actor.request_id:
        return int(_thread.number)
    if actor.request_id and now - getattr(_thread, "heard_at", 0.0) < HEARD_FOR_SECONDS:
        _thread.request, _thread.asked_at, _thread.heard_at = actor.request_id, now, 0.0
        return int(_thread.number)
    _thread.number = _number()
    _thread.request, _thread.asked_at = actor.request_id, now
    return int(_thread.number)


def _number() -> int:
    row = first(CHANGES, [])
    return int(row[0]) if row else 0


def house(actor: Actor) -> House:
    number, now = changes(actor), time.monotonic()
    known = _houses.get(actor.tenant)
    if known and known[0] == number and known[1] > now:
        return known[2]
    found = _read(actor.tenant)
    _houses[actor.tenant] = (number, now + KEEP_FOR_SECONDS, found)
    return found


def kept(actor: Actor, key: Any) -> Any:
    """What was kept for the actor under `key`, if nothing has changed since; else None."""
    known = _kept.get(key)
    return known[2] if known and known[1] > time.monotonic() and known[0] == changes(actor) else None


def keep(actor: Actor, key: Any, value: Any, *, seconds: float = KEEP_FOR_SECONDS) -> None:
    if len(_kept) >= AT_MOST:
        _kept.clear()
    _kept[key] = (changes(actor), time.monotonic() + min(seconds, KEEP_FOR_SECONDS), value)


def _read(tenant: int) -> House:
    from openward.access.models import Assignment, CustomRole, LabelInUse
    from openward.access.roles import of_row

    used: dict[int, set[str]] = {}
    for rtype, label in LabelInUse.objects.filter(tenant=tenant).values_list("rtype", "label"):
        used.setdefault(rtype, set()).add(label)
    roles = {row.key: of_row(row) for row in CustomRole.objects.filter(tenant=tenant)}
    assigned = {
        str(row.user_id): Assigned(roles[row.role.key], row.facility, row.since, row.until)
        for row in Assignment.objects.filter(tenant=tenant).select_related("role")
    }
    return House({rtype: frozenset(labels) for rtype, labels in used.items()}, assigned, roles)
