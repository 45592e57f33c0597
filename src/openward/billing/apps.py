from __future__ import annotations

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "openward.billing"
    label = "billing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from openward.billing import guards, health, homes, jobs  # noqa: F401 - registers guards, checks, navigation and jobs
