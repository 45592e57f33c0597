from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SmartConfig(AppConfig):
    name = "openward.smart"
    label = "smart"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from openward.access.permissions import Permission
        from openward.accounts.tokens import Source, register
        from openward.smart import health, jobs, sessions  # noqa: F401 - the check and the job register themselves
        from openward.smart.sources import look_up, stands
        from openward.web.navigation import Entry
        from openward.web.navigation import register as show

        register(Source(look_up, stands))
        sessions.watch()
        show(
            Entry("smart:apps", _("Apps"), "layout-grid", Permission.MANAGE_APPS, group="practice", order=40),
            Entry("smart:connected", _("Apps"), "layout-grid", Permission.CONNECT_APPS, group="portal", order=60, kinds=("patient",)),
        )
