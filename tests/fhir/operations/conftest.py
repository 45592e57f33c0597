"""Operations over the REST surface, by actors who may see all, some, or one patient's part of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from openward.fhir.errors import Unauthenticated
from openward.fhir.http import fhir_app
from openward.fhir.ids import key
from openward.fhir.store import Store
from tests.fhir.house import House, Visitor
from tests.fhir.http.client import Client

ADA, BEN = key("Patient", "ada"), key("Patient", "ben")
ACTORS = {
    "Bearer good": Visitor("staff"),
    "Bearer ada": Visitor("ada", patient=ADA),
    "Bearer ben": Visitor("ben", patient=BEN),
    "Bearer scoped": Visitor("scoped", types=frozenset({"Patient", "Observation"})),
    "Bearer blind": Visitor("blind", types=frozenset({"Organization"})),
    "Bearer reader": Visitor("reader", interactions=frozenset({"read", "search"})),
}


@pytest.fixture
def call(house: House) -> Client:
    """The tokens: `good` may do everything, `ada` and `ben` see their own, `scoped` Patient and Observation, `reader` may not write."""
    connection = house.connect()

    def authenticate(environ: Mapping[str, Any]) -> Visitor:
        actor = ACTORS.get(environ.get("HTTP_AUTHORIZATION", ""))
        if actor is None:
            raise Unauthenticated
        return actor

    @contextmanager
    def open_store(actor: Visitor) -> Iterator[Store]:
        yield house.store(actor, connection=connection)

    return Client(fhir_app(authenticate, open_store))


@pytest.fixture
def keep(store: Store) -> Callable[..., None]:
    """Put resources on record."""

    def keep(*resources: Mapping[str, Any]) -> None:
        entries = [{"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}} for r in resources]
        store.bundle({"resourceType": "Bundle", "type": "transaction", "entry": entries})

    return keep


def to(reference: str) -> dict[str, str]:
    return {"reference": reference}


def patient(id: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id, "name": [{"family": id.title(), "given": ["Test"]}], **more}


def observation(id: str, whose: str, code: str = "8867-4", when: str = "2026-03-01T09:00:00Z", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": to(f"Patient/{whose}"),
        "effectiveDateTime": when,
        **more,
    }


def references(bundle: Mapping[str, Any], mode: str | None = None) -> list[str]:
    """`Type/id` of the entries, of one search mode if it is named."""
    entries = bundle.get("entry", [])
    return [f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in entries if mode in (None, e.get("search", {}).get("mode"))]
