"""What the policy decides by and FHIR has no place for. Every row says who gave it, and until when."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db import models
from django.utils import timezone


def alive(now: dt.datetime | None = None) -> models.Q:
    """Begun, and neither over nor taken back."""
    at = now or timezone.now()
    return models.Q(since__lte=at) & (models.Q(until__isnull=True) | models.Q(until__gt=at))


class LabelInUse(models.Model):
    """That some resource of a type has, or had, a sensitivity label. While there is no row, nobody pays for looking."""

    tenant = models.IntegerField()
    rtype = models.SmallIntegerField()
    label = models.CharField(max_length=200)

    class Meta:
        constraints = (models.UniqueConstraint(name="label_in_use_once", fields=("tenant", "rtype", "label")),)

    def __str__(self) -> str:
        return f"{self.label} on {self.rtype}"


class LabelRule(models.Model):
    """A rule of the house's own, beside `content/labels.json`: what is coded so gets the label. Ended, it puts no more labels; those there stay."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField()
    label = models.CharField(max_length=200)
    system = models.CharField(max_length=300)
    code = models.CharField(max_length=100)
    is_start = models.BooleanField(default=False)
    made_by = models.CharField(max_length=200)
    made_at = models.DateTimeField(default=timezone.now)
    ended_by = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="label_rule_once", fields=("tenant", "label", "system", "code", "is_start"), condition=models.Q(ended_at__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"{self.label}: {self.system}|{self.code}"


class Relabelling(models.Model):
    """One pass over what is stored, by the rules with this digest. `place` and `at_key` are where it got to; `barrier` the transaction it waits out."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField()
    digest = models.CharField(max_length=64)
    asked_at = models.DateTimeField(default=timezone.now)
    barrier = models.BigIntegerField(null=True, blank=True)
    place = models.PositiveSmallIntegerField(default=0)
    at_key = models.UUIDField(null=True, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    labelled = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    moved_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(name="one_relabelling_at_a_time", fields=("tenant",), condition=models.Q(finished_at__isnull=True)),)

    def __str__(self) -> str:
        return f"{self.done} of {self.total}"


class Tie(models.Model):
    """That a patient is, or was, in the care of `holder`: the key of a Practitioner, an Organization or a Location. Kept by a guard."""

    tenant = models.IntegerField()
    holder = models.UUIDField()
    patient = models.UUIDField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(name="tie_once", fields=("tenant", "holder", "patient")),)

    def __str__(self) -> str:
        return f"{self.holder} and {self.patient}"


class Directive(models.Model):
    """One provision of a FHIR Consent, as the policy asks it. An empty list means: whoever, whatever for, whatever label, whatever type."""

    tenant = models.IntegerField()
    consent = models.UUIDField()
    place = models.PositiveSmallIntegerField()
    depth = models.PositiveSmallIntegerField()
    patient = models.UUIDField()
    permits = models.BooleanField()
    actors = models.JSONField(default=list)
    purposes = models.JSONField(default=list)
    labels = models.JSONField(default=list)
    types = models.JSONField(default=list)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(name="directive_once", fields=("tenant", "consent", "place")),)
        indexes = (models.Index(name="directive_by_patient", fields=("tenant", "patient")),)

    def __str__(self) -> str:
        return f"{'permit' if self.permits else 'deny'} of {self.consent}"


class CustomRole(models.Model):
    """A role made here. `grants` maps a FHIR type to letters of cruds; `cleared` and `cleared_in_care` list labels; `reach` is one of roles.REACHES."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField()
    key = models.SlugField(max_length=40)
    title = models.CharField(max_length=80)
    sentence = models.CharField(max_length=300)
    based_on = models.CharField(max_length=40)
    permissions = models.JSONField(default=list)
    grants = models.JSONField(default=dict)
    reach = models.CharField(max_length=20, default="everyone")
    cleared = models.JSONField(default=list)
    cleared_in_care = models.JSONField(default=list)
    made_by = models.CharField(max_length=200)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(name="custom_role_once", fields=("tenant", "key")),)

    def __str__(self) -> str:
        return self.title


