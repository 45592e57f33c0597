"""What is owed, read from the ledger. Never from a copy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import F, Sum

from openward.billing import ledger
from openward.billing.models import LedgerEntry, Payment, Statement
from openward.fhir.resources import Patient
from openward.fhir.store import Store


@dataclass(frozen=True, slots=True)
class Activity:
    """One line of a patient's account. `amount` raises (positive) or lowers what the patient owes; `running` is the balance after it."""

    on: dt.date
    kind: str
    words: str
    claim: str | None
    source: tuple[str, str]
    amount: Decimal
    running: Decimal


def balance(store: Store, patient: str) -> Decimal:
    """What the patient owes; negative when the practice owes the patient. Raises NotFound for a patient the actor may not see."""
    store.read(Patient, patient)
    return patient_balance(store.tenant, patient)


def patient_balance(tenant: int, patient: str) -> Decimal:
    """The same, for code that has already opened the patient's record."""
    return _sum(tenant=tenant, patient=patient, account=ledger.PATIENT)


def claim_balances(tenant: int, claim: str) -> Mapping[str, Decimal]:
    """Debits less credits of a claim by account."""
    sums = LedgerEntry.objects.filter(tenant=tenant, claim=claim).values_list("account").annotate(total=Sum(F("debit") - F("credit")))
    return dict(sums)


def account_balances(tenant: int) -> Mapping[str, Decimal]:
    """Debits less credits by account; they always come to zero together."""
    sums = LedgerEntry.objects.filter(tenant=tenant).values_list("account").annotate(total=Sum(F("debit") - F("credit")))
    return dict(sums)


def payer_balances(tenant: int) -> Mapping[str, Decimal]:
    """What each payer owes, by its Organization id."""
    owed = LedgerEntry.objects.filter(tenant=tenant, account=ledger.INSURANCE, payer__isnull=False)
    return dict(owed.values_list("payer").annotate(total=Sum(F("debit") - F("credit"))))


def patients_owing(tenant: int, limit: int = 50) -> list[tuple[str, Decimal]]:
    """Patients by what they owe, the most first."""
    owed = LedgerEntry.objects.filter(tenant=tenant, account=ledger.PATIENT, patient__isnull=False)
    sums = owed.values_list("patient").annotate(total=Sum(F("debit") - F("credit"))).filter(total__gt=0).order_by("-total")[:limit]
    return [(patient, total) for patient, total in sums]


def _sum(**where: Any) -> Decimal:
    found = LedgerEntry.objects.filter(**where).aggregate(total=Sum(F("debit") - F("credit")))["total"]
    return found if found is not None else ledger.ZERO


def ledger_lines(store: Store, patient: str) -> list[Activity]:
    """The patient's account in order, with the balance after each line."""
    store.read(Patient, patient)
    return patient_activity(store.tenant, patient)


def patient_activity(tenant: int, patient: str) -> list[Activity]:
    with connection.cursor() as cursor:
        cursor.execute(_ACTIVITY, [tenant, patient, ledger.PATIENT])
        return [
            Activity(on, kind, words, claim, (source_kind, source_id), amount, running)
            for on, kind, words, claim, source_kind, source_id, amount, running in cursor
        ]


def since_even(lines: list[Activity]) -> list[Activity]:
    """The lines of an account since it was last even: what a statement explains."""
    even = [place for place, line in enumerate(lines) if line.running == 0]
    return lines[even[-1] + 1 :] if even else lines


def payments(store: Store, patient: str) -> list[Payment]:
    """What the patient paid, newest first; declined cards too."""
    store.read(Patient, patient)
    return list(Payment.objects.filter(tenant=store.tenant, patient=patient).order_by("-made_at"))


def statements(store: Store, patient: str) -> list[Statement]:
    """Statements sent to the patient, newest first, without their PDFs."""
    store.read(Patient, patient)
    return list(Statement.objects.filter(tenant=store.tenant, patient=patient).defer("pdf").order_by("-made_at"))


_ACTIVITY = """
select t.on_date, t.kind, t.words, e.claim, t.source_kind, t.source_id, e.debit - e.credit as amount,
  sum(e.debit - e.credit) over (order by t.posted_at, t.id, e.place) as running
from ledger_entry e join ledger_transaction t on t.tenant = e.tenant and t.id = e.transaction
where e.tenant = %s and e.patient = %s and e.account = %s
order by t.posted_at, t.id, e.place
"""
