from __future__ import annotations

from django.apps import AppConfig


class RecordConfig(AppConfig):
    name = "openward.record"
    label = "record"

    def ready(self) -> None:
        from openward.fhir.terminology import guards  # noqa: F401 - registers what a write of terminology does besides

        _hold_writes_to_profiles()
        from openward.record import exports, interrupted, sealing, searching, subscriptions, trail  # noqa: F401 - registers jobs, health checks, the trail


def _hold_writes_to_profiles() -> None:
    """As the settings say; one that cannot be understood stops the start, not a write."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    from openward.fhir.profiles import policy

    try:
        policy.use(policy.parse(settings.OPENWARD_VALIDATE_PROFILES, settings.OPENWARD_PROFILES, settings.OPENWARD_GUIDES))
    except ValueError as wrong:
        raise ImproperlyConfigured(f"OPENWARD_VALIDATE_PROFILES or OPENWARD_PROFILES: {wrong}") from wrong
