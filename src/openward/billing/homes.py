"""Where billing shows itself outside its own pages: the menu, homes, the command palette."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from openward.access.permissions import Permission
from openward.billing.models import ClaimRow
from openward.web.homes import HomeCard, register_home, register_home_card
from openward.web.navigation import Entry, register
from openward.web.palette import Item, register_palette_provider

if TYPE_CHECKING:
    from openward.web.pages import PageRequest

_NUMBER = re.compile(r"\s*(?:ow)?0*(\d{2,})\s*\Z", re.IGNORECASE)


def money(request: PageRequest) -> Mapping[str, Any]:
    """Claims by state and what is owed, in numbers: no patient in it."""
    from openward.billing import ledger
    from openward.billing.presenters.claims import age_bars, state_tiles
    from openward.billing.queries.balances import account_balances
    from openward.billing.queries.worklist import owed_by_age, state_sums

    tenant = request.actor.tenant
    return {
        "tiles": state_tiles(state_sums(tenant)),
        "ages": age_bars(owed_by_age(tenant, timezone.localdate())),
        "owed_by_patients": account_balances(tenant).get(ledger.PATIENT, ledger.ZERO),
    }


def find_claims(request: PageRequest, text: str) -> Sequence[Item]:
    """Claims by number in the command palette."""
    from openward.billing.presenters.words import state_badge

    found = _NUMBER.match(text)
    if not found or not request.actor.may(Permission.SEE_BILLING):
        return []
    rows = ClaimRow.objects.filter(tenant=request.actor.tenant, number__icontains=found[1]).order_by("-number")[:6]
    return [
        Item(row.number, reverse("billing:claim", kwargs={"claim": row.claim}), _("Claims"), state_badge(row.state)[0], "receipt-text")
        for row in rows
    ]


register(
    Entry("billing:claims", _("Claims"), "receipt-text", Permission.SEE_BILLING, group="money", order=10, key="g b"),
    Entry("billing:remittances", _("Remittances"), "landmark", Permission.POST_REMITTANCES, group="money", order=20, key="g r"),
    Entry("billing:unmatched", _("To sort out"), "triangle-alert", Permission.POST_REMITTANCES, group="money", order=30),
    Entry("billing:accounts", _("Patient accounts"), "wallet", Permission.SEND_STATEMENTS, group="money", order=40),
    Entry("billing:consent-wanted", _("Consents to ask for"), "clipboard-pen", Permission.REVIEW_PRIVACY, group="practice", order=8),
    Entry("billing:fees", _("Fee schedule"), "tag", Permission.MANAGE_CLAIMS, group="money", order=50),
)
register_home("biller", "billing:claims")
register_home_card(HomeCard("money", _("Money"), "billing/cards/money.html", money, needs=Permission.SEE_BILLING, order=40, wide=True))
register_palette_provider(find_claims)
