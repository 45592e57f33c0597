"""A tenant's sequence is made by the owner of the tables, whoever asks for the first number: the user of daily work makes nothing."""

from __future__ import annotations

from django.db import migrations

ALTER = "alter function registration_next_number(int) security definer set search_path = public, pg_temp"
UNDO = "alter function registration_next_number(int) security invoker reset search_path"


class Migration(migrations.Migration):
    dependencies = [("registration", "0001_initial")]
    operations = [migrations.RunSQL(ALTER, UNDO)]
