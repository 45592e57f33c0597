"""What a signed visit costs: from what was done, by the fee schedule. Pure: facts in, charges out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openward.billing import facts
from openward.billing.models import Fee
from openward.fhir.resources import ChargeItem, ChargeItemPerformer, Encounter, Quantity, Reference
from openward.scheduling.facts import clinician_of, service_code


@dataclass(frozen=True, slots=True)
class Done:
    """What was done at a visit: the booked service, laboratory orders, vaccines, procedures; and the sensitivity labels of what it was for."""

    visit: Encounter
    day: str
    orders: Sequence[Any] = ()
    immunizations: Sequence[Any] = ()
    procedures: Sequence[Any] = ()
    reasons: Sequence[Any] = ()
    labels: frozenset[str] = frozenset()


def proposed(done: Done, fees: Mapping[str, Fee]) -> list[ChargeItem]:
    """The charges of a visit. `fees` maps what makes a charge (`visit:follow-up`) to its line of the fee schedule."""
    return [_charge(done, fee, because) for fee, because in _found(done, fees)]


def _found(done: Done, fees: Mapping[str, Fee]) -> Iterator[tuple[Fee, Any]]:
    if fee := _fee(fees, "visit", service_code(done.visit)):
        yield fee, None
    drawn = False
    for order in done.orders:
        own = fees.get(f"order:{facts.code_of(order.code)}")
        general = None if drawn else fees.get("order:laboratory")
        if fee := own or general:  # taking the specimen is charged once a visit, whatever is measured in it
            drawn = drawn or own is None
            yield fee, order
    for vaccine in done.immunizations:
        if fee := _fee(fees, "immunization", facts.code_of(vaccine.vaccineCode)):
            yield fee, vaccine
    for procedure in done.procedures:
        if fee := _fee(fees, "procedure", facts.code_of(procedure.code)):
            yield fee, procedure


def _fee(fees: Mapping[str, Fee], kind: str, code: str | None) -> Fee | None:
    return fees.get(f"{kind}:{code}") or fees.get(f"{kind}:*")


def _charge(done: Done, fee: Fee, because: Any) -> ChargeItem:
    clinician = clinician_of(done.visit)
    charge = ChargeItem(
        status="billable",
        code=facts.concept(fee.system, fee.code, fee.description),
        subject=Reference(f"Patient/{facts.target(done.visit.subject)}"),
        context=Reference.to(done.visit),
        occurrenceDateTime=done.day,
        quantity=Quantity(value=1),
        priceOverride=facts.usd(fee.price),
        reason=list(done.reasons),
    )
    facts.set_labels(charge, done.labels)
    if clinician:
        charge.performer = [ChargeItemPerformer(actor=clinician)]
    if because is not None and because.resourceType == "ServiceRequest":
        charge.supportingInformation = [Reference.to(because)]
    elif because is not None:
        charge.service = [Reference.to(because)]
    return charge
