"""The audit trail as a view over its two tables, which are written with SQL in the transaction of what they describe. Triggers refuse update, delete and truncate."""

from __future__ import annotations

import uuid
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

LEAST_DAYS = 2192  # six years with their leap days


class AuditEvent(models.Model):
    """One interaction: who, what, whose data, when, how it ended. https://hl7.org/fhir/R4/auditevent.html

    `outcome` is 0 success, 4 refused, 8 failed. Of one patient's data, `patient` is their key; of several patients', `patients` are theirs.
    """

    id = models.BigIntegerField(primary_key=True)
    tenant = models.IntegerField()
    at = models.DateTimeField()
    actor = models.TextField()
    actor_name = models.TextField()
    actor_role = models.TextField(null=True)  # noqa: DJ001 - the absence of a role is a fact of its own
    on_behalf_of = models.TextField(null=True)  # noqa: DJ001
    interaction = models.TextField()
    rtype = models.SmallIntegerField(null=True)
    rkey = models.UUIDField(null=True)
    version = models.IntegerField(null=True)
    patient = models.UUIDField(null=True)
    patients = ArrayField(models.UUIDField(), null=True)
    outcome = models.SmallIntegerField()
    purpose = models.TextField()
    detail = models.TextField(null=True)  # noqa: DJ001
    request_id = models.TextField(null=True)  # noqa: DJ001
    address = models.TextField(null=True)  # noqa: DJ001

    class Meta:
        managed = False
        db_table = 'audit"."event'

    def __str__(self) -> str:
        return f"{self.at} {self.actor_name} {self.interaction}"

    @property
    def whose(self) -> list[UUID]:
        """The keys of the patients whose data was touched."""
        return self.patients or ([self.patient] if self.patient else [])


class Retention(models.Model):
    """How long the trail of one tenant is kept, in days; without a row, for ever. At least six years: 45 CFR 164.316(b)(2)(i)."""

    tenant = models.IntegerField(primary_key=True)
    days = models.PositiveIntegerField()
    set_by = models.CharField(max_length=200)
    set_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.CheckConstraint(name="trail_kept_six_years", condition=models.Q(days__gte=LEAST_DAYS)),)

    def __str__(self) -> str:
        return f"kept for {self.days} days"


class Hold(models.Model):
    """A legal hold: while one stands, nothing of the trail may go however old."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField()
    reason = models.CharField(max_length=500)
    placed_by = models.CharField(max_length=200)
    placed_at = models.DateTimeField(default=timezone.now)
    released_by = models.CharField(max_length=200, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["tenant", "released_at"], name="audit_hold_tenant_released"),)

    def __str__(self) -> str:
        return self.reason


class Breach(models.Model):
    """A suspected breach under examination: one account's accesses, or everybody's, in a period. 45 CFR 164.400-414"""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField()
    title = models.CharField(max_length=200)
    discovered_on = models.DateField()
    suspect = models.CharField(max_length=200, blank=True)
    since = models.DateTimeField()
    until = models.DateTimeField()
    opened_by = models.CharField(max_length=200)
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["tenant", "closed_at", "discovered_on"], name="audit_breach_tenant_closed"),)
        constraints = (models.CheckConstraint(name="breach_period_forward", condition=models.Q(since__lt=models.F("until"))),)

    def __str__(self) -> str:
        return self.title


class BreachStep(models.Model):
    """One line of the breach's log: who did what to it, and when. Lines are added, never changed."""

    id = models.BigAutoField(primary_key=True)
    breach = models.ForeignKey(Breach, on_delete=models.PROTECT, related_name="steps")
    at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=200)
    what = models.CharField(max_length=30)
    words = models.CharField(max_length=1000, blank=True)

    def __str__(self) -> str:
        return f"{self.at} {self.what}"


class Affected(models.Model):
    """A patient whose data the breach touched, as the trail showed it when it was gathered; `letter` is the message in the outbox."""

    id = models.BigAutoField(primary_key=True)
    breach = models.ForeignKey(Breach, on_delete=models.PROTECT, related_name="affected")
    patient = models.UUIDField()
    first = models.DateTimeField()
    last = models.DateTimeField()
    times = models.PositiveIntegerField()
    types = models.CharField(max_length=400)
    letter = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(name="affected_once", fields=("breach", "patient")),)

    def __str__(self) -> str:
        return f"{self.patient} {self.times}"
