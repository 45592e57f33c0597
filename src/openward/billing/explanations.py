"""A payer's answer as FHIR: the ExplanationOfBenefit of one claim, the PaymentReconciliation of the whole payment. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.utils import timezone

from openward.billing import facts
from openward.fhir.resources import (
    Claim,
    ExplanationOfBenefit,
    ExplanationOfBenefitInsurance,
    ExplanationOfBenefitItem,
    ExplanationOfBenefitItemAdjudication,
    ExplanationOfBenefitPayment,
    ExplanationOfBenefitTotal,
    Identifier,
    PaymentReconciliation,
    PaymentReconciliationDetail,
    Reference,
)
from openward.formats.x12.adjustment_codes import reason
from openward.formats.x12.remittance import DENIED, REVERSAL, Adjustment, ClaimPayment, Remittance, ServicePayment

GROUP = "urn:openward:adjustment-group"
CARC = "https://x12.org/codes/claim-adjustment-reason-codes"
Adjudication = ExplanationOfBenefitItemAdjudication


def explanation(claim: Claim, payment: ClaimPayment, advice: Remittance) -> ExplanationOfBenefit:
    """What the payer decided about a claim: per line and in total, each adjustment with its group and reason code."""
    made = ExplanationOfBenefit(
        status="active",
        type=claim.type,
        use="claim",
        patient=claim.patient,
        created=timezone.now(),
        insurer=claim.insurer or Reference(display=advice.payer_name),
        provider=claim.provider,
        claim=Reference.to(claim),
        outcome="complete",
        disposition=_disposition(payment),
        insurance=[ExplanationOfBenefitInsurance(focal=True, coverage=claim.insurance[0].coverage)],
        item=list(_items(claim, payment)),
        adjudication=[_adjustment(each) for each in payment.adjustments],
        total=[_total("submitted", payment.charge), _total("eligible", payment.allowed), _total("benefit", payment.paid)],
        payment=ExplanationOfBenefitPayment(
            amount=facts.usd(payment.paid), date=advice.date, identifier=Identifier(system=facts.TRACE, value=advice.trace)
        ),
    )
    if payment.payer_control:
        made.identifier = [Identifier(system="urn:openward:payer-claim", value=payment.payer_control)]
    return made


def _disposition(payment: ClaimPayment) -> str:
    words = {DENIED: "Denied", REVERSAL: "Earlier answer taken back"}
    return words.get(payment.status, "Processed")


def _items(claim: Claim, payment: ClaimPayment) -> Iterator[ExplanationOfBenefitItem]:
    """An item has the number of the claim's line it answers; the payer's lines that are none of ours are numbered after them."""
    taken = {item.sequence for item in claim.item}
    free = set(taken)
    for service in payment.services:
        line = line_of(claim, service)
        number = line.sequence if line and line.sequence in free else max(taken, default=0) + 1
        free.discard(number)
        taken.add(number)
        yield _item(number, line, service)


def _item(number: int, line: Any, service: ServicePayment) -> ExplanationOfBenefitItem:
    item = ExplanationOfBenefitItem(
        sequence=number,
        productOrService=line.productOrService if line else facts.concept(facts.HCPCS, service.code),
        net=facts.usd(service.charge),
        adjudication=[
            _amount("submitted", service.charge),
            *([_amount("eligible", service.allowed)] if service.allowed is not None else []),
            _amount("benefit", service.paid),
            *(_adjustment(each) for each in service.adjustments),
        ],
    )
    if service.date:
        item.servicedDate = service.date
    return item


def line_of(claim: Claim, service: ServicePayment) -> Any:
    """The claim's line a payer's line is about: by the number we gave it, else by code and charge."""
    for item in claim.item:
        if service.control and str(item.sequence) == service.control and facts.code_of(item.productOrService) == service.code:
            return item
    same = [item for item in claim.item if facts.code_of(item.productOrService) == service.code and facts.value(item.net) == abs(service.charge)]
    return same[0] if len(same) == 1 else None


def _amount(category: str, amount: Decimal) -> Adjudication:
    return Adjudication(category=facts.concept(facts.ADJUDICATION, category), amount=facts.usd(amount))


def _adjustment(each: Adjustment) -> Adjudication:
    return Adjudication(
        category=facts.concept(GROUP, each.group), reason=facts.concept(CARC, each.reason, reason(each.reason).words), amount=facts.usd(each.amount)
    )


def _total(category: str, amount: Decimal) -> ExplanationOfBenefitTotal:
    return ExplanationOfBenefitTotal(category=facts.concept(facts.ADJUDICATION, category), amount=facts.usd(amount))


def adjustments_of(made: ExplanationOfBenefit) -> list[Adjustment]:
    """The adjustments an explanation carries, of the claim and of its lines."""
    return list(_adjustments([*made.adjudication, *(each for item in made.item for each in item.adjudication)]))


def _adjustments(entries: Iterable[Any]) -> Iterable[Adjustment]:
    for entry in entries:
        if group := facts.coding_of(entry.category, GROUP):
            yield Adjustment(group, facts.code_of(entry.reason), facts.value(entry.amount))


def reconciliation(
    advice: Remittance, payer: Reference | None, answered: Sequence[tuple[Claim, ExplanationOfBenefit, ClaimPayment]]
) -> PaymentReconciliation:
    """The payment as a whole, with the claims that were found."""
    kind = facts.concept(facts.PAYMENT_TYPE, "payment")
    return PaymentReconciliation(
        status="active",
        created=timezone.now(),
        outcome="complete",
        paymentIssuer=payer,
        paymentDate=advice.date,
        paymentAmount=facts.usd(advice.amount),
        paymentIdentifier=Identifier(system=facts.TRACE, value=advice.trace),
        disposition=f"{advice.payer_name}: {len(advice.claims)} claims",
        detail=[
            PaymentReconciliationDetail(
                type=kind, request=Reference.to(claim), response=Reference.to(made), date=_day(advice.date), amount=facts.usd(payment.paid)
            )
            for claim, made, payment in answered
        ],
    )


def _day(day: dt.date) -> str:
    return day.isoformat()
