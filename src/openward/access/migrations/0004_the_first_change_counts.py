"""The first number a sequence gives out is the one it stands at anyway: whoever watches where it stands would not hear of the very first change."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("access", "0003_relabelling")]
    operations = [migrations.RunSQL("select nextval('access_changes')", migrations.RunSQL.noop)]
