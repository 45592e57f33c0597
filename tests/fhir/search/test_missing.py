"""`:missing` is answered by the sets of parameters that resources have values for."""

from __future__ import annotations

import pytest

from openward.fhir.search import missing
from tests.fhir.search.shelf import Shelf, only_patient

RESOURCES = [
    {"resourceType": "Patient", "id": "ada", "gender": "female", "birthDate": "1980-01-01"},
    {"resourceType": "Patient", "id": "ben", "gender": "male"},
    {"resourceType": "Patient", "id": "cy"},
    {"resourceType": "Patient", "id": "dee", "gender": "other", "birthDate": "1990"},
]


def _found(shelf: Shelf, query: str, **how: object) -> set[str]:
    return set(shelf.ids(query, **how))


def test_resources_of_every_set_without_the_value_are_found_and_no_others(full_shelf: Shelf) -> None:
    assert _found(full_shelf, "Patient?birthdate:missing=true") == {"ben", "cy"}
    assert _found(full_shelf, "Patient?birthdate:missing=false") == {"ada", "dee"}
    assert _found(full_shelf, "Patient?birthdate:missing=true&gender:missing=false") == {"ben"}


def test_a_value_everybody_has_is_missing_nowhere(full_shelf: Shelf) -> None:
    assert _found(full_shelf, "Patient?_id:missing=true") == set()
    assert _found(full_shelf, "Patient?family:missing=false") == set()
    assert _found(full_shelf, "Patient?family:missing=true") == {"ada", "ben", "cy", "dee"}


def test_it_is_counted_as_it_is_found(full_shelf: Shelf) -> None:
    assert full_shelf.search("Patient?gender:missing=true&_total=accurate").total == 1
    assert full_shelf.search("Patient?gender:missing=false&_summary=count").total == 3


def test_what_the_actor_may_not_see_is_not_found_lacking(full_shelf: Shelf) -> None:
    assert _found(full_shelf, "Patient?birthdate:missing=true", where=only_patient("cy")) == {"cy"}


def test_more_sets_than_are_looked_at_give_the_same_answer(full_shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missing, "MOST_KINDS", 2)
    assert _found(full_shelf, "Patient?birthdate:missing=true") == {"ben", "cy"}
    assert _found(full_shelf, "Patient?birthdate:missing=false") == {"ada", "dee"}


def test_another_tenants_sets_are_not_looked_at(shelf: Shelf) -> None:
    Shelf(shelf.connection, tenant=2).put({"resourceType": "Patient", "id": "far", "birthDate": "2000"})
    shelf.put({"resourceType": "Patient", "id": "near"})
    assert shelf.ids("Patient?birthdate:missing=false") == []
    assert shelf.ids("Patient?birthdate:missing=true") == ["near"]
