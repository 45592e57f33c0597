"""The claims of the last days, made as the practice makes them. Those of the history are in the books by the billing room's guard."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db import connection
from django.utils import timezone

from openward.access.actor import Actor
from openward.billing import jobs
from openward.billing.actions.submission import submit
from openward.billing.models import ClaimRow, Submission
from openward.demo.generation.clinic import Clinic
from openward.fhir.resources import Composition
from openward.record import open_store

RECENT = dt.timedelta(days=30)
AT_ONCE = 200


def claim_recent_visits(actor: Actor, clinic: Clinic) -> None:
    """Bill every recent signed visit that has no claim yet, and send half of the claims that are ready; the rest stay ready, or draft with faults."""
    for visit in _unbilled_visits(actor, clinic):
        jobs.bill_visit(tenant=actor.tenant, visit=visit)
    _forget_queued_billing()
    ready = ClaimRow.objects.filter(tenant=actor.tenant, state="ready").order_by("served_on", "number")
    if ready and not Submission.objects.filter(tenant=actor.tenant).exists():
        submit(claims=[row.claim for row in ready[: len(ready) // 2 + 1]], by=actor)


def _unbilled_visits(actor: Actor, clinic: Clinic) -> Iterator[str]:
    """Visits with a signed note of the last weeks and no claim: today's, and those whose insurance lacks something."""
    billed = set(ClaimRow.objects.filter(tenant=actor.tenant).values_list("visit", flat=True))
    since = (clinic.moment.today - RECENT).isoformat()
    notes = _signed(actor, {"status": "final", "date": f"ge{since}", "_sort": "date", "_count": AT_ONCE})
    for note in notes:
        visit = note.encounter.target_id if note.encounter else None
        if visit and visit not in billed:
            yield str(visit)


def _signed(actor: Actor, params: dict[str, object]) -> Iterator[Composition]:
    """Every matching note, page after page."""
    store, cursor = open_store(actor), None
    while True:
        page = store.search(Composition, {**params, **({"_cursor": cursor} if cursor else {})})
        yield from page.resources
        cursor = page.next
        if not cursor:
            return


def _forget_queued_billing() -> None:
    """Signing the history's notes queued a billing job each; what they would do is done."""
    with connection.cursor() as cursor:
        cursor.execute("delete from procrastinate_jobs where task_name = %s and status = 'todo'", [jobs.bill_visit.name])


def date_submissions(actor: Actor, clinic: Clinic) -> None:
    """The worklist counts days since a claim was sent; those of the history were sent two days after the visit."""
    for row in ClaimRow.objects.filter(tenant=actor.tenant, state__in=("submitted", "accepted")):
        if row.served_on is None:
            continue
        sent = timezone.make_aware(dt.datetime.combine(row.served_on + dt.timedelta(days=2), dt.time(17)))
        if row.submitted_at is None or row.submitted_at > sent:
            ClaimRow.objects.filter(tenant=row.tenant, claim=row.claim).update(submitted_at=min(sent, timezone.now()))
