"""Giving a patient their number is one statement."""

from __future__ import annotations

from django.db import migrations

GIVE = """
create function registration_give_number(of_tenant int, of_patient uuid) returns text language plpgsql as $$
declare
  given text;
  next text;
begin
  loop
    select number into given from registration_number where tenant = of_tenant and patient = of_patient;
    if given is not null then
      return given;
    end if;
    next := registration_next_number(of_tenant)::text;
    -- A number that came in from outside is skipped: the sequence goes on until one is nobody's.
    insert into registration_number (tenant, number, patient) values (of_tenant, 'OW-' || lpad(next, greatest(6, length(next)), '0'), of_patient)
      on conflict do nothing returning number into given;
    if given is not null then
      return given;
    end if;
  end loop;
end $$;
"""

UNDO = "drop function registration_give_number(int, uuid)"


class Migration(migrations.Migration):
    dependencies = [("registration", "0002_own_sequences")]
    operations = [migrations.RunSQL(GIVE, UNDO)]
