"""The fee schedule."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Q, QuerySet

from openward.billing.errors import UnknownFee
from openward.billing.models import Fee


def fee(tenant: int, code: str) -> Fee:
    """Raises UnknownFee."""
    found = Fee.objects.filter(tenant=tenant, code=code.strip().upper(), is_active=True).first()
    if found is None:
        raise UnknownFee(code=code)
    return found


def fees(tenant: int, words: str = "") -> QuerySet[Fee]:
    """Active lines, in the order of their codes; `words` is part of a code or of a description."""
    found = Fee.objects.filter(tenant=tenant, is_active=True)
    if words:
        found = found.filter(Q(code__icontains=words) | Q(description__icontains=words))
    return found.order_by("code")


def fees_by_trigger(tenant: int) -> Mapping[str, Fee]:
    """What is charged automatically, by what makes the charge."""
    charged = Fee.objects.filter(tenant=tenant, is_active=True).exclude(charged_for=[])
    return {trigger: line for line in charged for trigger in line.charged_for}
