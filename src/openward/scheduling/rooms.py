"""Which room is in use by which open visit, behind one small interface; the unique key decides."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection

OCCUPY = """
insert into scheduling_room_in_use (tenant, id, room, visit) values (%(tenant)s, %(id)s, %(room)s, %(visit)s)
on conflict (tenant, room) do nothing returning id
"""
LEAVE = "delete from scheduling_room_in_use where tenant = %(tenant)s and visit = %(visit)s and room is distinct from %(room)s"
OCCUPANT = "select visit, since from scheduling_room_in_use where tenant = %(tenant)s and room = %(room)s"
IN_USE = "select room from scheduling_room_in_use where tenant = %(tenant)s"


def occupy(connection: Connection[Any], *, tenant: int, room: UUID | None, visit: UUID) -> dt.datetime | None:
    """Move a visit into `room` (None: out of any). None when that worked, else since when another visit has the room."""
    values = {"tenant": tenant, "id": uuid4(), "room": room, "visit": visit}
    connection.execute(LEAVE, values)
    if room is None or connection.execute(OCCUPY, values).fetchone():
        return None
    occupant = connection.execute(OCCUPANT, values).fetchone()
    if occupant is None:
        return occupy(connection, tenant=tenant, room=room, visit=visit)
    since: dt.datetime = occupant[1]
    return None if occupant[0] == visit else since


def in_use(connection: Connection[Any], *, tenant: int) -> set[UUID]:
    return {row[0] for row in connection.execute(IN_USE, {"tenant": tenant}).fetchall()}
