"""What the privacy office keeps besides the trail: of which days the look-ups were examined, and what stays out of an accounting for a time."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import models
from django.utils import timezone


class Reported(models.Model):
    """A day, in the time zone of the pages, whose look-ups were gone through. What has no row is still due."""

    id = models.BigAutoField(primary_key=True)
    tenant = models.IntegerField()
    day = models.DateField()
    flagged = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(name="privacy_reported_once", fields=("tenant", "day")),)

    def __str__(self) -> str:
        return f"{self.day}: {self.flagged}"


class Suspension(models.Model):
    """Disclosures to one agency that stay out of a patient's accounting until a day, as the agency asked. 45 CFR 164.528(a)(2)

    `agency` is written as in the disclosures; `stated` is who said it and why. An agency that only said it holds for 30 days at most.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField()
    patient = models.UUIDField()
    agency = models.CharField(max_length=200)
    stated = models.CharField(max_length=500)
    in_writing = models.BooleanField()
    since = models.DateField()
    until = models.DateField()
    made_by = models.CharField(max_length=200)
    made_at = models.DateTimeField(default=timezone.now)
    ended_by = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["tenant", "patient"], name="privacy_suspension_patient"),)
        constraints = (models.CheckConstraint(name="suspension_forward", condition=models.Q(since__lte=models.F("until"))),)

    def __str__(self) -> str:
        return f"{self.agency} until {self.until}"

    def holds(self, today: dt.date) -> bool:
        """The day named is the last on which it holds."""
        return self.ended_at is None and self.until >= today
