from __future__ import annotations

from django.apps import AppConfig


class AdministrationConfig(AppConfig):
    name = "openward.administration"
    label = "administration"
    default_auto_field = "django.db.models.BigAutoField"
