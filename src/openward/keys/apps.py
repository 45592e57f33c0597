from __future__ import annotations

from django.apps import AppConfig


class KeysConfig(AppConfig):
    name = "openward.keys"
    label = "keys"
