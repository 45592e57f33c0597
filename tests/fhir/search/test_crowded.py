"""A patient with very many rows: what is common is walked for, what is seldom met is looked up, and both find the same."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from openward.fhir.search import crowded
from openward.fhir.search.engine import Search
from openward.fhir.search.query import parse
from tests.fhir.house import empty
from tests.fhir.search.shelf import Shelf, everything

LAB = "urn:x"


def _observation(number: int, patient: str) -> dict[str, object]:
    code = "rare" if number == 7 else f"c{number % 2}"
    return {"resourceType": "Observation", "id": f"{patient}-{number}", "status": "final", "subject": {"reference": f"Patient/{patient}"},
            "code": {"coding": [{"system": LAB, "code": code}]}, "effectiveDateTime": f"2026-01-{number % 28 + 1:02d}"}  # fmt: skip


@pytest.fixture(scope="module")
def crowd(engine_url: str) -> Iterator[Shelf]:
    with psycopg.connect(engine_url, autocommit=True) as connection:
        empty(connection)
        shelf = Shelf(connection)
        shelf.put(*(_observation(number, "ada") for number in range(120)), *(_observation(number, "ben") for number in range(10)))
        connection.execute("analyze fhir.current")
        yield shelf


@pytest.fixture(autouse=True)
def from_sixty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowded, "CROWD", 60)
    crowded._known.clear()


def _is_walked(shelf: Shelf, query: str) -> bool:
    type, _, rest = query.partition("?")
    found = parse(type, [tuple(part.split("=", 1)) for part in rest.split("&")])  # type: ignore[arg-type]
    return not Search(shelf.connection, 1, found, everything)._is_crowded()


WALKED = ["patient=ada", "patient=ada&code=urn:x|c1", "patient=ada&code=c0,rare", "patient=ben&code=rare", "patient=ada&date=2026-01-01"]
PLANNED = ["patient=ada&code=rare", "patient=ada&code=urn:x|nothing", "patient=Patient/ada&status:not=final", "subject=Patient/ada&code:missing=true"]


@pytest.mark.parametrize("query", WALKED)
def test_what_is_soon_met_is_walked_for(crowd: Shelf, query: str) -> None:
    assert _is_walked(crowd, f"Observation?{query}")


@pytest.mark.parametrize("query", PLANNED)
def test_what_a_crowded_patient_seldom_has_is_looked_up(crowd: Shelf, query: str) -> None:
    assert not _is_walked(crowd, f"Observation?{query}")


@pytest.mark.parametrize("query", WALKED + PLANNED)
def test_both_ways_find_the_same(crowd: Shelf, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    looked_up = crowd.ids(f"Observation?{query}&_count=1000")
    crowded._known.clear()
    monkeypatch.setattr(crowded, "CROWD", 1_000_000)
    assert _is_walked(crowd, f"Observation?{query}")
    assert crowd.ids(f"Observation?{query}&_count=1000") == looked_up


def test_the_statistics_are_read_again_only_now_and_then(crowd: Shelf) -> None:
    first = crowded._crowds(crowd.connection)
    assert first.patients
    assert crowded._crowds(crowd.connection) is first
