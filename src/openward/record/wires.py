"""A database connection of a job's own, that commits by itself: for work that takes long and shows how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection as django_connection

from openward.record.connection import DJANGOS_OWN, ONLY_WHEN_TOLD

OPTIONS = "-c jit=off -c lock_timeout=15s -c timezone=UTC"


@contextmanager
def own_wire() -> Iterator[psycopg.Connection[Any]]:
    """Closed at the end, and what it locked let go."""
    parameters = {name: value for name, value in django_connection.get_connection_params().items() if name not in DJANGOS_OWN}
    with psycopg.connect(**parameters, options=OPTIONS, autocommit=True, prepare_threshold=ONLY_WHEN_TOLD) as wire:
        yield wire
