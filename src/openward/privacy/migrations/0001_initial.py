"""Of which days the look-ups were gone through, and what stays out of an accounting for a time."""

import uuid

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Reported",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("day", models.DateField()),
                ("flagged", models.PositiveIntegerField()),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("tenant", "day"), name="privacy_reported_once")],
            },
        ),
        migrations.CreateModel(
            name="Suspension",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("patient", models.UUIDField()),
                ("agency", models.CharField(max_length=200)),
                ("stated", models.CharField(max_length=500)),
                ("in_writing", models.BooleanField()),
                ("since", models.DateField()),
                ("until", models.DateField()),
                ("made_by", models.CharField(max_length=200)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ended_by", models.CharField(blank=True, max_length=200)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["tenant", "patient"], name="privacy_suspension_patient")],
                "constraints": [models.CheckConstraint(condition=models.Q(("since__lte", models.F("until"))), name="suspension_forward")],
            },
        ),
    ]