class Assignment(models.Model):
    """That a person has a custom role, instead of the shipped one they signed up with, perhaps for one facility and for a time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField()
    user_id = models.UUIDField()
    role = models.ForeignKey(CustomRole, on_delete=models.PROTECT, related_name="assignments")
    facility = models.CharField(max_length=120, blank=True)
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True, blank=True)
    given_by = models.CharField(max_length=200)

    class Meta:
        constraints = (models.UniqueConstraint(name="one_custom_role_each", fields=("tenant", "user_id")),)

    def __str__(self) -> str:
        return f"{self.user_id} as {self.role_id}"


class Clearance(models.Model):
    """That one person or client program may see what has a label, or (`relabel`) change labels. `actor` is Actor.id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField()
    actor = models.CharField(max_length=150)
    label = models.CharField(max_length=200)
    reason = models.CharField(max_length=300)
    given_by = models.CharField(max_length=200)
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(name="clearance_once", fields=("tenant", "actor", "label")),)

    def __str__(self) -> str:
        return f"{self.actor} for {self.label}"


class ProxyGrant(models.Model):
    """That a person who signs in may look after a patient's record. `areas` are keys of proxies.AREAS; `related` their RelatedPerson."""

    class Kind(models.TextChoices):
        PARENT = "parent", "Parent"
        GUARDIAN = "guardian", "Guardian"
        CARER = "carer", "Carer"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField()
    user_id = models.UUIDField()
    patient = models.UUIDField()
    reference = models.CharField(max_length=120)
    related = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    areas = models.JSONField(default=list)
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True, blank=True)
    given_by = models.CharField(max_length=200)

    class Meta:
        constraints = (models.UniqueConstraint(name="proxy_once", fields=("tenant", "user_id", "patient")),)

    def __str__(self) -> str:
        return f"{self.user_id} for {self.reference}"


class Opening(models.Model):
    """One breaking of the glass: who, whose record, why, until when, and what the privacy officer said of it."""

    class Verdict(models.TextChoices):
        RIGHT = "right", "In order"
        WRONG = "wrong", "Not in order"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField()
    actor = models.CharField(max_length=150)
    actor_name = models.CharField(max_length=200)
    actor_role = models.CharField(max_length=40)
    patient = models.UUIDField()
    reference = models.CharField(max_length=120)
    reason = models.CharField(max_length=40)
    words = models.CharField(max_length=500)
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField()
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.CharField(max_length=200, blank=True)
    verdict = models.CharField(max_length=10, choices=Verdict.choices, blank=True)
    finding = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="opening_ends", condition=models.Q(until__gte=models.F("since"))),
            models.CheckConstraint(
                name="opening_reviewed_whole",
                condition=(models.Q(reviewed_at__isnull=True) & models.Q(verdict="")) | (models.Q(reviewed_at__isnull=False) & ~models.Q(verdict="")),
            ),
        )
        indexes = (models.Index(name="opening_by_actor", fields=("tenant", "actor", "until")),)

    def __str__(self) -> str:
        return f"{self.actor_name} opened {self.reference}"

    @property
    def is_open(self) -> bool:
        return self.until > timezone.now()


class Flag(models.Model):
    """A day's look-ups of one record by one member of staff that the privacy officer should see. `reasons` are keys of snooping.REASONS."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField()
    day = models.DateField()
    actor = models.CharField(max_length=150)
    actor_name = models.CharField(max_length=200)
    actor_role = models.CharField(max_length=40)
    patient = models.UUIDField()
    reasons = models.JSONField(default=list)
    times = models.PositiveIntegerField()
    first = models.DateTimeField()
    last = models.DateTimeField()
    examined_by = models.CharField(max_length=200, blank=True)
    examined_at = models.DateTimeField(null=True, blank=True)
    finding = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(name="flag_once", fields=("tenant", "day", "actor", "patient")),)
        indexes = (models.Index(name="flag_by_day", fields=("tenant", "examined_at", "day")),)

    def __str__(self) -> str:
        return f"{self.actor_name} on {self.day}"


def restamped(row: models.Model, **facts: Any) -> None:
    """Set and save only these."""
    for name, value in facts.items():
        setattr(row, name, value)
    row.save(update_fields=list(facts))
