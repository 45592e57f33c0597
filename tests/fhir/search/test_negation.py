"""`:not` where next to nothing is left over is answered from the other values in use, and must find the same."""

from __future__ import annotations

import pytest

from openward.fhir.search import negation
from openward.fhir.search.engine import Search
from openward.fhir.search.query import parse
from tests.fhir.search.shelf import Shelf, everything

LAB, VITAL = {"system": "urn:c", "code": "laboratory"}, {"system": "urn:c", "code": "vital-signs"}
SILENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}


def _observation(id: str, category: list[object] | None, status: str = "final") -> dict[str, object]:
    found: dict[str, object] = {"resourceType": "Observation", "id": id, "status": status, "code": {"text": "x"}}
    return found | ({"category": category} if category else {})


RESOURCES = [
    _observation("lab", [{"coding": [LAB]}]),
    _observation("lab-and-vital", [{"coding": [LAB]}, {"coding": [VITAL]}], "amended"),
    _observation("vital", [{"coding": [VITAL]}]),
    _observation("words", [{"text": "from a letter"}]),
    _observation("display", [{"coding": [{"display": "Something"}]}]),
    _observation("silent", [SILENT]),
    _observation("silent-coding", [{"coding": [SILENT]}]),
    _observation("none", None, "preliminary"),
    {"resourceType": "Patient", "id": "yes", "active": True},
    {"resourceType": "Patient", "id": "no", "active": False},
    {"resourceType": "Patient", "id": "unsaid"},
]

NOT_LAB = {"vital", "words", "display", "silent", "silent-coding", "none"}
CASES = {
    "Observation?category:not=laboratory": NOT_LAB,
    "Observation?category:not=urn:c|laboratory": NOT_LAB,
    "Observation?category:not=urn:other|laboratory": NOT_LAB | {"lab", "lab-and-vital"},
    "Observation?category:not=|laboratory": NOT_LAB | {"lab", "lab-and-vital"},
    "Observation?category:not=laboratory,vital-signs": NOT_LAB - {"vital"},
    "Observation?category:not=urn:c|": NOT_LAB - {"vital"},
    "Observation?status:not=final": {"lab-and-vital", "none"},
    "Observation?status:not=final,preliminary": {"lab-and-vital"},
    "Observation?status:not=http://hl7.org/fhir/observation-status|final": {"lab-and-vital", "none"},
    "Observation?category:not=laboratory&category:not=vital-signs&status=final": {"words", "display", "silent", "silent-coding"},
    "Patient?active:not=true": {"no", "unsaid"},
    "Patient?active:not=true,false": {"unsaid"},
}


def _never_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(negation, "COMMON", 0)
    monkeypatch.setattr(negation, "WALKED", 0.001)


def _statement(shelf: Shelf, query: str) -> str:
    type, _, rest = query.partition("?")
    search = Search(shelf.connection, 1, parse(type, [tuple(part.split("=", 1)) for part in rest.split("&")]), everything)  # type: ignore[arg-type]
    scope = search.scope()
    return " ".join(search._found(scope))


@pytest.mark.parametrize(("query", "expected"), CASES.items(), ids=CASES.keys())
def test_what_lacks_a_value_is_found_by_walking(full_shelf: Shelf, query: str, expected: set[str]) -> None:
    assert set(full_shelf.ids(query)) == expected


@pytest.mark.parametrize(("query", "expected"), CASES.items(), ids=CASES.keys())
def test_what_lacks_a_value_is_found_from_the_other_values(
    full_shelf: Shelf, monkeypatch: pytest.MonkeyPatch, query: str, expected: set[str]
) -> None:
    _never_walk(monkeypatch)
    assert set(full_shelf.ids(query)) == expected
    assert full_shelf.search(f"{query}&_total=accurate").total == len(expected)


def test_both_ways_are_really_two(full_shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    query = "Observation?category:not=laboratory"
    monkeypatch.setattr(negation, "WALKED", 10_000)
    assert "c.rkey = any" not in _statement(full_shelf, query)
    _never_walk(monkeypatch)
    assert "c.rkey = any" in _statement(full_shelf, query)


@pytest.mark.parametrize("query", ["Observation?identifier:not=x", "Patient?phone:not=1", "Observation?category:not=urn:c|"])
def test_values_that_cannot_be_told_one_by_one_are_always_walked_for(full_shelf: Shelf, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    _never_walk(monkeypatch)
    assert "c.rkey = any" not in _statement(full_shelf, query)


def test_more_codes_than_can_be_listed_are_walked_for(full_shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    _never_walk(monkeypatch)
    monkeypatch.setattr(negation, "MOST_OTHERS", 1)
    assert set(full_shelf.ids("Observation?category:not=laboratory")) == NOT_LAB
    assert "c.rkey = any" not in _statement(full_shelf, "Observation?category:not=laboratory")
