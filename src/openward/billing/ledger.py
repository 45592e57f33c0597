"""The books. Double entry, append-only; the database refuses what does not balance and what was posted before.

Money is Decimal in whole cents of US dollars, never float. A debit of `patient-receivable` is what the patient owes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from openward.fhir.ids import new_id
from openward.record import UnitOfWork

ZERO = Decimal("0.00")

BANK = "bank"
CARDS = "card-clearing"
DRAWER = "cash-drawer"
INSURANCE = "insurance-receivable"
DENIED = "denied"
PATIENT = "patient-receivable"
REVENUE = "service-revenue"
AGREED = "contractual-adjustment"
WRITE_OFF = "write-off"
UNMATCHED = "unmatched-payments"
PAYER_ADJUSTMENT = "payer-adjustment"

ACCOUNTS: dict[str, tuple[str, str]] = {
    BANK: ("asset", "Bank: payments from payers"),
    CARDS: ("asset", "Card payments on their way from the processor"),
    DRAWER: ("asset", "Cash and checks taken at the desk"),
    INSURANCE: ("asset", "Owed by payers, not answered yet"),
    DENIED: ("asset", "Refused by payers, being worked"),
    PATIENT: ("asset", "Owed by patients"),
    REVENUE: ("income", "Services performed"),
    AGREED: ("expense", "Lowered by contract with the payer"),
    WRITE_OFF: ("expense", "Given up by decision of a person"),
    UNMATCHED: ("liability", "Received for claims not found yet"),
    PAYER_ADJUSTMENT: ("expense", "Taken or added by payers outside any claim"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One side, with the ids of whom and what it is about. Exactly one of `debit` and `credit` is more than zero; make it with `debit()` and `credit()`."""

    account: str
    debit: Decimal = ZERO
    credit: Decimal = ZERO
    patient: str | None = None
    claim: str | None = None
    payer: str | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """One event of money and where it came from. `source` (kind, id) is posted once, whoever posts it and how often."""

    kind: str
    source: tuple[str, str]
    on: dt.date
    words: str
    lines: Sequence[Line]
    id: UUID = field(default_factory=lambda: UUID(new_id()))


def debit(account: str, amount: Decimal, *, patient: str | None = None, claim: str | None = None, payer: str | None = None) -> Line:
    """A debit; of a negative amount, the credit that takes it back."""
    if amount >= 0:
        return Line(account, debit=amount, patient=patient, claim=claim, payer=payer)
    return Line(account, credit=-amount, patient=patient, claim=claim, payer=payer)


def credit(account: str, amount: Decimal, *, patient: str | None = None, claim: str | None = None, payer: str | None = None) -> Line:
    """A credit; of a negative amount, the debit that takes it back."""
    return debit(account, -amount, patient=patient, claim=claim, payer=payer)


def post(work: UnitOfWork, posting: Posting) -> bool:
    """Post one event. False when its source was posted before: then nothing is written."""
    return bool(post_all(work, [posting]))


def post_all(work: UnitOfWork, postings: Iterable[Posting]) -> set[UUID]:
    """Post many at once; returns the ids of those that were new. A posting whose lines come to nothing is left out."""
    wanted = [(each, lines) for each in postings if (lines := [line for line in each.lines if line.debit or line.credit])]
    if not wanted:
        return set()
    with work.connection.cursor() as cursor:
        cursor.executemany(_OPEN_ACCOUNT, [(work.tenant, code, kind, title) for code, (kind, title) in ACCOUNTS.items()])
        new = set()
        for posting, _ in wanted:
            cursor.execute(_POST, (work.tenant, posting.id, posting.kind, *posting.source, posting.on, work.actor.id, posting.words))
            new |= {posting.id} if cursor.rowcount else set()
        rows = [
            (work.tenant, posting.id, place, *_row(line)) for posting, lines in wanted if posting.id in new for place, line in enumerate(lines, 1)
        ]
        cursor.executemany(_ENTER, rows)
    return new


def _row(line: Line) -> tuple[object, ...]:
    return line.account, line.debit, line.credit, line.patient, line.claim, line.payer


_OPEN_ACCOUNT = "insert into ledger_account (tenant, code, kind, title) values (%s, %s, %s, %s) on conflict do nothing"
_POST = """
insert into ledger_transaction (tenant, id, kind, source_kind, source_id, on_date, by_actor, words)
values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict on constraint ledger_source_once do nothing
"""
_ENTER = """
insert into ledger_entry (tenant, transaction, place, account, debit, credit, patient, claim, payer)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
