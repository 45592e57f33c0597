"""A database with the engine's tables for the search suites, and what is put into it."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from openward.database import open_database
from tests.conftest import outside
from tests.fhir.house import make_schema


def engine_address(name: str) -> str:
    """How to connect to a fresh database of that name, with the engine's tables, on the PostgreSQL of this test run."""
    parameters = open_database(Path(os.environ["OPENWARD_DATA"])).parameters
    with psycopg.connect(**parameters, autocommit=True) as connection:  # type: ignore[arg-type]
        connection.execute(f"drop database if exists {name} with (force)".encode())
        connection.execute(f"create database {name}".encode())
    address = make_conninfo(**{**parameters, "dbname": name})
    with psycopg.connect(address, autocommit=True) as connection:
        make_schema(connection)
    return address


@contextmanager
def engine_database(name: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(engine_address(name), autocommit=True) as connection:
        yield connection


def us_core_package() -> dict[str, list[dict[str, Any]]]:
    """The resources of US Core 6.1.0 by their folder: `package`, `example`."""
    found: dict[str, list[dict[str, Any]]] = {"package": [], "example": []}
    with tarfile.open(outside("us-core") / "us_core_610.tgz") as files:
        for member in files:
            folder = member.name.split("/")[-2]
            if member.name.endswith(".json") and folder in found and not member.name.endswith(("package.json", ".index.json")):
                found[folder].append(json.loads(files.extractfile(member).read(), parse_float=Decimal))  # type: ignore[union-attr]
    return found
