"""Tests run beside one another on one server: what stops at the oldest open transaction of the whole server waits for theirs here."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import pytest

from openward.audit.sealing import sealer

# In this database those that are no client's, too: a table is analysed when PostgreSQL thinks it is time.
WRITERS = """select pid, backend_start, xact_start from pg_stat_activity where backend_xid is not null
  and (datname is distinct from current_database() or backend_type <> 'client backend')"""
PATIENCE_SECONDS = 60


def wait_for_older_writers(connection: psycopg.Connection[Any]) -> None:
    """Until every transaction that now writes in another database of the server, or in this one by itself, has ended."""
    cursor = psycopg.Cursor(connection)
    older, deadline = set(cursor.execute(WRITERS).fetchall()), time.monotonic() + PATIENCE_SECONDS
    while older & set(cursor.execute(WRITERS).fetchall()) and time.monotonic() < deadline:
        time.sleep(0.05)
        cursor.execute("select pg_stat_clear_snapshot()")  # inside a transaction the view would not change


def seal_after_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A seal reaches to the oldest transaction open on the server; here, past those of the tests beside."""
    horizon = sealer.horizon

    def after_the_others(wire: psycopg.Connection[Any]) -> int:
        wait_for_older_writers(wire)
        return horizon(wire)

    monkeypatch.setattr(sealer, "horizon", after_the_others)
