"""The room registers its guards, its navigation, its home cards and its health check when Django starts."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from openward.access.permissions import Permission


class ChartConfig(AppConfig):
    name = "openward.chart"
    label = "chart"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from openward.chart import diagnoses, guards  # noqa: F401 - importing registers the guards
        from openward.chart.cards import CARDS
        from openward.record.health import health_check
        from openward.web.homes import register_home_card
        from openward.web.navigation import Entry, register

        diagnoses.cache_folder = settings.OPENWARD_DATA / "cache"
        health_check("drug-checks", title=str(_("Drug checks when prescribing")))(_drugs_trouble)
        register(Entry("chart:inbox", _("Inbox"), "inbox", Permission.SEE_INBOX, group="care", order=10, key="g i"))
        for card in CARDS:
            register_home_card(card)


def _drugs_trouble() -> str | None:
    from openward.chart.drugs.available import trouble

    return trouble()
