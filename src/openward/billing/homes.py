"""Where billing shows itself outside its own pages: the menu and the biller's home."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from openward.access.permissions import Permission
from openward.web.homes import register_home
from openward.web.navigation import Entry, register

register(
    Entry("billing:claims", _("Claims"), "receipt-text", Permission.SEE_BILLING, group="money", order=10, key="g b"),
    Entry("billing:remittances", _("Remittances"), "landmark", Permission.POST_REMITTANCES, group="money", order=20, key="g r"),
    Entry("billing:unmatched", _("To sort out"), "triangle-alert", Permission.POST_REMITTANCES, group="money", order=30),
    Entry("billing:accounts", _("Patient accounts"), "wallet", Permission.SEND_STATEMENTS, group="money", order=40),
    Entry("billing:fees", _("Fee schedule"), "tag", Permission.MANAGE_CLAIMS, group="money", order=50),
)
register_home("biller", "billing:claims")
