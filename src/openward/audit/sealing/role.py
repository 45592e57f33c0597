"""A database role for the application that can add to the trail, and neither change nor remove any of it."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

ONLY_ADDED = ("audit.entry", "audit.agent", "audit.seal", "audit.purge")
SCHEMAS = "select nspname from pg_namespace where nspname !~ '^(pg_|information_schema$)' order by nspname"
# Owning a table, or being superuser, is the right to put its triggers out of action.
STANDING = """select r.rolsuper, exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'audit' and c.relkind = 'r' and pg_has_role(current_user, c.relowner, 'usage')),
  has_table_privilege('audit.entry', 'update, delete, truncate') or has_table_privilege('audit.agent', 'update, delete, truncate')
    or has_table_privilege('audit.seal', 'update, delete, truncate')
  from pg_roles r where r.rolname = current_user"""


class Unrestrictable(Exception):
    """The database user cannot make the role {name}: {reason}"""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__((type(self).__doc__ or "").format(name=name, reason=reason))


def standing(wire: psycopg.Connection[Any]) -> str:
    """Who keeps the trail append-only against this connection, in words."""
    superuser, owner, granted = psycopg.Cursor(wire).execute(STANDING).fetchone() or (False, False, False)
    if superuser or owner:
        return "append-only by triggers; the database user owns the tables and could remove those"
    return (
        "append-only by triggers; the database user is granted changes all the same"
        if granted
        else "append-only by role: the database user can only add"
    )


def restrict(wire: psycopg.Connection[Any], name: str) -> list[str]:
    """Make the role if it is not there and grant it what the application needs. Returns the statements that were run. Raises Unrestrictable."""
    try:
        with wire.transaction():
            statements = _statements(wire, name)
            for statement in statements:
                wire.execute(statement)
    except psycopg.Error as error:
        raise Unrestrictable(name, str(error).strip().splitlines()[0]) from None
    return [statement.as_string(wire) for statement in statements]


def _statements(wire: psycopg.Connection[Any], name: str) -> list[sql.Composed]:
    role = sql.Identifier(name)
    there = wire.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone()
    made = [] if there else [sql.SQL("create role {} login").format(role)]
    for (schema,) in psycopg.Cursor(wire).execute(SCHEMAS).fetchall():
        grants = TRAIL if schema == "audit" else GRANTS
        made += [sql.SQL(text).format(sql.Identifier(schema), role) for text in grants]
    made += [sql.SQL("revoke update, delete, truncate on {} from {}").format(sql.Identifier(*table.split(".")), role) for table in ONLY_ADDED]
    return made


GRANTS = (
    "grant usage on schema {} to {}",
    "grant select, insert, update, delete on all tables in schema {} to {}",
    "grant usage, select, update on all sequences in schema {} to {}",
    "grant execute on all functions in schema {} to {}",
    "alter default privileges in schema {} grant select, insert, update, delete on tables to {}",
    "alter default privileges in schema {} grant usage, select, update on sequences to {}",
)
TRAIL = (
    "grant usage on schema {} to {}",
    "grant select, insert on all tables in schema {} to {}",
    "grant update on {}.anchored to {}",
    "grant execute on all functions in schema {} to {}",
)
