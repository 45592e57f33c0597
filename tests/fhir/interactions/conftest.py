"""What several tests of interactions stand on."""

from __future__ import annotations

import pytest

from openward.fhir.store import Store
from tests.fhir.house import House, LazyTransaction


@pytest.fixture
def lazy(house: House) -> Store:
    store = house.store()
    store.transaction = LazyTransaction(store.connection)
    return store
