"""Medical record numbers: `OW-000123`, unique for ever within a tenant, given in the order of asking.

Each tenant has its own PostgreSQL sequence, made when it is first needed, so that two registrations never wait for each other; a
registration that fails leaves a gap. The shadow table has the last word on who owns a number.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from psycopg import Connection

from openward.registration.errors import NumberTaken

CLAIM = """
insert into registration_number (tenant, number, patient) values (%(tenant)s, %(number)s, %(patient)s)
on conflict do nothing returning number
"""
OWNER = "select patient from registration_number where tenant = %(tenant)s and number = %(number)s"
GIVE = "select registration_give_number(%(tenant)s, %(patient)s)"


def give(connection: Connection[Any], *, tenant: int, patient: UUID) -> str:
    """The patient's number: the one they have, else a new one that nobody has."""
    row = connection.execute(GIVE, {"tenant": tenant, "patient": patient}).fetchone()
    assert row is not None
    return str(row[0])


def claim(connection: Connection[Any], *, tenant: int, patient: UUID, number: str) -> None:
    """Record a number that came with the patient. Raises NumberTaken when it is somebody else's."""
    values = {"tenant": tenant, "patient": patient, "number": number}
    if connection.execute(CLAIM, values).fetchone():
        return
    owner = connection.execute(OWNER, values).fetchone()
    if owner is None or owner[0] != patient:
        raise NumberTaken(number=number)
