"""Held time under an exclusion constraint, rooms in use, and forms already booked.

`tenant` leads every key, so the tables can be spread by it. The constraint uses core PostgreSQL only (15-18): no btree_gist.
"""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import DateTimeRangeField
from django.db import migrations, models

TABLES = """
create type scheduling_who as range (subtype = uuid);

create table scheduling_booking (
  tenant int not null, id uuid not null, appointment uuid not null, who uuid not null, kind text not null,
  during tstzrange not null check (not isempty(during) and not lower_inf(during) and not upper_inf(during)),
  held_by text not null default '', held_at timestamptz not null default clock_timestamp(),
  primary key (tenant, id),
  constraint booking_one_at_a_time exclude using gist (
    int4range(tenant, tenant, '[]') with &&, scheduling_who(who, who, '[]') with &&, during with &&
  )
);
create index scheduling_booking_of_appointment on scheduling_booking (tenant, appointment);
create index scheduling_booking_of_who on scheduling_booking (tenant, who, lower(during));

create table scheduling_room_in_use (
  tenant int not null, id uuid not null, room uuid not null, visit uuid not null, since timestamptz not null default clock_timestamp(),
  primary key (tenant, id), unique (tenant, room), unique (tenant, visit)
);

create table scheduling_confirmed (
  tenant int not null, id uuid not null, form uuid not null, appointment text not null, made_at timestamptz not null default clock_timestamp(),
  primary key (tenant, id), unique (tenant, form)
);
"""

UNDO = "drop table scheduling_confirmed, scheduling_room_in_use, scheduling_booking; drop type scheduling_who"


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(
            TABLES,
            UNDO,
            state_operations=[
                migrations.CreateModel(
                    name="Booking",
                    fields=[
                        ("id", models.UUIDField(primary_key=True, serialize=False, editable=False, default=uuid.uuid4)),
                        ("tenant", models.IntegerField()),
                        ("appointment", models.UUIDField()),
                        ("who", models.UUIDField()),
                        ("kind", models.CharField(max_length=20)),
                        ("during", DateTimeRangeField()),
                        ("held_by", models.TextField(blank=True)),
                        ("held_at", models.DateTimeField()),
                    ],
                    options={"db_table": "scheduling_booking"},
                ),
                migrations.CreateModel(
                    name="RoomInUse",
                    fields=[
                        ("id", models.UUIDField(primary_key=True, serialize=False, editable=False, default=uuid.uuid4)),
                        ("tenant", models.IntegerField()),
                        ("room", models.UUIDField()),
                        ("visit", models.UUIDField()),
                        ("since", models.DateTimeField()),
                    ],
                    options={"db_table": "scheduling_room_in_use"},
                ),
                migrations.CreateModel(
                    name="Confirmed",
                    fields=[
                        ("id", models.UUIDField(primary_key=True, serialize=False, editable=False, default=uuid.uuid4)),
                        ("tenant", models.IntegerField()),
                        ("form", models.UUIDField()),
                        ("appointment", models.CharField(max_length=64)),
                        ("made_at", models.DateTimeField()),
                    ],
                    options={"db_table": "scheduling_confirmed"},
                ),
            ],
        ),
    ]
