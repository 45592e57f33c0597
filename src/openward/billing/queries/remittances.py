"""Remittances and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openward.billing.models import ClaimRow, RemittanceFile, RemittanceItem, RemittanceRow
from openward.billing.protected import is_shown
from openward.fhir.errors import NotFound
from openward.fhir.store import Store

PAGE = 50


@dataclass(frozen=True, slots=True)
class RemittancePage:
    """`withheld` are the claims of it the reader is not shown: they have a number and their money, no name."""

    row: RemittanceRow
    file: RemittanceFile
    items: Sequence[RemittanceItem]
    names: Mapping[str, Any]
    withheld: frozenset[str] = frozenset()


def remittances(tenant: int, *, before: str = "") -> tuple[list[RemittanceRow], str]:
    """Newest first, with the cursor of the following page."""
    rows = RemittanceRow.objects.filter(tenant=tenant).order_by("-id")
    found = list((rows.filter(id__lt=before) if before else rows)[: PAGE + 1])
    return found[:PAGE], str(found[PAGE - 1].id) if len(found) > PAGE else ""


def remittance(store: Store, id: str) -> RemittancePage:
    """Raises NotFound."""
    row = RemittanceRow.objects.filter(tenant=store.tenant, id=id).first()
    if row is None:
        raise NotFound(type="Remittance", id=id)
    items = list(RemittanceItem.objects.filter(tenant=store.tenant, remittance=id).order_by("place"))
    rows = ClaimRow.objects.filter(tenant=store.tenant, claim__in=[item.claim for item in items if item.claim])
    withheld = frozenset(row.claim for row in rows if not is_shown(store.actor, row))
    people: list[Any] = store.read_many([("Patient", item.patient) for item in items if item.patient and item.claim not in withheld])
    file = RemittanceFile.objects.defer("body").get(tenant=store.tenant, id=row.file)
    return RemittancePage(row, file, items, {str(one.id): one for one in people}, withheld)


def item(tenant: int, remittance: str, place: int) -> RemittanceItem:
    """Raises NotFound."""
    found = RemittanceItem.objects.filter(tenant=tenant, remittance=remittance, place=place).first()
    if found is None:
        raise NotFound(type="Remittance item", id=f"{remittance}/{place}")
    return found
