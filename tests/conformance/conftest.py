"""A running server that outside clients talk to over HTTP, in a database of its own on the PostgreSQL of this test run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from openward.database import open_database
from tests.fhir.house import plain_keys
from tests.installation import Answer, Installation, Server


@pytest.fixture(scope="module", autouse=True)
def keys_of_the_house() -> Iterator[None]:
    with plain_keys():
        yield


@dataclass(frozen=True)
class Surface:
    """The REST surface of a running server, with a token that may do everything."""

    server: Server
    token: str

    @property
    def base(self) -> str:
        return f"{self.server.url}/fhir"

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """`body`: bytes as they are, anything else as JSON. `headers` in snake case."""
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/fhir+json"}
        sent |= {name.replace("_", "-").title(): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return self.server.ask(method, f"/fhir{path}", data, sent)

    def json(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        answer = self(method, path, body, **headers)
        assert answer.status < 300, answer.text
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def created(self, resource: dict[str, Any]) -> dict[str, Any]:
        return self.json("POST", f"/{resource['resourceType']}", resource)

    def count(self, type: str) -> int:
        return int(self.json("GET", f"/{type}?_summary=count")["total"])


@pytest.fixture(scope="session")
def surface(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Surface]:
    parameters = open_database(Path(os.environ["OPENWARD_DATA"])).parameters
    name = f"conformance_{worker_id}"
    with psycopg.connect(**parameters, autocommit=True) as connection:  # type: ignore[arg-type]
        connection.execute(f"drop database if exists {name} with (force)".encode())
        connection.execute(f"create database {name}".encode())
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in {**parameters, "dbname": name}.items())
    installation = Installation(tmp_path_factory.mktemp("conformance") / "data", database=f"postgresql:///{name}?{query}")
    with installation.serving() as server:
        yield Surface(server, installation.token())
