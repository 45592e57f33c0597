"""How much one client has under way at once, of exports and of imports alike."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

UNFINISHED = ("waiting", "running")


def unfinished(table: str, connection: Connection[Any], tenant: int, owner: str) -> int:
    """How many the client has. Who asks for another at the same time waits for the end of the caller's transaction, and counts that one too."""
    connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, %s))", (f"{table} {owner}", tenant))
    select = f"select count(*) from {table} where tenant = %s and owner = %s and state = any(%s)"  # noqa: S608 - fixed text
    row = connection.execute(select.encode(), (tenant, owner, list(UNFINISHED))).fetchone()
    return int(row[0]) if row else 0
