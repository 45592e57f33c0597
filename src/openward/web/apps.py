from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebConfig(AppConfig):
    name = "openward.web"
    label = "web"
    verbose_name = _("Pages")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from openward.web import checks, palette_pages  # noqa: F401  registers the system checks and the page provider
        from openward.web.threads import use_own_storage

        use_own_storage()
