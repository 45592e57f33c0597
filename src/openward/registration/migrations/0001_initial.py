"""Medical record numbers: who owns which, and a sequence for each tenant."""

from __future__ import annotations

from django.db import migrations, models

TABLES = """
create table registration_number (
  tenant int not null, number text not null, patient uuid not null,
  primary key (tenant, number), unique (tenant, patient)
);

-- The tenant's own sequence, made when it is first asked for. The lock is held to the end of the transaction that makes it,
-- because until then no other can see it.
create function registration_next_number(tenant int) returns bigint language plpgsql as $$
declare sequence text := format('registration_numbers_of_%s', tenant);
begin
  if to_regclass(sequence) is null then
    perform pg_advisory_xact_lock(hashtext('registration_numbers'), tenant);
    execute format('create sequence if not exists %I', sequence);
  end if;
  return nextval(sequence::regclass);
end $$;
"""

UNDO = "drop function registration_next_number(int); drop table registration_number"


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(
            TABLES,
            UNDO,
            state_operations=[
                migrations.CreateModel(
                    name="RecordNumber",
                    fields=[
                        ("number", models.CharField(max_length=64, primary_key=True, serialize=False)),
                        ("tenant", models.IntegerField()),
                        ("patient", models.UUIDField()),
                    ],
                    options={"db_table": "registration_number"},
                ),
            ],
        ),
    ]
