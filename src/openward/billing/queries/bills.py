"""What a statement explains: the visits, what insurance did with each, what the patient paid, and what is left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from openward.access.labels import labels_of
from openward.billing import facts, ledger
from openward.billing.explanations import adjustments_of
from openward.billing.models import ClaimRow
from openward.billing.queries.balances import Activity, claim_balances, since_even
from openward.billing.queries.confidential import Hides, activity, labels_of_visit
from openward.billing.queries.visits import charges_of, day_of, labels_of_all
from openward.fhir.resources import Claim, Encounter, ExplanationOfBenefit
from openward.fhir.store import Store
from openward.formats.x12.adjustment_codes import Meaning, meaning


@dataclass(frozen=True, slots=True)
class Service:
    what: str
    charge: Decimal


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the patient's share and the payer's reason code for it; the code is empty when the reason is not a payer's."""

    code: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class VisitBill:
    """One visit. charge = agreed + paid + pending + given_up + share; `pending` is with the insurance still.

    `labels` are its sensitivity labels; `is_named` whether its services are told, which they are not to who is not shown the claim.
    """

    on: dt.date
    claim: str | None
    services: Sequence[Service]
    charge: Decimal
    agreed: Decimal
    paid: Decimal
    pending: Decimal
    given_up: Decimal
    share: Decimal
    why: Sequence[Share]
    is_insured: bool
    labels: frozenset[str] = frozenset()
    is_named: bool = True


@dataclass(frozen=True, slots=True)
class Bill:
    """The open part of an account. `visits` and `other` (payments, refunds, what was forgiven) come to `balance` together."""

    visits: Sequence[VisitBill]
    other: Sequence[Activity]
    balance: Decimal


def bill(store: Store, patient: str, hides: Hides | None = None) -> Bill:
    """The patient's bill as of now. Its balance is the ledger's, or what is left of it without what is hidden."""
    lines = since_even(activity(store.tenant, patient, hides))
    by_claim: dict[str, Decimal] = {}
    by_visit: dict[str, Decimal] = {}
    other: list[Activity] = []
    for line in lines:
        if line.claim:
            by_claim[line.claim] = by_claim.get(line.claim, ledger.ZERO) + line.amount
        elif line.source[0] == "visit":
            by_visit[line.source[1]] = by_visit.get(line.source[1], ledger.ZERO) + line.amount
        else:
            other.append(line)
    visits = [_insured(store, claim, share) for claim, share in by_claim.items() if share]
    visits += [_uninsured(store, visit, share) for visit, share in by_visit.items()]
    return Bill(sorted(visits, key=lambda each: each.on), other, lines[-1].running if lines else ledger.ZERO)


def _insured(store: Store, id: str, share: Decimal) -> VisitBill:
    claim = store.find(Claim, id)
    sums = claim_balances(store.tenant, id)
    if claim is None:
        return _withheld(store.tenant, id, sums, share)
    paid = sums.get(ledger.BANK, ledger.ZERO) + sums.get(ledger.UNMATCHED, ledger.ZERO)
    return VisitBill(
        on=facts.served_on(claim) or dt.date.today(),
        claim=facts.number_of(claim),
        services=[Service(_words(item.productOrService), facts.value(item.net)) for item in claim.item],
        charge=-sums.get(ledger.REVENUE, ledger.ZERO),
        agreed=sums.get(ledger.AGREED, ledger.ZERO),
        paid=paid,
        pending=sums.get(ledger.INSURANCE, ledger.ZERO) + sums.get(ledger.DENIED, ledger.ZERO),
        given_up=sums.get(ledger.WRITE_OFF, ledger.ZERO),
        share=share,
        why=_shares(store, claim, share),
        is_insured=True,
        labels=labels_of(claim.data),
    )


def _withheld(tenant: int, id: str, sums: Mapping[str, Decimal], share: Decimal) -> VisitBill:
    """A visit whose claim the reader is not shown: its money, which stands in the books, and nothing of what was done."""
    row = ClaimRow.objects.get(tenant=tenant, claim=id)
    charge = -sums.get(ledger.REVENUE, ledger.ZERO)
    return VisitBill(
        on=row.served_on or dt.date.today(),
        claim=row.number,
        services=[Service(_("Health service"), charge)],
        charge=charge,
        agreed=sums.get(ledger.AGREED, ledger.ZERO),
        paid=sums.get(ledger.BANK, ledger.ZERO) + sums.get(ledger.UNMATCHED, ledger.ZERO),
        pending=sums.get(ledger.INSURANCE, ledger.ZERO) + sums.get(ledger.DENIED, ledger.ZERO),
        given_up=sums.get(ledger.WRITE_OFF, ledger.ZERO),
        share=share,
        why=[],
        is_insured=True,
        labels=frozenset(row.labels),
        is_named=False,
    )


def _shares(store: Store, claim: Claim, share: Decimal) -> list[Share]:
    """The payer's reasons for the share, newest answer first; what no answer explains is a decision of the practice."""
    answers = store.search(ExplanationOfBenefit, {"claim": f"Claim/{claim.id}", "status": "active", "_sort": "-created"})
    found: list[Share] = []
    for answer in answers:
        if answer.disposition == "Processed":
            parts = [each for each in adjustments_of(answer) if meaning(each.group, each.reason) is Meaning.SHARE]
            sums: dict[str, Decimal] = {}
            for part in parts:
                sums[part.reason] = sums.get(part.reason, ledger.ZERO) + part.amount
            found = [Share(code, amount) for code, amount in sums.items()]
            break
    rest = share - sum((part.amount for part in found), ledger.ZERO)
    return [*found, *([Share("", rest)] if rest else [])]


def _uninsured(store: Store, id: str, share: Decimal) -> VisitBill:
    visit = store.read(Encounter, id)
    charges = charges_of(store, id)
    services = [Service(_words(charge.code), facts.charge_total(charge)) for charge in charges] or [Service(_("Health service"), share)]
    none, named = ledger.ZERO, bool(charges)
    labels = labels_of_all(charges) if named else labels_of_visit(store.tenant, id)
    day, why = day_of(store, visit), [Share("", share)]
    return VisitBill(day, None, services, share, none, none, none, none, share, why, is_insured=False, labels=labels, is_named=named)


def _words(concept: object) -> str:
    """What was done, in the words of the fee schedule; the code where there are none."""
    text = getattr(concept, "text", None)
    display = next((coding.display for coding in getattr(concept, "coding", ()) if coding.display), None)
    return str(text or display or facts.code_of(concept))
