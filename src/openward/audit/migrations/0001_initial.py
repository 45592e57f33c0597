"""The audit table: append-only, in order of time, written with SQL."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

TABLE = """
create schema audit;
create table audit.event (
  tenant int not null, id uuid not null, at timestamptz not null default clock_timestamp(),
  actor text not null, actor_name text not null, actor_role text, on_behalf_of text,
  interaction text not null, rtype smallint, rkey uuid, version int, patients uuid[] not null default '{}',
  outcome smallint not null default 0 check (outcome in (0, 4, 8, 12)),
  purpose text not null, detail text, request_id text, address inet,
  primary key (tenant, at, id)
);
create index event_by_patient on audit.event using gin (patients) with (fastupdate = on);
create index event_by_actor on audit.event (tenant, actor, at desc);
create function audit.refuse() returns trigger language plpgsql as $$
begin
  raise exception 'the audit trail is append-only' using errcode = 'restrict_violation';
end $$;
create trigger append_only before update or delete on audit.event for each row execute function audit.refuse();
create trigger never_emptied before truncate on audit.event for each statement execute function audit.refuse();
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(TABLE, "drop schema audit cascade"),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("at", models.DateTimeField()),
                ("actor", models.TextField()),
                ("actor_name", models.TextField()),
                ("actor_role", models.TextField(null=True)),
                ("on_behalf_of", models.TextField(null=True)),
                ("interaction", models.TextField()),
                ("rtype", models.SmallIntegerField(null=True)),
                ("rkey", models.UUIDField(null=True)),
                ("version", models.IntegerField(null=True)),
                ("patients", ArrayField(models.UUIDField(), size=None)),
                ("outcome", models.SmallIntegerField()),
                ("purpose", models.TextField()),
                ("detail", models.TextField(null=True)),
                ("request_id", models.TextField(null=True)),
                ("address", models.GenericIPAddressField(null=True)),
            ],
            options={"db_table": 'audit"."event', "managed": False},
        ),
    ]
