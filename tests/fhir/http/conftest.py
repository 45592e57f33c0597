from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from openward.fhir.errors import Unauthenticated
from openward.fhir.http import fhir_app
from openward.fhir.store import Store
from tests.fhir.house import House, Visitor
from tests.fhir.http.client import Client

LIMIT = 100_000


@pytest.fixture
def call(house: House) -> Client:
    """The REST surface; the token `good` may do everything, `reader` may only read, `writer` only create and update."""
    connection, wire = house.connect(), house.reading_wire()

    def authenticate(environ: Mapping[str, Any]) -> Visitor:
        actors = {
            "Bearer good": Visitor(),
            "Bearer reader": Visitor(interactions=frozenset({"read", "search"})),
            "Bearer writer": Visitor(interactions=frozenset({"create", "update"})),
        }
        actor = actors.get(environ.get("HTTP_AUTHORIZATION", ""))
        if actor is None:
            raise Unauthenticated
        return actor

    @contextmanager
    def open_store(actor: Visitor) -> Iterator[Store]:
        yield house.store(actor, connection=connection)

    @contextmanager
    def open_reading_store(actor: Visitor) -> Iterator[Store]:
        yield house.reading_store(actor, wire=wire)

    return Client(fhir_app(authenticate, open_store, open_reading_store=open_reading_store, limit=LIMIT))
