"""The engine's tables, from its own SQL."""

from __future__ import annotations

from importlib.resources import files

from django.db import migrations

SCHEMA = files("openward.fhir.schema").joinpath("0001_record.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.RunSQL([(SCHEMA, None)], "drop schema fhir cascade")]
