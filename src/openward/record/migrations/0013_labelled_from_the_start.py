"""What an empty record takes in is labelled on the way: nobody need go through it once by the rules that have held since the beginning."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.utils import timezone

FIRST = 1  # the tenant of an installation of one house


def nothing_stands_unlabelled(apps: Any, editor: Any) -> None:
    from openward.access.rules import digest_of_rules

    with editor.connection.cursor() as cursor:
        cursor.execute("select exists (select from fhir.body)")
        if cursor.fetchone() != (True,):
            apps.get_model("access", "Relabelling").objects.create(tenant=FIRST, digest=digest_of_rules(FIRST), finished_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("record", "0012_sealed_from_the_start"), ("access", "0004_the_first_change_counts")]
    operations = [migrations.RunPython(nothing_stands_unlabelled, migrations.RunPython.noop)]
