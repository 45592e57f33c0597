from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from openward.web.pages import PageRequest


class ServicedeskConfig(AppConfig):
    name = "openward.servicedesk"
    label = "servicedesk"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from openward.access.permissions import Permission
        from openward.servicedesk import jobs  # noqa: F401 - registers the watch over health
        from openward.web import navigation
        from openward.web.homes import HomeCard, register_home_card

        navigation.register(
            navigation.Entry("servicedesk:queue", _("Service desk"), "ticket", Permission.WORK_TICKETS, group="practice", order=10, key="g s"),
            navigation.Entry("servicedesk:mine", _("My reports"), "life-buoy", Permission.REPORT_PROBLEM, group="practice", order=90),
        )
        register_home_card(
            HomeCard(
                "tickets",
                _("Service desk"),
                "servicedesk/home_card.html",
                _tickets,
                needs=Permission.WORK_TICKETS,
                order=10,
                wide=True,
            )
        )


def _tickets(request: PageRequest) -> dict[str, Any]:
    from openward.servicedesk.queries import counts, queue

    return {"tickets": queue(request.actor)[:8], "counts": counts(request.actor)}
