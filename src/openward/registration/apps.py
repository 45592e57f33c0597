from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from openward.access.permissions import Permission

if TYPE_CHECKING:
    from openward.web.pages import PageRequest
    from openward.web.palette import Item


class RegistrationConfig(AppConfig):
    name = "openward.registration"
    label = "registration"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from openward.registration import cards, guards  # noqa: F401 - importing registers the guards
        from openward.web.homes import register_home_card
        from openward.web.navigation import Entry, register
        from openward.web.palette import register_palette_provider

        register(Entry("registration:find", _("Patients"), "users", Permission.FIND_PATIENTS, group="clinic", order=5, key="g p"))
        register_home_card(cards.FIND)
        register_palette_provider(_patients)


def _patients(request: PageRequest, text: str) -> Sequence[Item]:
    """The finder is imported by who types, not by every process."""
    from openward.registration.finding import palette

    return palette(request, text)
