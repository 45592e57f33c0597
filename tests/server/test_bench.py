"""What `make bench` stands on, over an installation that runs: the floors start and answer rightly, and what is read of the machine is there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from openward.cluster import EmbeddedCluster
from tests.bench import processors
from tests.bench.ground import Ground, resident, web_workers
from tests.installation import Answer, Server

PATIENT = {"resourceType": "Patient", "name": [{"family": "Measured"}]}
HOW_MANY = "select count(*) from bench_insert"
BUSY_SECONDS = 0.2


@pytest.fixture
def ground(served: Server, monkeypatch: pytest.MonkeyPatch) -> Ground:
    monkeypatch.delenv("OPENWARD_DATABASE_URL", raising=False)
    return Ground(served.installation.data)


@pytest.fixture
def patient(served: Server) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {served.installation.token()}", "Content-Type": "application/fhir+json"}
    made: dict[str, Any] = json.loads(served.ask("POST", "/fhir/Patient", json.dumps(PATIENT).encode(), headers).body)
    return made


@pytest.fixture
def database(served: Server) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(**EmbeddedCluster(served.installation.data).parameters(), autocommit=True) as connection:  # type: ignore[arg-type]
        yield connection
        connection.execute("drop table if exists bench_insert")


@contextmanager
def floor(ground: Ground, served: Server, name: str) -> Iterator[Server]:
    with ground.floor(name) as port:
        yield Server(served.installation, port, served.process)


def said(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.text[:500]
    resource: dict[str, Any] = json.loads(answer.body)
    return resource


@pytest.mark.parametrize("name", ["bare", "unguarded"])
def test_a_floor_of_reads_gives_the_resource_that_is_stored(ground: Ground, served: Server, patient: dict[str, Any], name: str) -> None:
    with floor(ground, served, name) as server:
        assert said(server.ask("GET", f"/fhir/Patient/{patient['id']}")) == patient


def test_the_floor_of_creates_inserts_what_was_sent(ground: Ground, served: Server, database: psycopg.Connection[Any]) -> None:
    with floor(ground, served, "inserting") as server:
        assert server.ask("POST", "/fhir/Observation", b"{}").status == 201
    assert database.execute(HOW_MANY).fetchone() == (1,)


def test_the_memory_of_a_web_worker_is_read_of_the_server_that_is_measured(served: Server) -> None:
    workers = [process for process in served.family() if "worker-1" in " ".join(process.cmdline())]
    assert [process.pid for process in workers] == [int(path.name) for path in web_workers(served.port)]
    assert resident(Path(f"/proc/{workers[0].pid}")) > 2**20


def test_a_port_nobody_serves_has_no_web_workers(served: Server) -> None:
    assert web_workers(served.port + 1) == []


def test_what_the_processors_do_is_counted() -> None:
    before, began = processors.used(), os.times().user
    while os.times().user - began < BUSY_SECONDS:
        pass
    assert (processors.used() - before).busy >= BUSY_SECONDS / 2
