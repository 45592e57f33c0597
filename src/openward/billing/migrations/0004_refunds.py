"""Refunds as they are under way: entered before the processor is asked, so that none is given twice or given and not booked."""

from __future__ import annotations

from django.db import migrations, models

TABLE = """
create table billing_refund (
  tenant int not null, id uuid not null, payment uuid not null, key text not null, amount numeric(12,2) not null check (amount > 0),
  why text not null, state text not null check (state in ('started', 'given', 'declined')), reason text not null default '',
  made_at timestamptz not null default clock_timestamp(), made_by text not null,
  primary key (tenant, id), foreign key (tenant, payment) references billing_payment (tenant, id),
  constraint refund_key_once unique (tenant, payment, key)
);
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_labels")]
    operations = [
        migrations.RunSQL(TABLE, "drop table billing_refund"),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("pk", models.CompositePrimaryKey("tenant", "id", blank=True, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("id", models.UUIDField()),
                ("payment", models.UUIDField()),
                ("key", models.TextField()),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("why", models.TextField()),
                ("state", models.TextField()),
                ("reason", models.TextField(blank=True)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("made_by", models.TextField()),
            ],
            options={"db_table": "billing_refund", "managed": False},
        ),
    ]
