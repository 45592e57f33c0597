"""What was opened, and what still waits for its review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from openward.access.actor import Actor
from openward.access.models import Opening
from openward.audit.queries import Period, of_actor
from openward.privacy.breakglass.actions import REASONS, REVIEW_WITHIN

MOST = 200


@dataclass(frozen=True)
class Row:
    """One opening as the review queue shows it."""

    opening: Opening
    patient_name: str

    @property
    def why(self) -> str:
        return str(REASONS.get(self.opening.reason, self.opening.reason))

    @property
    def is_late(self) -> bool:
        return self.opening.reviewed_at is None and self.opening.since < timezone.now() - REVIEW_WITHIN


def waiting(tenant: int) -> QuerySet[Opening]:
    return Opening.objects.filter(tenant=tenant, reviewed_at__isnull=True).order_by("since")


def reviewed(tenant: int) -> Sequence[Opening]:
    return list(Opening.objects.filter(tenant=tenant, reviewed_at__isnull=False).order_by("-reviewed_at")[:MOST])


def mine(actor: Actor) -> list[Opening]:
    """What the actor has open now."""
    return list(Opening.objects.filter(tenant=actor.tenant, actor=actor.id, until__gt=timezone.now()).order_by("until"))


def looked_at(opening: Opening) -> int:
    """How often its holder touched the record while it was open."""
    events = of_actor(opening.tenant, opening.actor, Period(opening.since, max(opening.until, opening.since)))
    return sum(1 for event in events.only("patient", "patients") if opening.patient in event.whose)


def late() -> int:
    """How many of every tenant have waited too long."""
    return Opening.objects.filter(reviewed_at__isnull=True, since__lt=timezone.now() - REVIEW_WITHIN).count()


def keys(openings: Sequence[Opening]) -> list[UUID]:
    return sorted({opening.patient for opening in openings})
