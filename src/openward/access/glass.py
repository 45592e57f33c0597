"""What of emergency access every page shows who has it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from openward.access.actor import Actor
from openward.access.models import Opening
from openward.access.standing import standing_for


@dataclass(frozen=True, slots=True)
class Glass:
    """How many records are open to someone by emergency access, and when the first of them closes."""

    number: int
    until: dt.datetime


def open_glass(actor: Actor) -> Glass | None:
    """None for nearly everyone, at no cost beyond what the policy knows anyway."""
    if actor.kind != "staff" or not standing_for(actor)[1].glass:
        return None
    ends = list(
        Opening.objects.filter(tenant=actor.tenant, actor=actor.id, until__gt=timezone.now()).order_by("until").values_list("until", flat=True)
    )
    return Glass(len(ends), ends[0]) if ends else None
