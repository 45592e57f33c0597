"""What sealing adds to the engine's tables, from its own SQL. What is there already is sealed by the job of rotation, which this only queues."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from django.db import migrations

SCHEMA = files("openward.fhir.schema").joinpath("0008_sealing.sql").read_text(encoding="utf-8")


def queue(apps: Any, editor: Any) -> None:  # noqa: ARG001 - Django's signature
    """Nothing to seal in an empty record."""
    from procrastinate.contrib.django import app

    with editor.connection.cursor() as cursor:
        cursor.execute("select exists (select from fhir.body)")
        if cursor.fetchone() == (True,):
            app.configure_task("keys.reseal").defer()


class Migration(migrations.Migration):
    dependencies = [("record", "0007_kinds"), ("procrastinate", "0041_post_retry_failed_job")]
    operations = [migrations.RunSQL([(SCHEMA, None)], migrations.RunSQL.noop), migrations.RunPython(queue, migrations.RunPython.noop)]
