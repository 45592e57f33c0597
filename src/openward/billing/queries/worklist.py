"""What the biller sees first: claims by state, how old what is owed is, visits without a claim, and what went wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, Q, Sum

from openward.billing import ledger, transitions
from openward.billing.models import ClaimRow, LedgerEntry, RefusedFile, RemittanceItem, RemittanceRow, VisitToBill
from openward.billing.protected import is_shown
from openward.fhir.store import Store
from openward.registration import queries as registration

PAGE = 50
BUCKETS: tuple[tuple[int, int | None], ...] = ((0, 30), (31, 60), (61, 90), (91, 120), (121, None))


@dataclass(frozen=True, slots=True)
class StateSum:
    state: str
    count: int
    money: Decimal


@dataclass(frozen=True, slots=True)
class ClaimsPage:
    """`next` is the cursor of the following page, empty at the end; `withheld` are the claims of which the actor is shown no more than that they are."""

    rows: Sequence[ClaimRow]
    names: Mapping[str, Any]
    payers: Mapping[str, Any]
    refused: Mapping[str, Decimal]
    next: str
    withheld: frozenset[str] = frozenset()


def state_sums(tenant: int) -> list[StateSum]:
    """Claims by state, every state named."""
    sums = ClaimRow.objects.filter(tenant=tenant).values_list("state").annotate(count=Count("claim"), money=Sum("total"))
    found = {state: StateSum(state, count, money) for state, count, money in sums}
    return [found.get(state) or StateSum(state, 0, ledger.ZERO) for state in transitions.STATES]


def owed_by_age(tenant: int, today: dt.date) -> list[Decimal]:
    """What payers owe, refused parts included, by days since the claim was sent: one sum for each of BUCKETS."""
    with connection.cursor() as cursor:
        cursor.execute(_AGES, [today, tenant, [ledger.INSURANCE, ledger.DENIED]])
        owed = [(days or 0, total) for days, total in cursor]
    return [sum((total for days, total in owed if low <= days and (high is None or days <= high)), ledger.ZERO) for low, high in BUCKETS]


def claims_page(store: Store, *, state: str = "", cursor: str = "", claims: Iterable[str] | None = None) -> ClaimsPage:
    """A page of claims, oldest service first within a state, newest first over all."""
    rows = ClaimRow.objects.filter(tenant=store.tenant)
    if state:
        rows = rows.filter(state=state)
    if claims is not None:
        rows = rows.filter(claim__in=list(claims))
    found = list(_after(rows, cursor)[: PAGE + 1])
    more, found = len(found) > PAGE, found[:PAGE]
    withheld = frozenset(row.claim for row in found if not is_shown(store.actor, row))
    shown = [row for row in found if row.claim not in withheld]
    people = _by_id(store.read_many([("Patient", row.patient) for row in shown if row.patient]))
    payers = _by_id(store.read_many([("Organization", id) for id in sorted({row.payer for row in shown if row.payer})]))
    refused = refused_of(store.tenant, [row.claim for row in shown])
    return ClaimsPage(found, people, payers, refused, found[-1].number if more else "", withheld)


def _after(rows: Any, cursor: str) -> Any:
    """Numbers are given in order, so they are the cursor; newest first."""
    rows = rows.order_by("-number")
    return rows.filter(number__lt=cursor) if cursor else rows


def _by_id(resources: Iterable[Any]) -> dict[str, Any]:
    return {str(resource.id): resource for resource in resources}


def refused_of(tenant: int, claims: Sequence[str]) -> Mapping[str, Decimal]:
    """What is refused and not settled, of these claims."""
    sums = (
        LedgerEntry.objects.filter(tenant=tenant, claim__in=claims, account=ledger.DENIED)
        .values_list("claim")
        .annotate(total=Sum("debit") - Sum("credit"))
    )
    return {claim: total for claim, total in sums if total}


def found_claims(store: Store, words: str) -> list[str]:
    """Ids of claims by part of their number, or by the patient's name, birth date or record number. A claim that is withheld has a number only."""
    words = words.strip()
    if len(words) < 2:
        return []
    patients = [str(one.patient.id) for one in registration.find(store, words, limit=20)]
    rows = ClaimRow.objects.filter(Q(number__icontains=words) | Q(patient__in=patients), tenant=store.tenant)
    found = rows.order_by("-number")[:PAGE]
    return [row.claim for row in found if words.upper() in row.number.upper() or is_shown(store.actor, row)]


@dataclass(frozen=True, slots=True)
class VisitsToBill:
    count: int
    rows: Sequence[VisitToBill]
    names: Mapping[str, Any]


def visits_to_bill(store: Store, limit: int = 20) -> VisitsToBill:
    """Signed visits without a claim, oldest first."""
    waiting = VisitToBill.objects.filter(tenant=store.tenant)
    rows = list(waiting.order_by("served_on", "visit")[:limit])
    return VisitsToBill(waiting.count(), rows, _by_id(store.read_many([("Patient", row.patient) for row in rows])))


@dataclass(frozen=True, slots=True)
class ToSortOut:
    """What a person must look at before money is where it belongs."""

    unmatched: Sequence[tuple[RemittanceItem, RemittanceRow]]
    quarantined: Sequence[RemittanceRow]
    refused: Sequence[RefusedFile]

    @property
    def count(self) -> int:
        return len(self.unmatched) + len(self.quarantined) + len(self.refused)


def to_sort_out(tenant: int) -> ToSortOut:
    items = list(RemittanceItem.objects.filter(tenant=tenant, state=RemittanceItem.State.UNMATCHED).order_by("remittance", "place")[:200])
    advices = {row.id: row for row in RemittanceRow.objects.filter(tenant=tenant, id__in={item.remittance for item in items})}
    quarantined = RemittanceRow.objects.filter(tenant=tenant, state=RemittanceRow.State.QUARANTINED).order_by("posted_at")
    refused = RefusedFile.objects.filter(tenant=tenant, seen_by="").order_by("refused_at")
    return ToSortOut([(item, advices[item.remittance]) for item in items], list(quarantined[:100]), list(refused[:100]))


def count_to_sort_out(tenant: int) -> int:
    unmatched = RemittanceItem.objects.filter(tenant=tenant, state=RemittanceItem.State.UNMATCHED).count()
    quarantined = RemittanceRow.objects.filter(tenant=tenant, state=RemittanceRow.State.QUARANTINED).count()
    return unmatched + quarantined + RefusedFile.objects.filter(tenant=tenant, seen_by="").count()


_AGES = """
select (%s::date - coalesce(c.submitted_at::date, c.served_on)) as days, sum(e.debit - e.credit)
from ledger_entry e left join billing_claim c on c.tenant = e.tenant and c.claim = e.claim
where e.tenant = %s and e.account = any(%s) group by 1 having sum(e.debit - e.credit) <> 0
"""
