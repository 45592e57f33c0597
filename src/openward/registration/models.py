"""Who owns which medical record number."""

from __future__ import annotations

from django.db import models


class RecordNumber(models.Model):
    """One patient's number: unique by (tenant, number) and by (tenant, patient). Written by the guard on Patient only (`numbers`)."""

    number = models.CharField(max_length=64, primary_key=True)
    tenant = models.IntegerField()
    patient = models.UUIDField()

    class Meta:
        db_table = "registration_number"

    def __str__(self) -> str:
        return self.number
