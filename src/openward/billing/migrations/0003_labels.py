"""The sensitivity labels of claims and of what statements explain, so that who may not see a claim does not see its row either."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

FORWARD = """
alter table billing_claim add column labels text[] not null default '{}';
create index billing_claim_labelled on billing_claim (tenant, state) where labels <> '{}';
alter table billing_statement add column labels text[];
"""
BACK = "alter table billing_claim drop column labels; alter table billing_statement drop column labels;"


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_visits_to_bill")]
    operations = [
        migrations.RunSQL(
            FORWARD,
            BACK,
            state_operations=[
                migrations.AddField("ClaimRow", "labels", ArrayField(models.TextField(), default=list)),
                migrations.AddField("Statement", "labels", ArrayField(models.TextField(), null=True)),
            ],
        )
    ]
