from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("smart", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="signed_in_at",
            field=models.DateTimeField(null=True),
        ),
    ]
