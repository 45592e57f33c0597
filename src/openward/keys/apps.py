from __future__ import annotations

from django.apps import AppConfig


class KeysConfig(AppConfig):
    name = "openward.keys"
    label = "keys"

    def ready(self) -> None:
        from openward.fhir.sealing.port import install
        from openward.keys import resealing  # noqa: F401 - registers where rotation reaches the record
        from openward.keys.bodies import RecordKeys

        install(RecordKeys())
