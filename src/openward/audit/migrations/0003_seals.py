"""The seals over the trail, and what may be removed from it: whole sealed periods that are past their retention, and nothing else."""

from __future__ import annotations

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

# A seal covers the entries from (from_tx, from_id) up to, not including, (until_tx, until_id), in that order.
# `prints` are eight bytes of each entry's hash, by which verifying tells which of them changed; what proves is `root`.
SEALS = """
create table audit.seal (
  tenant int not null, number bigint not null check (number > 0),
  from_tx xid8 not null, from_id bigint not null, until_tx xid8 not null, until_id bigint not null,
  count int not null check (count > 0), first_at timestamptz not null, last_at timestamptz not null,
  root bytea not null, previous bytea not null, at timestamptz not null, key_id text not null, digest bytea not null, signature bytea not null,
  prints bytea not null,
  primary key (tenant, number)
);
alter table audit.seal alter column prints set storage external;
create index seal_by_time on audit.seal (tenant, at);
create table audit.purge (
  tenant int not null, through bigint not null, until_tx xid8 not null, until_id bigint not null, removed bigint not null,
  at timestamptz not null, actor text not null, key_id text not null, signature bytea not null,
  primary key (tenant, through)
);
create table audit.anchored (tenant int not null, anchor text not null, number bigint not null, primary key (tenant, anchor));
create trigger append_only before update or delete on audit.seal for each row execute function audit.refuse();
create trigger never_emptied before truncate on audit.seal for each statement execute function audit.refuse();
create trigger append_only before update or delete on audit.purge for each row execute function audit.refuse();
create trigger never_emptied before truncate on audit.purge for each statement execute function audit.refuse();
"""
# A purge is a row that names the last seal of what goes; it is refused unless that seal is older than the retention period and nothing is on hold.
# Only the entries that such a row names can be deleted, so that nobody needs to put a trigger out of action.
PURGING = """
create function audit.may_purge() returns trigger language plpgsql as $$
declare kept int;
begin
  select days into kept from audit_retention where tenant = new.tenant;
  if kept is null then
    raise exception 'no retention period is set: the trail is kept for ever' using errcode = 'restrict_violation';
  end if;
  if exists (select from audit_hold where tenant = new.tenant and released_at is null) then
    raise exception 'a legal hold stands: nothing of the trail may go' using errcode = 'restrict_violation';
  end if;
  if not exists (select from audit.seal where tenant = new.tenant and number = new.through and (until_tx, until_id) = (new.until_tx, new.until_id)
                 and last_at < now() - make_interval(days => kept)) then
    raise exception 'only a sealed period past its retention may go' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger may_purge before insert on audit.purge for each row execute function audit.may_purge();
create function audit.refuse_entry() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and exists (select from audit.purge p where p.tenant = old.tenant and (old.tx, old.id) < (p.until_tx, p.until_id)) then
    return old;
  end if;
  raise exception 'the audit trail is append-only' using errcode = 'restrict_violation';
end $$;
drop trigger append_only on audit.entry;
create trigger append_only before update or delete on audit.entry for each row execute function audit.refuse_entry();
"""
UNDO = """
drop trigger append_only on audit.entry;
drop function audit.refuse_entry();
create trigger append_only before update or delete on audit.entry for each row execute function audit.refuse();
drop table audit.purge;
drop function audit.may_purge();
drop table audit.anchored;
drop table audit.seal;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_agent_and_entry")]
    operations = [
        migrations.CreateModel(
            name="Retention",
            fields=[
                ("tenant", models.IntegerField(primary_key=True, serialize=False)),
                ("days", models.PositiveIntegerField()),
                ("set_by", models.CharField(max_length=200)),
                ("set_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={"constraints": [models.CheckConstraint(name="trail_kept_six_years", condition=models.Q(days__gte=2192))]},
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("reason", models.CharField(max_length=500)),
                ("placed_by", models.CharField(max_length=200)),
                ("placed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("released_by", models.CharField(blank=True, max_length=200)),
                ("released_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={"indexes": [models.Index(fields=["tenant", "released_at"], name="audit_hold_tenant_released")]},
        ),
        migrations.CreateModel(
            name="Breach",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.IntegerField()),
                ("title", models.CharField(max_length=200)),
                ("discovered_on", models.DateField()),
                ("suspect", models.CharField(blank=True, max_length=200)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("opened_by", models.CharField(max_length=200)),
                ("opened_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["tenant", "closed_at", "discovered_on"], name="audit_breach_tenant_closed")],
                "constraints": [models.CheckConstraint(name="breach_period_forward", condition=models.Q(since__lt=models.F("until")))],
            },
        ),
        migrations.CreateModel(
            name="BreachStep",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("by", models.CharField(max_length=200)),
                ("what", models.CharField(max_length=30)),
                ("words", models.CharField(blank=True, max_length=1000)),
                ("breach", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="audit.breach")),
            ],
        ),
        migrations.CreateModel(
            name="Affected",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("patient", models.UUIDField()),
                ("first", models.DateTimeField()),
                ("last", models.DateTimeField()),
                ("times", models.PositiveIntegerField()),
                ("types", models.CharField(max_length=400)),
                ("letter", models.UUIDField(blank=True, null=True)),
                ("breach", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="affected", to="audit.breach")),
            ],
            options={"constraints": [models.UniqueConstraint(name="affected_once", fields=("breach", "patient"))]},
        ),
        migrations.RunSQL(SEALS + PURGING, UNDO),
    ]
