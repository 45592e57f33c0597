"""The audit trail as FHIR AuditEvent: registered with the engine, with the people of this installation behind its agents."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from openward.audit import guards  # noqa: F401 - registers its guard
from openward.audit.events.trail import Trail
from openward.fhir.virtual import register


def _actors_of(tenant: int, references: Sequence[str]) -> list[str]:
    """The actors whose own resource is one of these: `Practitioner/1` → `user:…`."""
    from openward.accounts.models import User

    return [
        f"user:{id}" for id in User.objects.filter(tenant=tenant, reference__in=[text for text in references if text]).values_list("id", flat=True)
    ]


def _base() -> str:
    return f"{settings.OPENWARD_PUBLIC_URL}/fhir" if settings.OPENWARD_PUBLIC_URL else "urn:openward:server"


register(Trail(_actors_of, _base))
