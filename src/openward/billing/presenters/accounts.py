"""A patient's account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse

from openward.billing.models import Payment
from openward.billing.presenters.words import kind_words, payment_badge
from openward.billing.queries.balances import Activity


@dataclass(frozen=True, slots=True)
class ActivityRow:
    line: Activity

    @property
    def kind(self) -> str:
        return kind_words(self.line.kind)

    @property
    def url(self) -> str:
        return reverse("billing:claim", kwargs={"claim": self.line.claim}) if self.line.claim else ""


@dataclass(frozen=True, slots=True)
class PaymentRow:
    payment: Payment
    refunded: Decimal

    @property
    def badge(self) -> tuple[str, str]:
        return payment_badge(self.payment.state)

    @property
    def method(self) -> str:
        from django.utils.translation import gettext as _

        words = {"card": _("Card {last4}").format(last4=self.payment.last4), "cash": _("Cash"), "check": _("Check")}
        return words[self.payment.method]

    @property
    def can_be_refunded(self) -> bool:
        return self.payment.state == Payment.State.PAID and self.refunded < self.payment.amount


def activity_rows(lines: Sequence[Activity]) -> list[ActivityRow]:
    """Newest first."""
    return [ActivityRow(line) for line in reversed(lines)]


def options(found: Sequence[Any]) -> list[dict[str, str]]:
    return [{"value": value, "label": label, "detail": detail} for value, label, detail in found]
