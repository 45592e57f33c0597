"""Decisions about money that only a person takes: who pays what a payer refused, what is given up, and visits without insurance."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from django.utils import timezone

from openward.access.actor import Actor
from openward.billing import books, facts, ledger, rows
from openward.billing.actions.claims import one_at_a_time
from openward.billing.actions.payments import open_balance
from openward.billing.errors import AlreadyBilled, AlreadyClaimed, NothingToBill, WrongAmount
from openward.billing.queries.readiness import claims_of_visit
from openward.billing.queries.visits import charges_of, day_of
from openward.fhir.resources import Claim, Encounter
from openward.record import unit_of_work

ACCOUNT = {"patient": ledger.PATIENT, "write-off": ledger.WRITE_OFF}
WORDS = {"patient": "Refused by insurance, billed to the patient", "write-off": "Refused by insurance, given up"}


def settle_denial(*, claim: str, who: Literal["patient", "write-off"], why: str, by: Actor, key: str) -> Decimal:
    """Move what the payer refused to the patient, or give it up. Returns the amount; raises NothingToBill when nothing is refused any more."""
    with unit_of_work(by=by) as work:
        found = work.store.read(Claim, claim)
        refused = books.standing(work, [claim])[claim][ledger.DENIED]
        if refused <= 0:
            raise NothingToBill("Nothing of this claim is refused any more.")
        patient, payer = facts.target(found.patient), facts.target(found.insurer)
        lines = [
            ledger.debit(ACCOUNT[who], refused, patient=patient, claim=claim, payer=payer),
            ledger.credit(ledger.DENIED, refused, patient=patient, claim=claim, payer=payer),
        ]
        words = f"{WORDS[who]}: {why}"[:200]
        ledger.post(work, ledger.Posting(books.DECISION, ("decision", f"{claim}|{key}"), timezone.localdate(), words, lines))
        return refused


def give_up_balance(*, patient: str, amount: Decimal, why: str, by: Actor, key: str) -> None:
    """Forgive part or all of what a patient owes and is not paying at this moment. Raises WrongAmount."""
    with unit_of_work(by=by) as work:
        most = open_balance(work, patient)
        if not Decimal("0.01") <= amount <= most or amount != amount.quantize(Decimal("0.01")):
            raise WrongAmount(most=f"${max(most, ledger.ZERO):,.2f}")
        lines = [ledger.debit(ledger.WRITE_OFF, amount, patient=patient), ledger.credit(ledger.PATIENT, amount, patient=patient)]
        ledger.post(work, ledger.Posting("decision", ("decision", f"{patient}|{key}"), timezone.localdate(), f"Forgiven: {why}"[:200], lines))


def bill_patient(*, visit: str, by: Actor) -> Decimal:
    """Charge a visit to the patient, who has no insurance for it. Raises NothingToBill, AlreadyClaimed, AlreadyBilled."""
    with unit_of_work(by=by) as work:
        one_at_a_time(work, visit)
        if other := claims_of_visit(work.tenant, visit):
            raise AlreadyClaimed(number=other[0].number)
        encounter = work.store.read(Encounter, visit)
        charges = [charge for charge in charges_of(work.store, visit) if charge.status != "billed"]
        total = sum((facts.charge_total(charge) for charge in charges), ledger.ZERO)
        if total <= 0:
            raise NothingToBill
        patient = facts.target(encounter.subject)
        lines = [ledger.debit(ledger.PATIENT, total, patient=patient), ledger.credit(ledger.REVENUE, total, patient=patient)]
        if not ledger.post(work, ledger.Posting("visit", ("visit", visit), day_of(work.store, encounter), "Visit without insurance", lines)):
            raise AlreadyBilled
        for charge in charges:
            charge.status = "billed"
            work.store.update(charge)
        rows.billed(work, visit)
        return total
