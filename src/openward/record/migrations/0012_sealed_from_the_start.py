"""A record that begins empty has nothing of before it was sealed: nobody need go through it once."""

from __future__ import annotations

from typing import Any

from django.db import migrations


def nothing_stands_in_clear(apps: Any, editor: Any) -> None:
    from openward.keys.resealing import RULES

    with editor.connection.cursor() as cursor:
        cursor.execute("update fhir.sealing_walk set done = %s where done = '' and not exists (select from fhir.body)", [RULES])


class Migration(migrations.Migration):
    dependencies = [("record", "0011_packed_exports")]
    operations = [migrations.RunPython(nothing_stands_in_clear, migrations.RunPython.noop)]
