"""Whose data left in bulk files. The trail has for such a file its type and how many people it was of, and not who they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from openward.audit.queries import Period
from openward.audit.touched import Touched
from openward.fhir.definitions import type_name

TAKEN = """
select e.rtype, min(e.at) as first, max(e.at) as last, count(*) as times, max(substring(e.detail from ' of ([0-9]{1,9}) patients$')::int) as people
from audit.entry e join audit.agent a on (a.tenant, a.id) = (e.tenant, e.agent)
where e.tenant = %(tenant)s and e.at >= %(since)s and e.at < %(until)s and e.outcome = 0 and e.interaction = 'export' and e.rtype is not null
  and e.patient is null and e.patients is null and e.detail ~ '^file [0-9]+ taken: ' and (%(actor)s::text is null or a.actor = %(actor)s)
group by e.rtype order by e.rtype
"""
PEOPLE = (
    "select distinct patient from fhir.body where tenant = %(tenant)s and rtype = %(rtype)s and ts <= %(last)s and op <> 'D' and patient is not null"
)
OF_ONE = """
select (e.at at time zone %(zone)s)::date as day, a.actor_name as name, a.purpose, e.rtype,
  max(substring(e.detail from ' of ([0-9]{1,9}) patients$')::int) as people,
  (select count(distinct b.patient) from fhir.body b where b.tenant = %(tenant)s and b.rtype = e.rtype and b.ts <= max(e.at) and b.op <> 'D') as everyone
from audit.entry e join audit.agent a on (a.tenant, a.id) = (e.tenant, e.agent)
where e.tenant = %(tenant)s and e.at >= %(since)s and e.at < %(until)s and e.outcome = 0 and e.interaction = 'export' and e.rtype is not null
  and e.patient is null and e.patients is null and e.detail ~ '^file [0-9]+ taken: '
  and exists (select from fhir.body b where b.tenant = %(tenant)s and b.rtype = e.rtype and b.patient = %(patient)s and b.ts <= e.at and b.op <> 'D')
group by 1, 2, 3, e.rtype order by 1, 2 limit %(most)s
"""


@dataclass(frozen=True)
class Left:
    """What of one person's record left on one day in files of one type. When a file was of fewer than `everyone` with such data, they were perhaps not in it."""

    day: dt.date
    name: str
    purpose: str
    rtype: int
    people: int
    everyone: int

    @property
    def type(self) -> str:
        return type_name(self.rtype)

    @property
    def is_certain(self) -> bool:
        return self.people >= self.everyone


@dataclass(frozen=True)
class Taken:
    """Files of one type that were taken. `people`: how many the largest was of."""

    rtype: int
    first: dt.datetime
    last: dt.datetime
    times: int
    people: int

    @property
    def type(self) -> str:
        return type_name(self.rtype)


@dataclass(frozen=True)
class Exported:
    """The people and, of `taken`, the types of which a file was of fewer than had such data: then some of these were perhaps not in it."""

    people: list[Touched]
    too_wide: list[Taken]


def exported(wire: psycopg.Connection[Any], tenant: int, actor: str | None, period: Period) -> Exported:
    """Everyone who had data of the type when the last file was taken: who is not known to be left out is presumed to be in, 45 CFR 164.402(2)."""
    asked = {"tenant": tenant, "actor": actor, "since": period.since, "until": period.until}
    people: list[Touched] = []
    too_wide = []
    for taken in psycopg.Cursor(wire, row_factory=class_row(Taken)).execute(TAKEN, asked).fetchall():
        found = psycopg.Cursor(wire).execute(PEOPLE, {"tenant": tenant, "rtype": taken.rtype, "last": taken.last}).fetchall()
        people += [Touched(row[0], taken.first, taken.last, taken.times, [taken.rtype]) for row in found]
        too_wide += [taken] if len(found) > taken.people else []
    return Exported(people, too_wide)


def left_of(wire: psycopg.Connection[Any], tenant: int, patient: UUID, period: Period, zone: str, most: int) -> list[Left]:
    """The earliest first, at most `most`; days in the time zone named."""
    asked = {"tenant": tenant, "patient": patient, "since": period.since, "until": period.until, "zone": zone, "most": most}
    return psycopg.Cursor(wire, row_factory=class_row(Left)).execute(OF_ONE, asked).fetchall()


def together(found: Iterable[Touched]) -> Sequence[Touched]:
    """One for each person, the latest touched first."""
    people: dict[UUID, Touched] = {}
    for one in found:
        known = people.get(one.patient)
        if known is None:
            people[one.patient] = one
            continue
        types = sorted({*known.rtypes, *one.rtypes})
        people[one.patient] = Touched(one.patient, min(known.first, one.first), max(known.last, one.last), known.times + one.times, types)
    return sorted(people.values(), key=lambda one: one.last, reverse=True)
