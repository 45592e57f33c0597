from __future__ import annotations

from django.apps import AppConfig


class EntranceConfig(AppConfig):
    name = "openward.entrance"
    label = "entrance"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from openward.entrance import jobs  # noqa: F401 - registers them
