"""What an invented payer answers to a claim: pays most, lowers by contract, leaves a share to the patient, refuses some. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from openward.demo.content.services import Payer
from openward.demo.generation.chance import Chance
from openward.formats.x12.remittance import Adjustment, ClaimPayment, Remittance, ServicePayment

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
REFUSALS = ("11", "16", "29", "197", "204")
DENIED, PROCESSED = "4", "1"


@dataclass(frozen=True, slots=True)
class SentLine:
    """A line of a claim as it was sent."""

    number: int
    code: str
    charge: Decimal
    units: Decimal


@dataclass(frozen=True, slots=True)
class SentClaim:
    """A claim as it was sent: ours by `id`, the payer's by `number`."""

    id: str
    number: str
    patient: str
    payer: Payer
    served_on: dt.date
    lines: tuple[SentLine, ...]
    member: tuple[str, str, str]

    @property
    def total(self) -> Decimal:
        return sum((line.charge for line in self.lines), ZERO)


def answer(claim: SentClaim, seed: int) -> ClaimPayment:
    """One in thirteen is refused whole, one in twenty has a refused line; a deductible is due in the first weeks of the year."""
    chance = Chance(seed, "answer", claim.patient, claim.served_on, str(claim.total))
    refused = chance.choice(REFUSALS) if chance.happens(0.075) else None
    copay = claim.payer.copay
    services = []
    for line in claim.lines:
        services.append(_refused(line, claim, refused) if refused else _processed(chance, line, claim, copay))
        copay = ZERO
    paid = sum((service.paid for service in services), ZERO)
    share = sum((each.amount for service in services for each in service.adjustments if each.group == "PR"), ZERO)
    family, given, member = claim.member
    return ClaimPayment(
        claim=claim.number,
        status=DENIED if refused else PROCESSED,
        charge=claim.total,
        paid=paid,
        patient_share=share,
        filing="CI",
        payer_control=f"{claim.payer.payer_id}{chance.randrange(10**8, 10**9)}",
        patient_family=family,
        patient_given=given,
        patient_id=member,
        start=claim.served_on,
        services=tuple(services),
    )


def _refused(line: SentLine, claim: SentClaim, reason: str) -> ServicePayment:
    return _service(line, claim, ZERO, ZERO, (Adjustment("CO", reason, line.charge),))


def _processed(chance: Chance, line: SentLine, claim: SentClaim, copay: Decimal) -> ServicePayment:
    if line.number > 1 and chance.happens(0.05):
        return _refused(line, claim, "97")
    allowed = _cents(line.charge * claim.payer.allows)
    adjustments = [Adjustment("CO", "45", line.charge - allowed)] if allowed < line.charge else []
    owed: list[Adjustment] = []
    if claim.served_on.month == 1 and claim.payer.patient_pays and chance.happens(0.6):
        owed.append(Adjustment("PR", "1", min(allowed, Decimal("150.00"))))
    elif copay:
        owed.append(Adjustment("PR", "3", min(copay, allowed)))
    elif claim.payer.patient_pays:
        owed.append(Adjustment("PR", "2", _cents(allowed * claim.payer.patient_pays)))
    share = sum((each.amount for each in owed), ZERO)
    return _service(line, claim, allowed - share, allowed, (*adjustments, *(each for each in owed if each.amount)))


def _service(line: SentLine, claim: SentClaim, paid: Decimal, allowed: Decimal, adjustments: tuple[Adjustment, ...]) -> ServicePayment:
    return ServicePayment(
        code=line.code, modifiers=(), charge=line.charge, paid=paid, units=line.units, date=claim.served_on, control=str(line.number),
        allowed=allowed, adjustments=adjustments,
    )  # fmt: skip


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def remittance(payer: Payer, on: dt.date, claims: Sequence[SentClaim], practice: tuple[str, str], seed: int, trace: str) -> Remittance:
    """One payment of a payer for several claims. `practice` is (name, NPI)."""
    answers = tuple(answer(claim, seed) for claim in claims)
    return Remittance(
        amount=sum((each.paid for each in answers), ZERO),
        method="ACH",
        date=on,
        trace=trace,
        payer_id=payer.payer_id,
        payer_name=payer.name,
        payee_name=practice[0],
        payee_id=practice[1],
        control="1",
        claims=answers,
    )
