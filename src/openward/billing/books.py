"""What a claim that was sent does to the books."""

from __future__ import annotations

from django.utils import timezone

from openward.billing import facts, ledger
from openward.billing.queries.balances import claim_balances
from openward.fhir.resources import Claim
from openward.record import UnitOfWork


def charge(work: UnitOfWork, claim: Claim, source: str) -> None:
    """The payer owes the whole claim. Of a claim sent before, only what changed; what was refused is open again. `source` names this sending."""
    id, patient, payer = str(claim.id), facts.target(claim.patient), facts.target(claim.insurer)
    before = claim_balances(work.tenant, id)
    more = facts.total_of(claim) + before.get(ledger.REVENUE, ledger.ZERO)  # revenue stands on the credit side: negative
    refused = before.get(ledger.DENIED, ledger.ZERO)
    lines = [
        ledger.debit(ledger.INSURANCE, more + refused, patient=patient, claim=id, payer=payer),
        ledger.credit(ledger.REVENUE, more, patient=patient, claim=id, payer=payer),
        ledger.credit(ledger.DENIED, refused, patient=patient, claim=id, payer=payer),
    ]
    words = f"Claim {facts.number_of(claim)} sent"
    ledger.post(work, ledger.Posting("claim", ("claim", source), facts.served_on(claim) or timezone.localdate(), words, lines))
