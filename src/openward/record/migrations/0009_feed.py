"""How far the log of versions is looked through for subscriptions, from the engine's own SQL."""

from __future__ import annotations

from importlib.resources import files

from django.db import migrations

SCHEMA = files("openward.fhir.schema").joinpath("0009_feed.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("record", "0008_sealing")]
    operations = [migrations.RunSQL([(SCHEMA, None)], "alter table fhir.subscription_feed drop column ahead, drop column ahead_at")]
