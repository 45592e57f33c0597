"""Who acted stands once, in `audit.agent`; what was done is one narrow row of `audit.entry`; `audit.event` shows both together."""

from __future__ import annotations

from django.db import migrations, models

# An agent's key is made of its facts, so that a changed agent no longer fits its key (openward.audit.agents has the same in Python).
# An entry has no check and no generated key: PostgreSQL reads a check anew for every statement, and every read of the record writes here.
# `tx` leads the key: entries of transactions that have ended can be told from those that may still come.
TABLES = """
create function audit.fact(value text) returns text language sql immutable as $$ select coalesce(length(value) || ':' || value, '-') $$;
create table audit.agent (
  tenant int not null, id uuid not null,
  actor text not null, actor_name text not null, actor_role text, on_behalf_of text, purpose text not null, address text,
  primary key (tenant, id)
);
create table audit.entry (
  tenant int not null, version int, tx xid8 not null default pg_current_xact_id(), id bigint not null,
  at timestamptz not null default clock_timestamp(), rtype smallint, outcome smallint not null,
  agent uuid not null, rkey uuid, patient uuid, interaction text not null, request_id text, detail text, patients uuid[],
  primary key (tenant, tx, id)
);
"""
MOVE = """
insert into audit.agent
select distinct tenant, encode(substring(sha256(convert_to(concat_ws(',', audit.fact(actor), audit.fact(actor_name), audit.fact(actor_role),
                                                                     audit.fact(on_behalf_of), audit.fact(purpose), audit.fact(host(address))),
                                                           'UTF8')) from 1 for 16), 'hex')::uuid,
       actor, actor_name, actor_role, on_behalf_of, purpose, host(address)
from audit.event;
insert into audit.entry (tenant, version, id, at, rtype, outcome, agent, rkey, patient, interaction, request_id, detail, patients)
select e.tenant, e.version, ('x' || substr(replace(e.id::text, '-', ''), 17))::bit(64)::bigint & 4611686018427387903, e.at, e.rtype, e.outcome, a.id, e.rkey,
       case when cardinality(e.patients) = 1 then e.patients[1] end, e.interaction, e.request_id, e.detail,
       case when cardinality(e.patients) > 1 then e.patients end
from audit.event e join audit.agent a on a.tenant = e.tenant and a.actor = e.actor and a.actor_name = e.actor_name and a.purpose = e.purpose
  and a.actor_role is not distinct from e.actor_role and a.on_behalf_of is not distinct from e.on_behalf_of
  and a.address is not distinct from host(e.address);
drop table audit.event;
drop function audit.fact(text);
"""
INDEXES = """
create index entry_by_patient on audit.entry (tenant, patient, at) where patient is not null;
create index entry_by_patients on audit.entry using gin (patients) where patients is not null;
create index entry_by_agent on audit.entry (tenant, agent, at);
create index entry_refused on audit.entry (tenant, at) where outcome <> 0;
create index agent_by_actor on audit.agent (tenant, actor);
create trigger append_only before update or delete on audit.entry for each row execute function audit.refuse();
create trigger never_emptied before truncate on audit.entry for each statement execute function audit.refuse();
create trigger append_only before update or delete on audit.agent for each row execute function audit.refuse();
create trigger never_emptied before truncate on audit.agent for each statement execute function audit.refuse();
create view audit.event as
select e.tenant, e.tx, e.id, e.at, e.agent, a.actor, a.actor_name, a.actor_role, a.on_behalf_of, a.purpose, a.address,
       e.interaction, e.rtype, e.rkey, e.version, e.patient, e.patients, e.outcome, e.detail, e.request_id
from audit.entry e left join audit.agent a on (a.tenant, a.id) = (e.tenant, e.agent);
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [
        migrations.RunSQL(TABLES + MOVE + INDEXES),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField("auditevent", "id", models.BigIntegerField(primary_key=True, serialize=False)),
                migrations.AlterField("auditevent", "address", models.TextField(null=True)),
                migrations.AddField("auditevent", "patient", models.UUIDField(null=True)),
            ]
        ),
    ]
