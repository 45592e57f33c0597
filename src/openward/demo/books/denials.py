"""What payers refused long ago was decided: given up, or billed to the patient. The refusals of the last two months are left to be worked."""

from __future__ import annotations

import datetime as dt

from django.db.models import Sum

from openward.access.actor import Actor
from openward.billing import ledger
from openward.billing.actions.decisions import settle_denial
from openward.billing.models import ClaimRow, LedgerEntry
from openward.demo.generation.chance import Chance
from openward.demo.generation.clinic import Clinic

WORKED_AFTER = dt.timedelta(days=60)
WORKED = 0.9
GIVEN_UP = 0.8


def work_old_denials(actor: Actor, clinic: Clinic) -> None:
    """Nine in ten old refusals were decided on; the others are forgotten, as in life."""
    refused = LedgerEntry.objects.filter(tenant=actor.tenant, account=ledger.DENIED, claim__isnull=False).values_list("claim")
    open_ones = {claim for claim, left in refused.annotate(left=Sum("debit") - Sum("credit")) if left > 0}
    old = ClaimRow.objects.filter(tenant=actor.tenant, claim__in=open_ones, served_on__lt=clinic.moment.today - WORKED_AFTER)
    for row in old.order_by("number"):
        chance = Chance(clinic.seed, "denial", row.claim)
        if chance.happens(WORKED):
            given_up = chance.happens(GIVEN_UP)
            why = "Too late to appeal" if given_up else "Not a benefit of the plan"
            settle_denial(claim=row.claim, who="write-off" if given_up else "patient", why=why, by=actor, key="history")
