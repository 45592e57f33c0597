"""What a payer's answer to one claim does: to the books, and in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from openward.billing import ledger, transitions
from openward.formats.x12.adjustment_codes import Meaning, meaning
from openward.formats.x12.remittance import DENIED, REVERSAL, ClaimPayment

ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Split:
    """A claim's charge by what becomes of it; amounts are negative when the payer takes an answer back."""

    paid: Decimal
    agreed: Decimal
    share: Decimal
    refused: Decimal
    elsewhere: Decimal


def split(payment: ClaimPayment) -> Split:
    sums = dict.fromkeys(Meaning, ZERO)
    for each in payment.all_adjustments:
        sums[meaning(each.group, each.reason, claim_denied=payment.status == DENIED)] += each.amount
    return Split(payment.paid, sums[Meaning.AGREED], sums[Meaning.SHARE], sums[Meaning.REFUSED], sums[Meaning.ELSEWHERE])


def answered(payment: ClaimPayment) -> Decimal:
    """How much of the charge the answer deals with: all but what another payer did."""
    parts = split(payment)
    return parts.paid + parts.agreed + parts.share + parts.refused


def lines(
    payment: ClaimPayment, *, patient: str | None, claim: str, payer: str | None, open_with_payer: Decimal, received: str = ledger.BANK
) -> list[ledger.Line]:
    """Both sides of the answer. What is refused moves to its own account and waits there for a person: it is never written off by itself.

    What is answered was owed by the payer as far as `open_with_payer` goes; the rest was refused before and is answered anew.
    `received` is where the money is: the bank, or the account of unmatched payments when the claim was found later.
    """
    parts, who = split(payment), {"patient": patient, "claim": claim, "payer": payer}
    refused_before = max(answered(payment) - open_with_payer, ZERO)
    return [
        ledger.debit(received, parts.paid, **who),
        ledger.debit(ledger.AGREED, parts.agreed, **who),
        ledger.debit(ledger.PATIENT, parts.share, **who),
        ledger.debit(ledger.DENIED, parts.refused, **who),
        ledger.credit(ledger.INSURANCE, answered(payment) - refused_before, **who),
        ledger.credit(ledger.DENIED, refused_before, **who),
    ]


def open_already(amount: Decimal, *, patient: str | None, claim: str, payer: str | None) -> list[ledger.Line]:
    """Of an answer taken back, what it refused and a corrected claim has asked for again meanwhile: the payer does not owe it twice."""
    if amount <= 0:
        return []
    return [
        ledger.debit(ledger.DENIED, amount, patient=patient, claim=claim, payer=payer),
        ledger.credit(ledger.INSURANCE, amount, patient=patient, claim=claim, payer=payer),
    ]


def mirrored(entries: list[ledger.Line]) -> list[ledger.Line]:
    """The same entries with their sides exchanged: what takes them back."""
    return [ledger.Line(line.account, line.credit, line.debit, line.patient, line.claim, line.payer) for line in entries]


def state_after(payment: ClaimPayment) -> str:
    """Where the claim stands after this answer."""
    if payment.status == REVERSAL:
        return transitions.SUBMITTED
    parts = split(payment)
    settled = parts.paid or parts.share or parts.elsewhere
    return transitions.DENIED if payment.status == DENIED or (parts.refused > 0 and not settled) else transitions.PAID
