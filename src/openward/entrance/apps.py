from __future__ import annotations

from django.apps import AppConfig


class EntranceConfig(AppConfig):
    name = "openward.entrance"
    label = "entrance"
    default_auto_field = "django.db.models.BigAutoField"
