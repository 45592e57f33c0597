"""What was backed up and proved, when, and how long it took."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.db import models
from django.utils import timezone


class Run(models.Model):
    """One backup or one drill. `reached` is the moment up to which the record can be restored since; `trouble` is a sentence, or empty when it went well."""

    class Kind(models.TextChoices):
        BACKUP = "backup"
        DRILL = "drill"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    started_at = models.DateTimeField(default=timezone.now)
    seconds = models.FloatField()
    reached = models.DateTimeField(null=True, blank=True)
    facts = models.JSONField(default=list)
    trouble = models.TextField(blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["kind", "-started_at"], name="run_by_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.started_at:%Y-%m-%d %H:%M}" + (f": {self.trouble}" if self.trouble else "")

    @classmethod
    def last_good(cls, kind: str) -> Run | None:
        return cls.objects.filter(kind=kind, trouble="").order_by("-started_at").first()

    @classmethod
    def last(cls, kind: str) -> Run | None:
        return cls.objects.filter(kind=kind).order_by("-started_at").first()

    @property
    def age(self) -> dt.timedelta:
        return timezone.now() - self.started_at
