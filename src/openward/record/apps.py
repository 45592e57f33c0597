from __future__ import annotations

from django.apps import AppConfig


class RecordConfig(AppConfig):
    name = "openward.record"
    label = "record"

    def ready(self) -> None:
        from openward.record import exports, searching  # noqa: F401 - registers the jobs of bulk data and of re-indexing
