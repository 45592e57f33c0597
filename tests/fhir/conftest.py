"""The engine's tests run on the same PostgreSQL as all others, in a database of their own and without Django."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from openward.database import open_database
from openward.fhir.interactions import history
from openward.fhir.store import Store
from tests.beside import wait_for_older_writers
from tests.fhir.house import House, empty, make_schema, plain_keys


@pytest.fixture(scope="module", autouse=True)
def keys_of_the_house() -> Iterator[None]:
    with plain_keys():
        yield


@pytest.fixture(scope="session")
def engine_url(worker_id: str) -> str:
    """A fresh database that has the engine's tables."""
    parameters = open_database(Path(os.environ["OPENWARD_DATA"])).parameters
    name = f"engine_{worker_id}"
    with psycopg.connect(**parameters, autocommit=True) as connection:  # type: ignore[arg-type]
        connection.execute(f"drop database if exists {name} with (force)".encode())
        connection.execute(f"create database {name}".encode())
    url = make_conninfo(**{**parameters, "dbname": name})
    with psycopg.connect(url, autocommit=True) as connection:
        make_schema(connection)
    return url


@pytest.fixture
def house(engine_url: str) -> Iterator[House]:
    """An empty record."""
    house = House(engine_url)
    empty(house.connect())
    yield house
    house.close()


@pytest.fixture
def store(house: House) -> Store:
    """A store that may see and do everything."""
    return house.store()


@pytest.fixture(autouse=True)
def no_older_writer_in_other_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    """History stops at the oldest transaction still open on the server, and tests beside this one keep theirs open in databases of their own."""
    watermark = history._watermark

    def after_the_others(store: Store) -> str:
        wait_for_older_writers(store.connection)
        return watermark(store)

    monkeypatch.setattr(history, "_watermark", after_the_others)
