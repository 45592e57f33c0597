from __future__ import annotations

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "openward.outbox"
    label = "outbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from openward.outbox import jobs, subscriptions  # noqa: F401 - registers the jobs

        subscriptions.register()
