"""Who cares for whom: kept beside what says so, so that a question asks one small index.

An encounter, an appointment, a care team and a patient's own practitioner tie a patient to practitioners, organizations and places.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from openward.fhir.ids import key

HOLDERS = frozenset({"Practitioner", "Organization", "Location"})
LASTS = dt.timedelta(days=730)
"""How long an encounter or an appointment stands for a relation of care after it ended."""

TIE = """insert into access_tie (tenant, holder, patient, until) select %(tenant)s, h, %(patient)s, %(until)s from unnest(%(holders)s::uuid[]) h
  on conflict (tenant, holder, patient) do update set until = case when access_tie.until is null or excluded.until is null then null
    else greatest(access_tie.until, excluded.until) end"""


def holders(resource: Mapping[str, Any]) -> list[UUID]:
    """Whom the resource names as caring for its patient, each once."""
    found: dict[UUID, None] = {}
    for reference in _named(resource):
        type, _, id = reference.partition("/")
        if type in HOLDERS and id:
            found[key(type, id.partition("/")[0])] = None
    return sorted(found)


def _named(resource: Mapping[str, Any]) -> Iterator[str]:
    for place in _places(resource):
        reference = (place or {}).get("reference")
        if isinstance(reference, str):
            yield reference


def _places(resource: Mapping[str, Any]) -> Iterator[Any]:
    match resource.get("resourceType"):
        case "Encounter":
            yield from (one.get("individual") for one in resource.get("participant", ()))
            yield from (one.get("location") for one in resource.get("location", ()))
            yield resource.get("serviceProvider")
        case "Appointment":
            yield from (one.get("actor") for one in resource.get("participant", ()))
        case "CareTeam":
            yield from (one.get("member") for one in resource.get("participant", ()))
        case "Patient":
            yield from resource.get("generalPractitioner", ())
            yield resource.get("managingOrganization")


def until(resource: Mapping[str, Any]) -> dt.datetime | None:
    """When the tie ends: two years after an encounter or appointment, with a care team's period; a patient's own practitioner stays."""
    period = resource.get("period") or {}
    match resource.get("resourceType"):
        case "Encounter":
            return _after(period.get("end") or period.get("start"), LASTS)
        case "Appointment":
            return _after(resource.get("end") or resource.get("start"), LASTS)
        case "CareTeam":
            return _after(period.get("end"), dt.timedelta(days=1))
    return None


def _after(moment: str | None, lasts: dt.timedelta) -> dt.datetime | None:
    """The day of the moment, and what it lasts beyond. A partial date counts from its first day; without any the tie has no end."""
    if not moment:
        return None
    year, month, day = (f"{moment[:10]}-01-01").split("-")[:3]
    return dt.datetime(int(year), int(month), int(day), tzinfo=dt.UTC) + lasts
