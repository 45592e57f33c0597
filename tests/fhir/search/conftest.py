from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.fhir.house import empty
from tests.fhir.search.shelf import Shelf


@pytest.fixture
def shelf(engine_url: str) -> Iterator[Shelf]:
    """An empty shelf."""
    with psycopg.connect(engine_url, autocommit=True) as connection:
        empty(connection)
        yield Shelf(connection)


@pytest.fixture(scope="module")
def full_shelf(engine_url: str, request: pytest.FixtureRequest) -> Iterator[Shelf]:
    """A shelf with the module's RESOURCES, for tests that only read."""
    with psycopg.connect(engine_url, autocommit=True) as connection:
        empty(connection)
        shelf = Shelf(connection)
        shelf.put(*request.module.RESOURCES)
        yield shelf
