"""Until when something stood in clear that is sealed now, from the engine's own SQL."""

from __future__ import annotations

from importlib.resources import files

from django.db import migrations

SCHEMA = files("openward.fhir.schema").joinpath("0010_sealed_at.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("record", "0009_feed")]
    operations = [migrations.RunSQL([(SCHEMA, None)], "alter table fhir.sealing_walk drop column clear_until")]
