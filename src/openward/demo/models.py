"""That this instance is a demo, how far it is made, and whom one may sign in as."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from openward.access.roles import ROLES


class Instance(models.Model):
    """The demo clinic of a tenant. `made_for` and `made_at` with the seed say exactly what is in it; `loaded` counts patients, so that a
    build that was interrupted goes on where it stopped; `brought_to` is the day it was last brought to. Without this row there is no persona switcher.
    """

    tenant = models.IntegerField(primary_key=True)
    seed = models.BigIntegerField()
    patients = models.PositiveIntegerField()
    made_for = models.DateField()
    made_at = models.DateTimeField(default=timezone.now)
    loaded = models.PositiveIntegerField(default=0)
    is_complete = models.BooleanField(default=False)
    brought_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = (models.CheckConstraint(name="demo_loaded_within", condition=models.Q(loaded__lte=models.F("patients"))),)

    def __str__(self) -> str:
        return f"demo clinic of {self.patients} patients, seed {self.seed}, {self.made_for}"


class Persona(models.Model):
    """Someone of the demo clinic one may sign in as with one click. `sign_in` is the name in accounts."""

    tenant = models.IntegerField()
    sign_in = models.CharField(max_length=150)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=40, choices=[(key, role.title) for key, role in ROLES.items()])
    sentence = models.CharField(max_length=300)
    place = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("place",)
        constraints = (models.UniqueConstraint(name="one_persona_per_sign_in", fields=("tenant", "sign_in")),)

    def __str__(self) -> str:
        return f"{self.sign_in} ({self.role})"
