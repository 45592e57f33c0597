"""Reading the trail: who opened this record, what did this person see, what was refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet

from openward.audit.models import AuditEvent

PAGE = 100


@dataclass(frozen=True)
class Opening:
    """One person's dealings with one record in the period."""

    actor: str
    name: str
    role: str | None
    first: dt.datetime
    last: dt.datetime
    times: int


@dataclass(frozen=True)
class Period:
    """From the start of `since` up to, not including, `until`; both aware."""

    since: dt.datetime
    until: dt.datetime


def of_patient(tenant: int, patient: UUID, period: Period) -> QuerySet[AuditEvent]:
    return _within(tenant, period).filter(Q(patient=patient) | Q(patients__contains=[patient]))


def of_actor(tenant: int, actor: str, period: Period) -> QuerySet[AuditEvent]:
    return _within(tenant, period).filter(actor=actor)


def refused(tenant: int, period: Period) -> QuerySet[AuditEvent]:
    """What was tried and not allowed: doors, records, sign-ins."""
    return _within(tenant, period).filter(outcome__gt=0)


def openings(events: QuerySet[AuditEvent]) -> Sequence[Opening]:
    """Who, how often, first and last; the most recent first."""
    found = events.values("actor", "actor_name", "actor_role").annotate(first=Min("at"), last=Max("at"), times=Count("id")).order_by("-last")
    return [Opening(row["actor"], row["actor_name"], row["actor_role"], row["first"], row["last"], row["times"]) for row in found]


def newest(events: QuerySet[AuditEvent], before: dt.datetime | None = None) -> Sequence[AuditEvent]:
    """One page, newest first; the next page begins before the last one's time."""
    return list((events.filter(at__lt=before) if before else events).order_by("-at")[:PAGE])


def _within(tenant: int, period: Period) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(tenant=tenant, at__gte=period.since, at__lt=period.until)
