from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from openward.fhir.http import fhir_app
from openward.fhir.store import Store
from openward.fhir.terminology import Terminology, guards
from tests.fhir.house import House, Visitor
from tests.fhir.http.client import Client


@pytest.fixture
def house(house: House) -> House:
    """The empty record, with the guards of terminology."""
    house.guards.register(guards.keep_the_concepts, guards.TYPES, ("create", "update"))
    house.guards.register(guards.forget_the_concepts, guards.TYPES, ("delete",))
    return house


@pytest.fixture
def terminology(store: Store) -> Terminology:
    return Terminology.of(store)


@pytest.fixture
def call(house: House) -> Client:
    """The REST surface; the token is the types its bearer may read, `good` all of them."""
    connection = house.connect()

    def authenticate(environ: Any) -> Visitor:
        token = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        return Visitor() if token == "good" else Visitor(id=token, types=frozenset(token.split("+")))

    @contextmanager
    def open_store(actor: Visitor) -> Iterator[Store]:
        yield house.store(actor, connection=connection)

    return Client(fhir_app(authenticate, open_store))
