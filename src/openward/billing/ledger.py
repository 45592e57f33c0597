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
    connection = work.store.connection
    connection.execute(_OPEN_ACCOUNTS, _columns([(code, kind, title) for code, (kind, title) in ACCOUNTS.items()]) | {"tenant": work.tenant})
    heads = [(posting.id, posting.kind, *posting.source, posting.on, posting.words) for posting, _lines in wanted]
    new = {row[0] for row in connection.execute(_POST, _columns(heads) | {"tenant": work.tenant, "by": work.actor.id})}
    rows = [(posting.id, place, *_row(line)) for posting, lines in wanted if posting.id in new for place, line in enumerate(lines, 1)]
    if rows:
        connection.execute(_ENTER, _columns(rows) | {"tenant": work.tenant})
    return new


def _row(line: Line) -> tuple[object, ...]:
    return line.account, line.debit, line.credit, line.patient, line.claim, line.payer


def _columns(rows: Sequence[tuple[object, ...]]) -> dict[str, object]:
    """Rows turned into one array for each column, for `unnest`: c0, c1, …"""
    return {f"c{place}": list(column) for place, column in enumerate(zip(*rows, strict=True))}


_OPEN_ACCOUNTS = """
insert into ledger_account (tenant, code, kind, title)
select %(tenant)s, * from unnest(%(c0)s::text[], %(c1)s::text[], %(c2)s::text[]) on conflict do nothing
"""
_POST = """
insert into ledger_transaction (tenant, by_actor, id, kind, source_kind, source_id, on_date, words)
select %(tenant)s, %(by)s, * from unnest(%(c0)s::uuid[], %(c1)s::text[], %(c2)s::text[], %(c3)s::text[], %(c4)s::date[], %(c5)s::text[])
on conflict on constraint ledger_source_once do nothing returning id
"""
_ENTER = """
insert into ledger_entry (tenant, transaction, place, account, debit, credit, patient, claim, payer)
select %(tenant)s, * from unnest(
  %(c0)s::uuid[], %(c1)s::smallint[], %(c2)s::text[], %(c3)s::numeric[], %(c4)s::numeric[], %(c5)s::text[], %(c6)s::text[], %(c7)s::text[]
)
"""
