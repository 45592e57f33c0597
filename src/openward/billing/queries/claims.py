"""One claim, all of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from openward.billing import facts, transitions
from openward.billing.models import RemittanceItem, RemittanceRow, Submission
from openward.billing.queries.balances import claim_balances
from openward.billing.queries.claim_file import ClaimFile, claim_file
from openward.billing.queries.readiness import findings_of
from openward.billing.scrub import Finding
from openward.fhir.resources import Claim, ExplanationOfBenefit
from openward.fhir.store import Store


@dataclass(frozen=True, slots=True)
class Moved:
    """A change of state, and when (UTC)."""

    state: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class ClaimPage:
    file: ClaimFile
    findings: Sequence[Finding]
    sums: Mapping[str, Decimal]
    moves: Sequence[Moved]
    submissions: Sequence[Submission]
    items: Sequence[tuple[RemittanceItem, RemittanceRow]]
    answers: Sequence[ExplanationOfBenefit]

    @property
    def claim(self) -> Claim:
        return self.file.claim


def claim_page(store: Store, id: str) -> ClaimPage:
    """Raises NotFound."""
    file = claim_file(store, store.read(Claim, id))
    is_open = facts.state_of(file.claim) in transitions.OPEN
    return ClaimPage(
        file=file,
        findings=findings_of(store, file) if is_open else (),
        sums=claim_balances(store.tenant, id),
        moves=_moves(store, id),
        submissions=list(Submission.objects.filter(tenant=store.tenant, claims__contains=[id]).defer("body").order_by("control")),
        items=_items(store.tenant, id),
        answers=list(store.search(ExplanationOfBenefit, {"claim": f"Claim/{id}", "_sort": "created"})),
    )


def _moves(store: Store, id: str) -> list[Moved]:
    """The states it went through, oldest first."""
    found: list[Moved] = []
    for version in reversed(list(store.history("Claim", id).versions)):
        state = None if version.deleted else facts.state_of(Claim.of(version.content))
        if state and (not found or found[-1].state != state):
            found.append(Moved(state, version.at))
    return found


def _items(tenant: int, claim: str) -> list[tuple[RemittanceItem, RemittanceRow]]:
    items = list(RemittanceItem.objects.filter(tenant=tenant, claim=claim).order_by("remittance", "place"))
    rows = {row.id: row for row in RemittanceRow.objects.filter(tenant=tenant, id__in=[item.remittance for item in items])}
    return [(item, rows[item.remittance]) for item in items]
