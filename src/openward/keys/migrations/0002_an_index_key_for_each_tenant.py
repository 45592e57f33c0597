"""The one key by which social security numbers of all tenants were found is retired: each tenant has its own from now on.

Until the job of rotation has indexed all of them anew they are found by either.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.utils import timezone

EVERYWHERE = 0


def retire(apps: Any, editor: Any) -> None:  # noqa: ARG001 - Django's signature
    keys = apps.get_model("keys", "DataKey").objects.filter(tenant=EVERYWHERE, purpose="record-identifier:blind", retired_at__isnull=True)
    if keys.update(retired_at=timezone.now()):
        from procrastinate.contrib.django import app

        app.configure_task("keys.reseal").defer()


class Migration(migrations.Migration):
    dependencies = [("keys", "0001_initial"), ("procrastinate", "0041_post_retry_failed_job")]
    operations = [migrations.RunPython(retire, migrations.RunPython.noop)]
