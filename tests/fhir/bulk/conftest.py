"""A house with a job queue that runs at once, and a bulk client over its HTTP surface."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from openward.fhir.bulk import house as houses
from openward.fhir.bulk.house import Limits
from openward.fhir.bulk.running import run
from openward.fhir.bulk.taking import take
from openward.fhir.errors import Forbidden, Unauthenticated
from openward.fhir.http import fhir_app
from openward.fhir.outgoing import Network, networks
from openward.fhir.store import Store
from tests.fhir.house import House, TableAuditor, TablePolicy, Visitor
from tests.fhir.http.client import Client

Job = Callable[..., None]
ACTORS = {
    "all": Visitor("all"),
    "patients": Visitor("patients", types=frozenset({"Patient"})),
    "groups": Visitor("groups", types=frozenset({"Observation", "Group"})),
    "none": Visitor("none", interactions=frozenset({"read", "search"})),
    "other": Visitor("other"),
    "patient-writer": Visitor("patient-writer", types=frozenset({"Patient", "Binary"})),
}


@dataclass
class Bulk:
    """The installation of the tests: jobs wait in `queue` until someone works."""

    house: House
    folder: Path
    limits: Limits = field(default_factory=lambda: Limits(poll_seconds=0.0, dawdle_seconds=0.0))
    policy: TablePolicy = field(default_factory=TablePolicy)
    auditor: TableAuditor = field(default_factory=TableAuditor)
    queue: list[tuple[Job, int, UUID]] = field(default_factory=list)
    import_hosts: list[str] = field(default_factory=lambda: ["127.0.0.1"])
    allowed: list[Network] = field(default_factory=lambda: networks(["127.0.0.0/8"]))
    withdrawn: set[str] = field(default_factory=set)

    def remember(self, actor: Visitor) -> dict[str, Any]:
        kept = asdict(actor)
        return {
            name: sorted(value) if isinstance(value, frozenset) else str(value) if isinstance(value, UUID) else value for name, value in kept.items()
        }

    def actor(self, remembered: dict[str, Any]) -> Visitor:
        if remembered["id"] in self.withdrawn:
            raise Forbidden("The token has been withdrawn.")
        sets = {name: frozenset(remembered[name]) if remembered[name] is not None else None for name in ("types", "interactions")}
        patient = UUID(remembered["patient"]) if remembered["patient"] else None
        return Visitor(remembered["id"], remembered["name"], patient=patient, **sets)

    def may_import(self, actor: Visitor) -> bool:
        return True

    def is_withdrawn(self, remembered: dict[str, Any], since: dt.datetime) -> bool:
        return remembered["id"] in self.withdrawn

    def covers(self, actor: Visitor, remembered: dict[str, Any], types: Sequence[str]) -> bool:
        before = remembered["types"]
        return actor.types is None or (before is not None and set(before) <= actor.types)

    def open_store(self, remembered: dict[str, Any]) -> Store:
        return self.house.store(self.actor(remembered))

    def start_export(self, store: Store, id: UUID) -> None:
        self.queue.append((run, store.tenant, id))

    def start_import(self, store: Store, id: UUID) -> None:
        self.queue.append((take, store.tenant, id))

    def work(self) -> None:
        """Run every job that waits."""
        while self.queue:
            job, tenant, id = self.queue.pop(0)
            job(self.house.connect(), tenant, id, self)


@pytest.fixture
def bulk(house: House, tmp_path: Path) -> Iterator[Bulk]:
    made, before = Bulk(house, tmp_path), list(houses._installed)
    houses.install(made)
    yield made
    houses._installed[:] = before


@pytest.fixture
def call(house: House, bulk: Bulk) -> Client:
    """The REST surface; a token is the name of one of ACTORS."""
    connection = house.connect()

    def authenticate(environ: Mapping[str, Any]) -> Visitor:
        actor = ACTORS.get(environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer "))
        if actor is None:
            raise Unauthenticated
        return actor

    @contextmanager
    def open_store(actor: Visitor) -> Iterator[Store]:
        yield house.store(actor, connection=connection)

    return Client(fhir_app(authenticate, open_store))
