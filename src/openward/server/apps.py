from __future__ import annotations

from django.apps import AppConfig


class ServerConfig(AppConfig):
    name = "openward.server"
    label = "server"

    def ready(self) -> None:
        from openward.server import health, rotation  # noqa: F401 - register the checks of the ground and the rotation of keys
