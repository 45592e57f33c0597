"""Clinics made once for all tests that only look at them: as resources, and in a record."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from tests.demo.making import NOW, TODAY, Made, make

PATIENTS = 40
QUICK_HASHES = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def made() -> Made:
    return make(240)


@pytest.fixture(scope="module")
def stored(django_db_setup: None, django_db_blocker: Any) -> Iterator[Path]:
    """A demo clinic in the record, taken back after the module; returns the folder of its clearinghouse.

    Argon2 takes its time by design; a dozen people would take seconds.
    """
    from openward.demo import clinic

    with (
        tempfile.TemporaryDirectory() as folder,
        override_settings(PASSWORD_HASHERS=QUICK_HASHES, OPENWARD_DATA=Path(folder)),
        django_db_blocker.unblock(),
        transaction.atomic(),
    ):
        clinic.build(patients=PATIENTS, seed=7, today=TODAY, progress=lambda done, total, note="": None, now=NOW)
        yield Path(folder) / "clearinghouse"
        transaction.set_rollback(True)
