"""A remittance advice (835) as values. Every amount is a Decimal of US dollars in whole cents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

ZERO = Decimal("0.00")
DENIED = "4"
REVERSAL = "22"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Why `amount` of the charge was not paid: group CO, PR, OA or PI and a reason code (CARC). Positive lowers the payment."""

    group: str
    reason: str
    amount: Decimal
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ServicePayment:
    """One service line. `control` is the number we gave the line (REF 6R); `allowed` is AMT B6; `remarks` are LQ HE codes."""

    code: str
    modifiers: tuple[str, ...]
    charge: Decimal
    paid: Decimal
    units: Decimal = Decimal(1)
    qualifier: str = "HC"
    date: dt.date | None = None
    control: str = ""
    allowed: Decimal | None = None
    adjustments: tuple[Adjustment, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimPayment:
    """One CLP loop. `claim` is the number we gave the claim; `status` is CLP02 (4 denied, 22 reversal of an earlier payment)."""

    claim: str
    status: str
    charge: Decimal
    paid: Decimal
    patient_share: Decimal | None = None
    filing: str = ""
    payer_control: str = ""
    patient_family: str = ""
    patient_given: str = ""
    patient_id: str = ""
    rendering_npi: str = ""
    start: dt.date | None = None
    end: dt.date | None = None
    adjustments: tuple[Adjustment, ...] = ()
    remarks: tuple[str, ...] = ()
    services: tuple[ServicePayment, ...] = ()

    @property
    def all_adjustments(self) -> tuple[Adjustment, ...]:
        return self.adjustments + tuple(each for service in self.services for each in service.adjustments)

    @property
    def allowed(self) -> Decimal:
        """What the payer accepts as the price: its own figure where it states one for every line, else paid plus patient share."""
        stated = [service.allowed for service in self.services]
        if stated and all(amount is not None for amount in stated):
            return sum((amount for amount in stated if amount is not None), ZERO)
        return self.paid + sum((each.amount for each in self.all_adjustments if each.group == "PR"), ZERO)


@dataclass(frozen=True, slots=True)
class ProviderAdjustment:
    """Money taken (positive) or added (negative) outside any claim: PLB reason code, the payer's reference, amount."""

    provider: str
    fiscal_period: dt.date | None
    reason: str
    reference: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Remittance:
    """One 835. `trace` with `payer_id` names the payment for ever; `amount` is negative when the payer takes money back."""

    amount: Decimal
    method: str
    date: dt.date
    trace: str
    payer_id: str
    payer_name: str
    payee_name: str
    payee_id: str
    control: str
    claims: tuple[ClaimPayment, ...]
    provider_adjustments: tuple[ProviderAdjustment, ...] = ()
    payer_identifiers: Mapping[str, str] = field(default_factory=dict)
    payee_identifiers: Mapping[str, str] = field(default_factory=dict)

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the advice does not balance; empty when it does."""
        return tuple(_problems(self))


def _problems(advice: Remittance) -> list[str]:
    found = [problem for claim in advice.claims for problem in _claim_problems(claim)]
    paid = sum((claim.paid for claim in advice.claims), ZERO)
    taken = sum((each.amount for each in advice.provider_adjustments), ZERO)
    if paid - taken != advice.amount:
        found.append(f"the payment is {advice.amount}, but its claims ({paid}) less provider adjustments ({taken}) come to {paid - taken}")
    return found


def _claim_problems(claim: ClaimPayment) -> list[str]:
    found = []
    for number, service in enumerate(claim.services, 1):
        left = service.charge - _total(service.adjustments)
        if left != service.paid:
            found.append(f"claim {claim.claim}, line {number}: charge less adjustments is {left}, but {service.paid} is paid")
    left = claim.charge - _total(claim.all_adjustments)
    if left != claim.paid:
        found.append(f"claim {claim.claim}: charge less adjustments is {left}, but {claim.paid} is paid")
    return found


def _total(adjustments: tuple[Adjustment, ...]) -> Decimal:
    return sum((each.amount for each in adjustments), ZERO)
