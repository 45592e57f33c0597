from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AdministrationConfig(AppConfig):
    name = "openward.administration"
    label = "administration"

    def ready(self) -> None:
        from openward.access.permissions import Permission
        from openward.web import navigation
        from openward.web.homes import register_home

        navigation.register(
            navigation.Entry("administration:people", _("People"), "users", Permission.MANAGE_USERS, group="practice", order=20),
            navigation.Entry("administration:roles", _("Roles"), "shield", Permission.MANAGE_USERS, group="practice", order=25),
            navigation.Entry("administration:health", _("Health"), "activity", Permission.SEE_HEALTH, group="practice", order=30),
            navigation.Entry("administration:outbox", _("Outbox"), "send", Permission.SEE_OUTBOX, group="practice", order=35),
        )
        register_home("administrator", "administration:people")
