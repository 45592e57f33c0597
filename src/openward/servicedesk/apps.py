from __future__ import annotations

from django.apps import AppConfig


class ServicedeskConfig(AppConfig):
    name = "openward.servicedesk"
    label = "servicedesk"
    default_auto_field = "django.db.models.BigAutoField"
