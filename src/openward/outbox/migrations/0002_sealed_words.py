"""Messages: the words stand sealed, a link in them is as good as a key, and must not be read out of a copy of the database."""

from __future__ import annotations

from typing import Any

from django.db import migrations

import openward.keys.fields
from openward.keys.fields import Sealed


def seal(apps: Any, editor: Any) -> None:  # noqa: ARG001 - Django's signature
    message = apps.get_model("outbox", "Message")
    words = message._meta.get_field("body")
    for id, tenant, body in message.objects.exclude(body="").values_list("id", "tenant", "body").iterator():
        message.objects.filter(id=id).update(body=words.sealed(str(body), message(id=id, tenant=tenant)))


def unseal(apps: Any, editor: Any) -> None:  # noqa: ARG001 - Django's signature
    message = apps.get_model("outbox", "Message")
    words = message._meta.get_field("body")
    for row in message.objects.exclude(body="").iterator():
        message.objects.filter(id=row.id).update(body=Sealed(words.unsealed(Sealed(row.__dict__["body"]), row)))


class Migration(migrations.Migration):
    dependencies = [("outbox", "0001_initial"), ("keys", "0001_initial")]
    operations = [
        migrations.AlterField("Message", "body", openward.keys.fields.SealedTextField("outbox")),
        migrations.RunPython(seal, unseal),
    ]
