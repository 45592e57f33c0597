"""Remittances in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openward.billing.actions.remittances import Outcome, Taken
from openward.billing.models import RemittanceItem, RemittanceRow
from openward.billing.presenters.claims import name_of
from openward.billing.presenters.words import adjustment_words, answer_words, item_badge, remittance_badge
from openward.billing.queries.remittances import RemittancePage
from openward.billing.queries.worklist import ToSortOut
from openward.formats.x12.remittance import ClaimPayment, Remittance


def taken_words(taken: Taken) -> str:
    """What became of a file, in a sentence."""
    if taken.refused:
        return _("The file cannot be read: {reason}.").format(reason=taken.refused)
    if taken.already:
        return _("This file was taken before. Nothing was posted again.")
    return " ".join(_outcome(outcome) for outcome in taken.outcomes)


def _outcome(outcome: Outcome) -> str:
    if outcome.state == "already":
        return _("Payment {trace} was posted before. Nothing was posted again.").format(trace=outcome.trace)
    if outcome.state == "quarantined":
        return _("Payment {trace} does not balance and is held back whole: {reason}").format(trace=outcome.trace, reason=outcome.reason)
    posted = ngettext("{n} claim posted", "{n} claims posted", outcome.posted).format(n=outcome.posted)
    waiting = (
        ngettext("{n} waits to be matched", "{n} wait to be matched", outcome.unmatched).format(n=outcome.unmatched) if outcome.unmatched else ""
    )
    return _("Payment {trace}: {what}.").format(trace=outcome.trace, what=", ".join(part for part in (posted, waiting) if part))


@dataclass(frozen=True, slots=True)
class RemittanceLine:
    row: RemittanceRow

    @property
    def badge(self) -> tuple[str, str]:
        return remittance_badge(self.row.state)

    @property
    def url(self) -> str:
        return reverse("billing:remittance", kwargs={"remittance": self.row.id})


def remittance_rows(rows: Sequence[RemittanceRow]) -> list[RemittanceLine]:
    return [RemittanceLine(row) for row in rows]


@dataclass(frozen=True, slots=True)
class ItemLine:
    item: RemittanceItem
    name: str

    @property
    def badge(self) -> tuple[str, str]:
        return item_badge(self.item.state)

    @property
    def answer(self) -> str:
        return answer_words(self.item.status)

    @property
    def url(self) -> str:
        return reverse("billing:claim", kwargs={"claim": self.item.claim}) if self.item.claim else ""

    @property
    def note(self) -> str:
        return self.item.worked_why or self.item.reason


def item_rows(page: RemittancePage) -> list[ItemLine]:
    named = {item.place: item.patient for item in page.items if item.patient and item.claim not in page.withheld}
    return [ItemLine(item, name_of(page.names.get(named[item.place])) if item.place in named else "") for item in page.items]


@dataclass(frozen=True, slots=True)
class Explained:
    """The advice as the payer wrote it: each claim with its reasons, and what was taken outside claims."""

    claims: Sequence[tuple[str, Decimal, Decimal, Sequence[tuple[str, Decimal]]]]
    outside: Sequence[tuple[str, Decimal]]
    problems: Sequence[str]

    @classmethod
    def of(cls, advice: Remittance) -> Explained:
        outside = [
            (_("Provider adjustment {reason} {reference}").format(reason=each.reason, reference=each.reference), each.amount)
            for each in advice.provider_adjustments
        ]
        return cls([_claim(claim) for claim in advice.claims], outside, advice.problems)


def _claim(claim: ClaimPayment) -> tuple[str, Decimal, Decimal, Sequence[tuple[str, Decimal]]]:
    return claim.claim, claim.charge, claim.paid, [(adjustment_words(each.group, each.reason), each.amount) for each in claim.all_adjustments]


def sort_out_rows(found: ToSortOut) -> list[dict[str, Any]]:
    """Unmatched answers with the remittance each came in."""
    return [
        {
            "item": item,
            "advice": advice,
            "answer": answer_words(item.status),
            "advice_url": reverse("billing:remittance", kwargs={"remittance": advice.id}),
        }
        for item, advice in found.unmatched
    ]
