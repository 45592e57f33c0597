from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    name = "openward.portal"
    label = "portal"

    def ready(self) -> None:
        from openward.access.permissions import Permission
        from openward.web.homes import register_home
        from openward.web.navigation import Entry, register

        own = Permission.SEE_OWN_RECORD
        register(
            Entry("portal:visits", _("Visits"), "calendar", own, group="portal", order=10, kinds=("patient",)),
            Entry("portal:results", _("Results"), "flask-conical", own, group="portal", order=20, kinds=("patient",)),
            Entry("portal:messages", _("Messages"), "message-circle", Permission.MESSAGE_PRACTICE, group="portal", order=30, kinds=("patient",)),
            Entry("portal:bills", _("Bills"), "credit-card", Permission.PAY_BALANCE, group="portal", order=40, kinds=("patient",)),
        )
        register_home("patient", "portal:home")
        register_home("proxy", "portal:home")
