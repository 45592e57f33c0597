"""What billing reads from and writes into resources: codes, numbers, states, amounts. See docs/conventions.md."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from openward.access.labels import LABELS
from openward.fhir.resources import ChargeItem, Claim, CodeableConcept, Coding, Identifier, Meta, Money
from openward.formats.x12.from_fhir import CLAIM_NUMBER, PLACE_OF_SERVICE, code_of, coding_of, identifier, relationship_of

__all__ = ["code_of", "coding_of", "identifier", "relationship_of"]

HCPCS: Final = "https://bluebutton.cms.gov/resources/codesystem/hcpcs"
CPT: Final = "http://www.ama-assn.org/go/cpt"
OWN_CODES: Final = "urn:openward:service-code"
ICD10: Final = "http://hl7.org/fhir/sid/icd-10-cm"
CLAIM_STATE: Final = "urn:openward:claim-state"
PAYMENT: Final = "urn:openward:payment"
STATEMENT: Final = "urn:openward:statement"
TRACE: Final = "urn:openward:remittance-trace"
CHARGE_SOURCE: Final = "urn:openward:charge-source"
PAPERLESS: Final = "urn:openward:paperless"
DENIED_TAG: Final = "urn:openward:denied-lines"
CLAIM_TYPE: Final = "http://terminology.hl7.org/CodeSystem/claim-type"
PRIORITY: Final = "http://terminology.hl7.org/CodeSystem/processpriority"
RELATED: Final = "http://terminology.hl7.org/CodeSystem/ex-relatedclaimrelationship"
ADJUDICATION: Final = "http://terminology.hl7.org/CodeSystem/adjudication"
PAYMENT_TYPE: Final = "http://terminology.hl7.org/CodeSystem/payment-type"
OFFICE: Final = "11"
TELEHEALTH_HOME: Final = "10"
ZERO: Final = Decimal("0.00")


def usd(amount: Decimal) -> Money:
    return Money(value=amount.quantize(Decimal("0.01")), currency="USD")


def value(money: Money | None) -> Decimal:
    """The amount in whole cents; nothing is zero."""
    return (money.value or ZERO).quantize(Decimal("0.01")) if money else ZERO


def concept(system: str, code: str, display: str | None = None) -> CodeableConcept:
    return CodeableConcept(coding=[Coding(system=system, code=code, display=display)], text=display)


def number_of(claim: Claim) -> str:
    """Our number of the claim, which the payer sends back; empty until the store gave one."""
    return identifier(claim, CLAIM_NUMBER)


def number_identifier(number: str) -> Identifier:
    return Identifier(system=CLAIM_NUMBER, value=number)


def state_of(claim: Claim | None) -> str | None:
    """draft, ready, submitted, accepted, denied or paid; None for a claim that is not ours to work."""
    tags = claim.meta.tag if claim and claim.meta else []
    return next((str(tag.code) for tag in tags if tag.system == CLAIM_STATE), None)


def set_state(claim: Claim, state: str) -> None:
    meta = claim.meta or Meta()
    meta.tag = [*(tag for tag in meta.tag if tag.system != CLAIM_STATE), Coding(system=CLAIM_STATE, code=state)]
    claim.meta = meta


def set_labels(resource: Any, labels: Iterable[str]) -> None:
    """Give a new resource these sensitivity labels."""
    if chosen := [Coding(system=LABELS[label].system, code=label, display=LABELS[label].title) for label in sorted(labels)]:
        meta = resource.meta or Meta()
        meta.security = chosen
        resource.meta = meta


def served_on(claim: Claim) -> dt.date | None:
    """The first day of service."""
    days = [item.servicedDate or (item.servicedPeriod.start if item.servicedPeriod else None) for item in claim.item]
    known = [dt.date.fromisoformat(day[:10]) for day in days if day and len(day) >= 10]
    return min(known, default=None)


def visit_of(claim: Claim) -> str | None:
    """The id of the visit the claim is for."""
    return next((reference.target_id for item in claim.item for reference in item.encounter), None)


def total_of(claim: Claim) -> Decimal:
    return sum((value(item.net) for item in claim.item), ZERO)


def place_of_service(code: str) -> CodeableConcept:
    return CodeableConcept(coding=[Coding(system=PLACE_OF_SERVICE, code=code)])


def charge_total(charge: ChargeItem) -> Decimal:
    """Price times quantity, in whole cents."""
    quantity = charge.quantity.value if charge.quantity else None
    return (value(charge.priceOverride) * (Decimal(1) if quantity is None else quantity)).quantize(Decimal("0.01"))


def target(reference: Any) -> str | None:
    return reference.target_id if reference else None
