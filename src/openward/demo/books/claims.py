"""The claims of the last days, made as the practice makes them. Those of the history are in the books by the billing room's guard."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

from django.db import connection

from openward.access.actor import Actor
from openward.billing import jobs
from openward.billing.actions.claims import propose_charges
from openward.billing.actions.decisions import bill_patient
from openward.billing.actions.submission import submit
from openward.billing.errors import NothingToBill
from openward.billing.models import ClaimRow, Submission, VisitToBill
from openward.demo.generation.clinic import Clinic

RECENT = dt.timedelta(days=30)


def claim_recent_visits(actor: Actor, clinic: Clinic) -> None:
    """Bill the signed visits of the last weeks that have no claim yet: today's, and those whose insurance lacks something.

    Half of the claims that are ready are sent; the rest stay ready, or draft with faults.
    """
    waiting = VisitToBill.objects.filter(tenant=actor.tenant, served_on__gte=clinic.moment.today - RECENT, reason="queued")
    for visit in list(waiting.order_by("served_on", "visit").values_list("visit", flat=True)):
        jobs.bill_visit(tenant=actor.tenant, visit=visit)
    _forget_queued_billing()
    ready = ClaimRow.objects.filter(tenant=actor.tenant, state="ready").order_by("served_on", "number")
    if ready and not Submission.objects.filter(tenant=actor.tenant).exists():
        submit(claims=[row.claim for row in ready[: len(ready) // 2 + 1]], by=actor)


def bill_the_uninsured(actor: Actor, clinic: Clinic) -> None:
    """Visits without insurance were billed to the patient after a month; those of the last weeks wait for the biller."""
    old = VisitToBill.objects.filter(tenant=actor.tenant, served_on__lt=clinic.moment.today - RECENT)
    for visit in list(old.order_by("served_on", "visit").values_list("visit", flat=True)):
        propose_charges(visit=visit, by=actor)
        with suppress(NothingToBill):
            bill_patient(visit=visit, by=actor)


def _forget_queued_billing() -> None:
    """Signing the history's notes queued a billing job each; what they would do is done."""
    with connection.cursor() as cursor:
        cursor.execute("delete from procrastinate_jobs where task_name = %s and status = 'todo'", [jobs.bill_visit.name])


def date_submissions(actor: Actor, clinic: Clinic) -> None:
    """The worklist counts days since a claim was sent; those of the history were sent two days after the visit."""
    with connection.cursor() as cursor:
        cursor.execute(_SENT_TWO_DAYS_LATER, [actor.tenant])


_SENT_TWO_DAYS_LATER = """
update billing_claim set submitted_at = least(now(), (served_on + 2) + time '17:00') where tenant = %s and state in ('submitted', 'accepted')
"""
