from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.billing.clinic import Clinic


@pytest.fixture
def data_folder(tmp_path: Path, settings: Any) -> Path:
    """A data folder of this test's own."""
    settings.OPENWARD_DATA = tmp_path
    return tmp_path


@pytest.fixture
def clinic(db: None, data_folder: Path) -> Clinic:
    return Clinic.open()


@pytest.fixture
def committed_clinic(committed_db: None, data_folder: Path) -> Iterator[Clinic]:
    """A clinic whose commits are real, for tests of concurrency."""
    _empty()
    yield Clinic.open()
    _empty()


def _empty() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select format('%I', tablename) from pg_tables where tablename like 'billing\\_%' or tablename like 'ledger\\_%'")
        tables = ", ".join(row[0] for row in cursor.fetchall())
        cursor.execute("set session_replication_role = replica")
        cursor.execute(f"truncate {tables}")
        cursor.execute("set session_replication_role = default")
