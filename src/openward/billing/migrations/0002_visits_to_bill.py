"""Signed visits that have no claim yet, so that none is forgotten."""

from __future__ import annotations

from django.db import migrations, models

TABLE = """
create table billing_visit (
  tenant int not null, visit text not null, patient text not null, signed_at timestamptz not null default clock_timestamp(),
  served_on date not null, reason text not null check (reason in ('queued', 'no-coverage', 'no-charges')),
  primary key (tenant, visit)
);
create index billing_visit_by_day on billing_visit (tenant, served_on, visit);
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]
    operations = [
        migrations.RunSQL(TABLE, "drop table billing_visit"),
        migrations.CreateModel(
            name="VisitToBill",
            fields=[
                ("pk", models.CompositePrimaryKey("tenant", "visit", blank=True, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("visit", models.TextField()),
                ("patient", models.TextField()),
                ("signed_at", models.DateTimeField(auto_now_add=True)),
                ("served_on", models.DateField()),
                ("reason", models.TextField()),
            ],
            options={"db_table": "billing_visit", "managed": False},
        ),
    ]
