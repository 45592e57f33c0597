"""A running server that outside clients talk to over HTTP, in a database that it is told the address of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from openward.cluster import EmbeddedCluster
from tests.fhir.house import plain_keys
from tests.installation import Answer, Installation, Server, prepared, scratch_folder


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
def surface() -> Iterator[Surface]:
    with scratch_folder() as folder:
        cluster = EmbeddedCluster(prepared(folder / "data"))
        cluster.start()
        try:
            query = "&".join(f"{key}={quote(value, safe='')}" for key, value in cluster.parameters().items())
            installation = Installation(folder / "data", database=f"postgresql:///openward?{query}")
            with installation.serving() as server:
                yield Surface(server, installation.token())
        finally:
            cluster.stop(for_good=True)
