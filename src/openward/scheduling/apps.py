from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from openward.access.permissions import Permission


class SchedulingConfig(AppConfig):
    name = "openward.scheduling"
    label = "scheduling"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from openward.scheduling import cards, guards  # noqa: F401 - importing registers the guards
        from openward.web.homes import register_home_card
        from openward.web.navigation import Entry, register

        register(
            Entry("scheduling:today", _("Today"), "calendar-check", Permission.SEE_SCHEDULE, group="clinic", order=10, key="g t"),
            Entry("scheduling:board", _("Flow board"), "kanban", Permission.SEE_FLOW, group="clinic", order=20, key="g f"),
            Entry("scheduling:calendar", _("Calendar"), "calendar-days", Permission.SEE_SCHEDULE, group="clinic", order=30, key="g c"),
        )
        for card in cards.CARDS:
            register_home_card(card)
