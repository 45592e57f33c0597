"""Sums over the trail: whom a suspect account touched, and what was done with one patient's record day by day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from openward.audit.queries import Period
from openward.fhir.definitions import type_name

TOUCHED = """
select patient, min(at) as first, max(at) as last, count(*) as times, array_remove(array_agg(distinct rtype), null) as rtypes from (
  select unnest(coalesce(e.patients, array[e.patient])) as patient, e.at, e.rtype from audit.entry e
  where e.tenant = %(tenant)s and e.at >= %(since)s and e.at < %(until)s and e.outcome = 0 and (e.patient is not null or e.patients is not null)
  and case when %(actor)s::text is not null then e.agent in (select id from audit.agent where tenant = %(tenant)s and actor = %(actor)s)
    else e.agent not in (select id from audit.agent where tenant = %(tenant)s and (actor like 'system:%%' or actor_role in ('patient', 'proxy'))) end) t
group by patient order by last desc
"""
DAYS = """
select (e.at at time zone %(zone)s)::date as day, a.actor, a.actor_name as name, a.actor_role as role, e.interaction, e.rtype, min(e.at) as first, count(*) as times
from audit.entry e left join audit.agent a on (a.tenant, a.id) = (e.tenant, e.agent)
where e.tenant = %(tenant)s and (e.patient = %(patient)s or (e.patients is not null and e.patients @> array[%(patient)s::uuid]))
  and e.at >= %(since)s and e.at < %(until)s and e.outcome = 0
group by 1, 2, 3, 4, 5, 6 order by 1 desc, first desc
"""
DISCLOSURES = """
select e.at, a.actor, a.actor_name as name, e.interaction, e.rtype, e.detail, a.purpose
from audit.entry e left join audit.agent a on (a.tenant, a.id) = (e.tenant, e.agent)
where e.tenant = %(tenant)s and (e.patient = %(patient)s or (e.patients is not null and e.patients @> array[%(patient)s::uuid]))
  and e.at >= %(since)s and e.at < %(until)s and e.outcome = 0 and e.interaction = 'disclosure'
order by e.at limit %(most)s
"""
PROGRAMS = """
select (e.at at time zone %(zone)s)::date as day, a.actor_name as name, a.purpose, array_remove(array_agg(distinct e.rtype), null) as rtypes, count(*) as times
from audit.entry e join audit.agent a on (a.tenant, a.id) = (e.tenant, e.agent)
where e.tenant = %(tenant)s and (e.patient = %(patient)s or (e.patients is not null and e.patients @> array[%(patient)s::uuid]))
  and e.at >= %(since)s and e.at < %(until)s and e.outcome = 0 and a.actor like 'client:%%' and e.interaction in ('read', 'vread', 'search', 'history', 'export')
group by 1, 2, 3 order by 1, 2 limit %(most)s
"""


@dataclass(frozen=True)
class Touched:
    patient: UUID
    first: dt.datetime
    last: dt.datetime
    times: int
    rtypes: Sequence[int]

    @property
    def types(self) -> list[str]:
        return sorted(type_name(rtype) for rtype in self.rtypes)


@dataclass(frozen=True)
class Deed:
    """What one person did with the record on one day, in one way; `times` as often."""

    day: dt.date
    actor: str
    name: str
    role: str | None
    interaction: str
    rtype: int | None
    first: dt.datetime
    times: int


@dataclass(frozen=True)
class Told:
    """One disclosure that someone recorded; `detail` is to whom, what and why."""

    at: dt.datetime
    actor: str
    name: str
    interaction: str
    rtype: int | None
    detail: str | None
    purpose: str


@dataclass(frozen=True)
class Taken:
    """What a program took on one day."""

    day: dt.date
    name: str
    purpose: str
    rtypes: Sequence[int]
    times: int

    @property
    def types(self) -> list[str]:
        return sorted(type_name(rtype) for rtype in self.rtypes)


KEPT_FROM_PATIENTS: list[Callable[[int, UUID, dt.date], frozenset[str]]] = []
"""What a room keeps from the patient for a time: interactions, by tenant, patient and the day it is asked on."""


def deeds_for_the_patient(wire: psycopg.Connection[Any], tenant: int, patient: UUID, period: Period, zone: str, today: dt.date) -> list[Deed]:
    """The `deeds` of which the patient may be told today."""
    kept = frozenset().union(*(kept_by(tenant, patient, today) for kept_by in KEPT_FROM_PATIENTS))
    return [deed for deed in deeds(wire, tenant, patient, period, zone) if deed.interaction not in kept]


def patients_touched(wire: psycopg.Connection[Any], tenant: int, actor: str | None, period: Period) -> list[Touched]:
    """By one actor, whoever that is, or by all staff and programs: then not by patients themselves and not by the house's own work."""
    params = {"tenant": tenant, "actor": actor, "since": period.since, "until": period.until}
    return psycopg.Cursor(wire, row_factory=class_row(Touched)).execute(TOUCHED, params).fetchall()


def deeds(wire: psycopg.Connection[Any], tenant: int, patient: UUID, period: Period, zone: str) -> list[Deed]:
    """Days in the time zone named, the latest first."""
    params = {"tenant": tenant, "patient": patient, "zone": zone, "since": period.since, "until": period.until}
    return psycopg.Cursor(wire, row_factory=class_row(Deed)).execute(DAYS, params).fetchall()


def disclosures(wire: psycopg.Connection[Any], tenant: int, patient: UUID, period: Period, zone: str, most: int) -> tuple[list[Told], list[Taken]]:
    """What people recorded as disclosed, and what programs took; the earliest first, at most `most` of each."""
    params = {"tenant": tenant, "patient": patient, "zone": zone, "since": period.since, "until": period.until, "most": most}
    told = psycopg.Cursor(wire, row_factory=class_row(Told)).execute(DISCLOSURES, params).fetchall()
    return told, psycopg.Cursor(wire, row_factory=class_row(Taken)).execute(PROGRAMS, params).fetchall()
