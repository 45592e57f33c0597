"""Held time, behind one small interface: hold, release, who has it, what is busy.

The exclusion constraint decides, not a query: two transactions that both saw a time free cannot both commit. `on conflict do nothing`
keeps the loser's transaction alive, so that it can still say who has the time and offer others.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection

from openward.scheduling.freetime import Interval

HOLD = """
insert into scheduling_booking (tenant, id, appointment, who, kind, during, held_by)
values (%(tenant)s, %(id)s, %(appointment)s, %(who)s, %(kind)s, tstzrange(%(start)s, %(end)s), %(held_by)s)
on conflict on constraint booking_one_at_a_time do nothing returning id
"""
HELD = """
select who, lower(during), upper(during), held_by, held_at from scheduling_booking
where int4range(tenant, tenant, '[]') && int4range(%(tenant)s, %(tenant)s, '[]')
  and scheduling_who(who, who, '[]') && scheduling_who(%(who)s, %(who)s, '[]') and during && tstzrange(%(start)s, %(end)s)
order by during limit 1
"""
BUSY = """
select who, lower(during), upper(during) from scheduling_booking
where tenant = %(tenant)s and who = any(%(who)s) and lower(during) < %(end)s and upper(during) > %(start)s
"""
RELEASE = "delete from scheduling_booking where tenant = %(tenant)s and appointment = %(appointment)s"
HELD_FOR = """
select who, lower(during), upper(during) from scheduling_booking where tenant = %(tenant)s and appointment = %(appointment)s order by who
"""


@dataclass(frozen=True, slots=True, order=True)
class Holder:
    """Who is held: the key of a Practitioner, Patient or room Location, and which of the three."""

    key: UUID
    kind: str


@dataclass(frozen=True, slots=True)
class Held:
    """A time somebody else holds. `by` is a colleague's name, empty when a patient booked it themselves; times are UTC."""

    who: UUID
    during: Interval
    by: str
    at: dt.datetime


def hold(connection: Connection[Any], *, tenant: int, appointment: UUID, holder: Holder, during: Interval, by: str) -> Held | None:
    """Hold the time; None when it is held now, else who has it. Waits for a competing transaction to end.

    Call for several holders in the order of their keys, as every writer does, so that two of them cannot wait for each other.
    """
    row = {
        "tenant": tenant,
        "id": uuid4(),
        "appointment": appointment,
        "who": holder.key,
        "kind": holder.kind,
        "start": during.start,
        "end": during.end,
        "held_by": by,
    }
    if connection.execute(HOLD, row).fetchone():
        return None
    found = connection.execute(HELD, row).fetchone()
    # The one in the way may have been released between the two statements; then the time is free and the next try gets it.
    return _held(found) if found else hold(connection, tenant=tenant, appointment=appointment, holder=holder, during=during, by=by)


def release(connection: Connection[Any], *, tenant: int, appointment: UUID) -> None:
    connection.execute(RELEASE, {"tenant": tenant, "appointment": appointment})


def held_for(connection: Connection[Any], *, tenant: int, appointment: UUID) -> list[tuple[UUID, Interval]]:
    """What an appointment holds now, in the order of the keys."""
    rows = connection.execute(HELD_FOR, {"tenant": tenant, "appointment": appointment}).fetchall()
    return [(row[0], Interval(row[1], row[2])) for row in rows]


def busy(connection: Connection[Any], *, tenant: int, who: Iterable[UUID], during: Interval) -> Mapping[UUID, Sequence[Interval]]:
    """The held times of several people and rooms within a span: times only, so anyone who may book may ask."""
    rows = connection.execute(BUSY, {"tenant": tenant, "who": list(who), "start": during.start, "end": during.end}).fetchall()
    result: dict[UUID, list[Interval]] = defaultdict(list)
    for key, start, end in rows:
        result[key].append(Interval(start, end))
    return result


def _held(row: Sequence[Any]) -> Held:
    return Held(row[0], Interval(row[1], row[2]), row[3], row[4])
