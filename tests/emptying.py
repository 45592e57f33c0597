"""Tests whose commits are real leave the database as empty as they found it.

Django empties each of two hundred tables after each of them, and then makes its permissions and content types anew, which takes a second. Here what has
rows is emptied, what has none is let be, and permissions and content types, which the migrations made and no test changes, stay.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

STAYS = {"auth_permission", "django_content_type"}

# A table that was ever written to since it was last emptied has a page; one that was not has no byte.
WRITTEN = """select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and n.nspname = any(%s) and pg_relation_size(c.oid) > 0"""


def written_tables(*schemas: str) -> set[tuple[str, str]]:
    """Schema and name of every table that may have rows."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(WRITTEN, [list(schemas)])
        return set(cursor.fetchall())


def empty(tables: Iterable[tuple[str, str]]) -> None:
    """All of them at once, with the tables that refer to them; tables that are only added to as well."""
    from django.db import connection

    names = ", ".join(f'"{schema}"."{table}"' for schema, table in sorted(tables))
    if names:
        with connection.cursor() as cursor:
            cursor.execute("set session_replication_role = replica")
            cursor.execute(f"truncate {names} cascade")
            cursor.execute("set session_replication_role = default")


def _what_django_knows(test: object) -> None:
    from django.db import connection

    known = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - STAYS
    empty(table for table in written_tables("public") if table[1] in known)


@pytest.fixture(scope="session", autouse=True)
def only_what_has_rows_is_emptied() -> None:
    from django.test import TransactionTestCase

    TransactionTestCase._fixture_teardown = _what_django_knows  # type: ignore[method-assign]
