"""The index by which `:missing` finds what lacks a value, from the engine's own SQL."""

from __future__ import annotations

from importlib.resources import files

from django.db import migrations

SCHEMA = files("openward.fhir.schema").joinpath("0007_kinds.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("record", "0006_bulk")]
    operations = [migrations.RunSQL([(SCHEMA, None)], "drop index fhir.current_by_kind")]
