"""What a claim that was sent does to the books, and what of it stands in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db.models import F, Sum
from django.utils import timezone

from openward.billing import facts, ledger
from openward.billing.models import ClaimRow, LedgerEntry, LedgerTransaction
from openward.billing.queries.balances import claim_balances
from openward.fhir.resources import Claim
from openward.record import UnitOfWork

DECISION = "decision"
DECIDED = (ledger.PATIENT, ledger.WRITE_OFF)
Standing = dict[str, Decimal]


def standing(work: UnitOfWork, claims: Iterable[str]) -> Mapping[str, Standing]:
    """Debits less credits of claims by account, for who will post: nobody else posts to them until this unit of work ends."""
    wanted = sorted(claims)
    list(ClaimRow.objects.select_for_update().filter(tenant=work.tenant, claim__in=wanted).order_by("claim").values_list("claim"))
    entries = LedgerEntry.objects.filter(tenant=work.tenant, claim__in=wanted).values_list("claim", "account")
    found: dict[str, Standing] = {claim: defaultdict(lambda: ledger.ZERO) for claim in wanted}
    for claim, account, total in entries.annotate(total=Sum(F("debit") - F("credit"))):
        found[claim][account] = total
    return found


def charge(work: UnitOfWork, claim: Claim, source: str) -> None:
    """The payer owes the whole claim. Of a claim sent before, only what changed; what was refused is open again, also where a person had decided
    who bears it. `source` names this sending."""
    id, patient, payer = str(claim.id), facts.target(claim.patient), facts.target(claim.insurer)
    before = claim_balances(work.tenant, id)
    undone = decision_taken_back(work.tenant, id, facts.total_of(claim), payer) if before else []
    more = facts.total_of(claim) + before.get(ledger.REVENUE, ledger.ZERO)  # revenue stands on the credit side: negative
    refused = before.get(ledger.DENIED, ledger.ZERO) + sum((line.debit for line in undone), ledger.ZERO)
    lines = [
        ledger.debit(ledger.INSURANCE, more + refused, patient=patient, claim=id, payer=payer),
        ledger.credit(ledger.REVENUE, more, patient=patient, claim=id, payer=payer),
        ledger.credit(ledger.DENIED, refused, patient=patient, claim=id, payer=payer),
    ]
    words, on = f"Claim {facts.number_of(claim)} sent", facts.served_on(claim) or timezone.localdate()
    decision = ledger.Posting(DECISION, ("claim", f"{source}|{DECISION}"), timezone.localdate(), TAKEN_BACK, undone)
    ledger.post_all(work, [decision, ledger.Posting("claim", ("claim", source), on, words, lines)])


TAKEN_BACK = "Decision about a refused amount taken back: the insurance looks at it again"


def decided(tenant: int, claim: str) -> Standing:
    """What people decided about refused amounts of a claim, by where it went: to the patient, or given up."""
    decisions = LedgerTransaction.objects.filter(tenant=tenant, kind=DECISION).values("id")
    entries = LedgerEntry.objects.filter(tenant=tenant, claim=claim, account__in=DECIDED, transaction__in=decisions).values_list("account")
    return dict(entries.annotate(total=Sum(F("debit") - F("credit"))))


def decision_taken_back(tenant: int, claim: str, amount: Decimal, payer: str | None) -> list[ledger.Line]:
    """The entries that bring up to `amount` of what was decided back among what is refused, what the patient bears first."""
    if amount <= 0:
        return []
    row, sums, lines = ClaimRow.objects.get(tenant=tenant, claim=claim), decided(tenant, claim), []
    for account in DECIDED:
        part = min(amount, max(sums.get(account, ledger.ZERO), ledger.ZERO))
        amount -= part
        if part:
            who = {"patient": row.patient, "claim": claim, "payer": payer}
            lines += [ledger.debit(ledger.DENIED, part, **who), ledger.credit(account, part, **who)]
    return lines
