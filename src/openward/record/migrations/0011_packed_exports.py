"""The files of an export lie packed on the disk, from the engine's own SQL."""

from __future__ import annotations

from importlib.resources import files

from django.db import migrations

SCHEMA = files("openward.fhir.schema").joinpath("0011_packed_exports.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("record", "0010_sealed_at")]
    operations = [migrations.RunSQL([(SCHEMA, None)], "alter table fhir.export_file drop column stored, drop column crc")]
