"""Data keys, wrapped. A dump of this table opens nothing."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class DataKey(models.Model):
    """A key of 256 bits for one purpose of one tenant. The newest that is not retired seals; every one unseals what it sealed."""

    id = models.BigIntegerField(primary_key=True)
    tenant = models.IntegerField()
    purpose = models.CharField(max_length=40)
    outer = models.CharField(max_length=64)
    wrapped = models.BinaryField(max_length=4096)
    made_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="one_active_data_key", fields=("tenant", "purpose"), condition=models.Q(retired_at__isnull=True)),
        )

    def __str__(self) -> str:
        return f"data key {self.id} for {self.purpose}"
