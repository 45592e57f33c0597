"""Tickets and what happened to them. A ticket never holds patient data: it carries the page's name, not its address."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Ticket(models.Model):
    """An incident or a request (ITIL). `number` counts up within the tenant and is what people say on the phone."""

    class Kind(models.TextChoices):
        INCIDENT = "incident", _("Incident")
        REQUEST = "request", _("Request")

    class State(models.TextChoices):
        NEW = "new", _("New")
        WORKING = "working", _("In progress")
        WAITING = "waiting", _("Waiting for the reporter")
        RESOLVED = "resolved", _("Resolved")

    class Impact(models.IntegerChoices):
        STOPPED = 1, _("I cannot do my work")
        SLOWED = 2, _("It slows me down")
        MINOR = 3, _("It is a small thing")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField(default=1)
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.INCIDENT)
    state = models.CharField(max_length=10, choices=State.choices, default=State.NEW)
    impact = models.PositiveSmallIntegerField(choices=Impact.choices, default=Impact.SLOWED)
    title = models.CharField(max_length=140)
    words = models.TextField(blank=True)
    page = models.CharField(max_length=100, blank=True)
    version = models.CharField(max_length=40, blank=True)
    error_id = models.CharField(max_length=40, blank=True)
    browser = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=60, blank=True)
    reporter = models.CharField(max_length=100)
    reporter_name = models.CharField(max_length=200)
    contact = models.CharField(max_length=200, blank=True)
    agent = models.CharField(max_length=100, blank=True)
    agent_name = models.CharField(max_length=200, blank=True)
    opened_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "number"), name="ticket_number_once"),
            models.UniqueConstraint(
                fields=("tenant", "source"), name="one_open_ticket_per_source", condition=~models.Q(source="") & ~models.Q(state="resolved")
            ),
            models.CheckConstraint(
                name="resolved_says_when",
                condition=models.Q(state="resolved", resolved_at__isnull=False) | (~models.Q(state="resolved") & models.Q(resolved_at__isnull=True)),
            ),
        )
        indexes = (models.Index(fields=["tenant", "state", "impact", "opened_at"]), models.Index(fields=["tenant", "reporter", "opened_at"]))

    def __str__(self) -> str:
        return f"#{self.number} {self.title}"

    @property
    def is_open(self) -> bool:
        return self.state != self.State.RESOLVED


class TicketEntry(models.Model):
    """One thing said or done on a ticket, in order, never changed. An internal one is for agents only."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="entries")
    at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=100)
    by_name = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=Ticket.State.choices, blank=True)
    words = models.TextField(blank=True)
    internal = models.BooleanField(default=False)

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"{self.by_name} at {self.at}"


# From → to. An answer to the reporter leaves the state alone.
TRANSITIONS: dict[str, frozenset[str]] = {
    Ticket.State.NEW: frozenset({Ticket.State.WORKING, Ticket.State.WAITING, Ticket.State.RESOLVED}),
    Ticket.State.WORKING: frozenset({Ticket.State.WAITING, Ticket.State.RESOLVED}),
    Ticket.State.WAITING: frozenset({Ticket.State.WORKING, Ticket.State.RESOLVED}),
    Ticket.State.RESOLVED: frozenset({Ticket.State.WORKING}),
}
