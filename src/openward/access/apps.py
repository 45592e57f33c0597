"""The one policy: its tables, and the guards that keep labels, consents and care relations."""

from __future__ import annotations

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "openward.access"
    label = "access"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from openward.access import guards  # noqa: F401 - importing registers them
