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
NUMBER_OF = "select number from registration_number where tenant = %(tenant)s and patient = %(patient)s"


def give(connection: Connection[Any], *, tenant: int, patient: UUID) -> str:
    """The patient's number: the one they have, else a new one that nobody has."""
    values = {"tenant": tenant, "patient": patient}
    while True:
        found = connection.execute(NUMBER_OF, values).fetchone()
        if found:
            return str(found[0])
        row = connection.execute("select registration_next_number(%(tenant)s)", values).fetchone()
        number = f"OW-{row[0]:06d}" if row else ""
        # A number that came in from outside is skipped: the sequence goes on until one is nobody's.
        if connection.execute(CLAIM, {**values, "number": number}).fetchone():
            return number


def claim(connection: Connection[Any], *, tenant: int, patient: UUID, number: str) -> None:
    """Record a number that came with the patient. Raises NumberTaken when it is somebody else's."""
    values = {"tenant": tenant, "patient": patient, "number": number}
    if connection.execute(CLAIM, values).fetchone():
        return
    owner = connection.execute(OWNER, values).fetchone()
    if owner is None or owner[0] != patient:
        raise NumberTaken(number=number)
