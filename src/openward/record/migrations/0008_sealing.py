"""What sealing adds to the engine's tables, from its own SQL."""

from __future__ import annotations

from importlib.resources import files

from django.db import migrations

SCHEMA = files("openward.fhir.schema").joinpath("0008_sealing.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("record", "0007_kinds")]
    operations = [migrations.RunSQL([(SCHEMA, None)], migrations.RunSQL.noop)]
