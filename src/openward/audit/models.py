"""The audit trail as a view over its two tables, which are written with SQL in the transaction of what they describe. Triggers refuse update, delete and truncate."""

from __future__ import annotations

from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models


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
