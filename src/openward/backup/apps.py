from __future__ import annotations

from django.apps import AppConfig


class BackupConfig(AppConfig):
    name = "openward.backup"
    label = "backup"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from openward.backup import health, jobs  # noqa: F401 - register themselves
