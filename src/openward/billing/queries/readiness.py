"""Whether a claim may be sent, and what stands against it."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from openward.billing import facts
from openward.billing.models import ClaimRow
from openward.billing.protected import may_be_billed
from openward.billing.queries.claim_file import ClaimFile, claim_file
from openward.billing.scrub import Case, Finding, scrub
from openward.fhir.resources import Claim
from openward.fhir.store import Store
from openward.scheduling.queries.places import facilities


def claims_of_visit(tenant: int, visit: str, *, besides: str | None = None) -> list[ClaimRow]:
    return [row for row in ClaimRow.objects.filter(tenant=tenant, visit=visit).order_by("number") if row.claim != besides]


def findings(store: Store, claim: Claim) -> list[Finding]:
    """The scrub list as of now."""
    return findings_of(store, claim_file(store, claim))


def findings_of(store: Store, file: ClaimFile) -> list[Finding]:
    visit = facts.visit_of(file.claim)
    others = [row.number for row in claims_of_visit(store.tenant, visit, besides=str(file.claim.id))] if visit else []
    return scrub(Case(file, _latest_today(store), others, may_be_billed(store.actor, file.claim)))


def _latest_today(store: Store) -> dt.date:
    """Today by the clock of the facility where the day is furthest on: a visit there this evening is not in the future."""
    now = timezone.now()
    return max((place.today(now) for place in facilities(store)), default=timezone.localdate())
