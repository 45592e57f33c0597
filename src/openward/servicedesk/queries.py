"""Which tickets a person may see: agents all of them, others their own."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from openward.access.actor import Actor
from openward.access.permissions import Permission
from openward.fhir.errors import NotFound
from openward.servicedesk.models import Ticket, TicketEntry


def visible(actor: Actor) -> QuerySet[Ticket]:
    tickets = Ticket.objects.filter(tenant=actor.tenant)
    return tickets if actor.may(Permission.WORK_TICKETS) else tickets.filter(reporter=actor.id)


def ticket(actor: Actor, number: int) -> Ticket:
    """Raises NotFound, also for someone else's."""
    found = visible(actor).filter(number=number).first()
    if found is None:
        raise NotFound(type="Ticket", id=number)
    return found


def entries(actor: Actor, found: Ticket) -> QuerySet[TicketEntry]:
    said = found.entries.all()
    return said if actor.may(Permission.WORK_TICKETS) else said.filter(internal=False)


def queue(actor: Actor, state: str = "") -> QuerySet[Ticket]:
    """Open tickets, those that stop someone's work first, the oldest first among equals; or those in `state`."""
    tickets = visible(actor)
    tickets = tickets.filter(state=state) if state else tickets.exclude(state=Ticket.State.RESOLVED)
    return tickets.order_by("impact", "opened_at") if state != Ticket.State.RESOLVED else tickets.order_by("-resolved_at")


def counts(actor: Actor) -> dict[str, int]:
    """How many by state, and `stopped`: open ones that stop someone's work."""
    found = visible(actor)
    by_state = {row["state"]: row["n"] for row in found.values("state").annotate(n=Count("id"))}
    stopped = found.filter(~Q(state=Ticket.State.RESOLVED), impact=Ticket.Impact.STOPPED).count()
    week = timezone.now() - dt.timedelta(days=7)
    return {
        **{state: by_state.get(state, 0) for state in Ticket.State.values},
        "stopped": stopped,
        "week": found.filter(resolved_at__gt=week).count(),
    }
