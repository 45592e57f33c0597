"""The messages themselves."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from openward.keys.fields import SealedTextField


class Message(models.Model):
    """One message to one person. Its words never carry clinical facts: a phone's lock screen is public.

    They stand sealed: a link in them is a key to an account or a bill.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        SMS = "sms", "Text message"
        LETTER = "letter", "Letter"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField(default=1)
    kind = models.CharField(max_length=60)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    to = models.CharField(max_length=254)
    subject_ref = models.CharField(max_length=120, blank=True)
    title = models.CharField(max_length=200, blank=True)
    body = SealedTextField("outbox")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)
    made_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["tenant", "state", "made_at"]),
            models.Index(fields=["tenant", "subject_ref", "made_at"]),
        )
        constraints = (
            models.CheckConstraint(
                name="sent_says_when",
                condition=models.Q(state="sent", sent_at__isnull=False) | (~models.Q(state="sent") & models.Q(sent_at__isnull=True)),
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel}: {self.state}"
