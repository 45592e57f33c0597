"""Beginning and ending a suspension. Neither names the patient on the trail, which the patient may read."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from openward.access.actor import Actor
from openward.audit.auditor import note
from openward.fhir.errors import NotFound
from openward.privacy.models import Suspension
from openward.record.connection import connection

ORAL_DAYS = 30


def suspend(*, patient: UUID, agency: str, stated: str, in_writing: bool, since: dt.date, until: dt.date, by: Actor) -> Suspension:
    """What went to `agency` stays out of the patient's accounting to the end of `until`. An oral statement, made on `since`, holds ORAL_DAYS at most."""
    last = until if in_writing else min(until, since + dt.timedelta(days=ORAL_DAYS))
    facts = {"agency": agency, "stated": stated, "in_writing": in_writing, "since": since, "until": last}
    with transaction.atomic():
        made = Suspension.objects.create(tenant=by.tenant, patient=patient, made_by=by.name, **facts)
        note(connection(), by, "suspend-accounting", detail=f"suspension {made.id}")
    return made


def resume(*, suspension: UUID, by: Actor) -> None:
    """It ends now. Raises NotFound when there is none that was not ended before."""
    with transaction.atomic():
        found = Suspension.objects.filter(tenant=by.tenant, pk=suspension, ended_at__isnull=True)
        if not found.update(ended_at=timezone.now(), ended_by=by.name):
            raise NotFound(type="Suspension", id=str(suspension))
        note(connection(), by, "resume-accounting", detail=f"suspension {suspension}")


def kept_from_the_patient(tenant: int, patient: UUID, today: dt.date) -> frozenset[str]:
    """No disclosure shows among who opened the record while one is suspended: the patient would ask to whom."""
    return frozenset({"disclosure"}) if standing(tenant, patient, today) else frozenset()


def standing(tenant: int, patient: UUID, today: dt.date) -> list[Suspension]:
    """Those that hold today, the first to end first."""
    found = Suspension.objects.filter(tenant=tenant, patient=patient, ended_at__isnull=True, until__gte=today)
    return list(found.order_by("until", "agency"))
