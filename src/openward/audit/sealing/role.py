"""A database role for the application that can add to the trail, and neither change nor remove any of it."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

# Tables that refuse every change of a row by a trigger of this name: the trail, its seals and purges, and the ledger.
ONLY_ADDED = """select n.nspname, c.relname from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
  where t.tgname = 'append_only' order by 1, 2"""
SCHEMAS = "select nspname from pg_namespace where nspname !~ '^(pg_|information_schema$)' order by nspname"
TABLES = "select oid from pg_class where relkind in ('r', 'p', 'v', 'S') and relnamespace not in (select oid from pg_namespace where nspname ~ '^(pg_|information_schema$)')"
# Owning a table, being superuser, or being able to become either, is the right to put its triggers out of action.
STANDING = """select r.rolsuper or r.rolcreaterole, exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'audit' and c.relkind = 'r' and pg_has_role(current_user, c.relowner, 'member')),
  exists (select from unnest(array['audit.entry', 'audit.agent', 'audit.seal', 'audit.purge']) as t
    where has_table_privilege(t, 'update, delete, truncate, trigger'))
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


def is_restricted(wire: psycopg.Connection[Any], name: str) -> bool:
    """Whether the role is there and may read every table that is: nothing came since it was last granted what the application needs."""
    if not wire.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone():
        return False
    asked = f"select exists (select from ({TABLES}) t where not has_table_privilege(%s, t.oid, 'select'))"  # noqa: S608 - a text of our own
    return psycopg.Cursor(wire).execute(asked, (name,)).fetchone() == (False,)


def restrict(wire: psycopg.Connection[Any], name: str) -> list[str]:
    """Make the role if it is not there and grant it what the application needs. Returns the statements that were run. Raises Unrestrictable.

    Two at once wait for each other. Right after a start of the program this is asked again whenever tables came.
    """
    try:
        with wire.transaction():
            wire.execute("select pg_advisory_xact_lock(hashtextextended('openward role', 0))")
            statements = _statements(wire, name)
            for statement in statements:
                wire.execute(statement)
    except psycopg.Error as error:
        raise Unrestrictable(name, str(error).strip().splitlines()[0]) from None
    return [statement.as_string(wire) for statement in statements]


def _statements(wire: psycopg.Connection[Any], name: str) -> list[sql.Composed]:
    role, cursor = sql.Identifier(name), psycopg.Cursor(wire)
    there = cursor.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone()
    made = [] if there else [sql.SQL("create role {} login").format(role)]
    for (schema,) in cursor.execute(SCHEMAS).fetchall():
        grants = TRAIL if schema == "audit" else GRANTS
        made += [sql.SQL(text).format(sql.Identifier(schema), role) for text in grants]
    made += [
        sql.SQL("revoke update, delete, truncate, trigger on {} from {}").format(sql.Identifier(schema, table), role)
        for schema, table in cursor.execute(ONLY_ADDED).fetchall()
    ]
    made.append(sql.SQL("revoke insert on audit.purge from {}").format(role))
    return made + [sql.SQL(text).format(role) for text in _server_wide(wire)]


def _server_wide(wire: psycopg.Connection[Any]) -> list[str]:
    """What only a superuser may give. Seeing since when the transactions of other database users are open keeps a subscription from overlooking what they
    write; keeping statistics fresh is what loading a code system ends with, and asks for its own table's owner before PostgreSQL 17."""
    row = psycopg.Cursor(wire).execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
    wide = ["grant pg_read_all_stats to {}"] if row and row[0] else []
    return wide + (["grant maintain on all tables in schema fhir to {}"] if wire.info.server_version >= 170000 and _has_record(wire) else [])


def _has_record(wire: psycopg.Connection[Any]) -> bool:
    return wire.execute("select to_regnamespace('fhir') is not null").fetchone() == (True,)


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
