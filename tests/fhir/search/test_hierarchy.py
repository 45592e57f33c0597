from __future__ import annotations

from typing import Any

import pytest

from openward.fhir.errors import BadRequest
from openward.fhir.protocols import Where
from tests.fhir.search.shelf import Shelf, key_of


def _location(id: str, parent: str | None = None) -> dict[str, Any]:
    return {"resourceType": "Location", "id": id} | ({"partOf": {"reference": f"Location/{parent}"}} if parent else {})


def _procedure(id: str, location: str) -> dict[str, Any]:
    place = {"location": {"reference": f"Location/{location}"}, "subject": {"reference": "Patient/p"}}
    return {"resourceType": "Procedure", "id": id, "status": "completed"} | place


RESOURCES = [
    _location("house"), _location("ward", "house"), _location("room", "ward"), _location("bed", "room"), _location("elsewhere"),
    _procedure("in-house", "house"), _procedure("in-ward", "ward"), _procedure("in-bed", "bed"), _procedure("out", "elsewhere"),
    {"resourceType": "List", "id": "rounds", "status": "current", "mode": "working", "entry": [
        {"item": {"reference": "Procedure/in-bed"}}, {"item": {"reference": "Procedure/out"}, "deleted": True}, {"item": {"reference": "Location/bed"}}]},
    {"resourceType": "ValueSet", "id": "v1", "status": "active", "url": "http://acme.org/fhir/ValueSet/1",
     "meta": {"profile": ["http://acme.org/sd/vs|1.0"]}},
    {"resourceType": "ValueSet", "id": "v2", "status": "active", "url": "http://acme.org/fhir/ValueSet/1/2"},
    {"resourceType": "ValueSet", "id": "v3", "status": "active", "url": "http://acme.org/fhir/ValueSet/123"},
    {"resourceType": "ValueSet", "id": "v4", "status": "active", "url": "urn:oid:1.2.3"},
]  # fmt: skip

CASES = {
    "Procedure?location:below=Location/ward": {"in-ward", "in-bed"},
    "Procedure?location:below=ward": {"in-ward", "in-bed"},
    "Procedure?location:below=Location/bed,Location/elsewhere": {"in-bed", "out"},
    "Procedure?location:above=Location/room": {"in-house", "in-ward"},
    "Location?partof:below=house": {"ward", "room", "bed"},
    "Location?partof:above=ward": {"ward", "room"},
    "Procedure?location.partof:below=house": {"in-ward", "in-bed"},
    "Procedure?_list=rounds": {"in-bed"},
    "Procedure?_list=nothing": set(),
    "Location?_list=rounds": {"bed"},
    "ValueSet?url=http://acme.org/fhir/ValueSet/1": {"v1"},
    "ValueSet?url:below=http://acme.org/fhir/ValueSet/1": {"v1", "v2"},
    "ValueSet?url:below=http://acme.org/fhir/": {"v1", "v2", "v3"},
    "ValueSet?_profile:below=http://acme.org/sd/vs": {"v1"},
    "ValueSet?_profile:below=http://acme.org/sd": {"v1"},
    "ValueSet?_profile:below=http://acme.org/sd/v": set(),
    "ValueSet?url:below=http://acme.org/fhir/Value": set(),
    "ValueSet?url:below=urn:oid:1": set(),
    "ValueSet?url:below=urn:oid": {"v4"},
    "ValueSet?url:above=http://acme.org/fhir/ValueSet/1/2": {"v1", "v2"},
    "ValueSet?url:above=http://acme.org/fhir/ValueSet/123/_history/5": {"v3"},
}


@pytest.mark.parametrize(("query", "expected"), CASES.items(), ids=CASES.keys())
def test_what_lies_below_and_above_is_found(full_shelf: Shelf, query: str, expected: set[str]) -> None:
    assert set(full_shelf.ids(query)) == expected


def test_what_the_actor_may_not_see_leads_nowhere(full_shelf: Shelf) -> None:
    def without_the_ward(type: str) -> Where:
        return Where("c.rkey <> %(policy_hidden)s", {"policy_hidden": key_of("Location", "ward")})

    assert full_shelf.ids("Procedure?location:below=house", where=without_the_ward) == ["in-house"]
    assert set(full_shelf.ids("Procedure?location:above=bed", where=without_the_ward)) == {"in-bed", "in-ward"}


def test_a_list_the_actor_may_not_see_names_nothing(full_shelf: Shelf) -> None:
    assert full_shelf.ids("Procedure?_list=rounds", where=lambda name: None if name == "List" else Where()) == []


@pytest.mark.parametrize("query", ["Procedure?subject:below=Patient/p", "Procedure?_list=$current", "Procedure?_contained=true"])
def test_what_there_is_not_is_refused(full_shelf: Shelf, query: str) -> None:
    with pytest.raises(BadRequest):
        full_shelf.search(query)


@pytest.mark.parametrize(("sort", "expected"), [("location", "in-bed out in-house in-ward"), ("-location", "in-ward in-house out in-bed")])
def test_references_sort_by_what_they_say(full_shelf: Shelf, sort: str, expected: str) -> None:
    assert full_shelf.ids(f"Procedure?_sort={sort}") == expected.split()


def test_uris_sort_by_their_letters(full_shelf: Shelf) -> None:
    assert full_shelf.ids("ValueSet?_sort=url") == ["v1", "v2", "v3", "v4"]
    assert full_shelf.ids("ValueSet?_sort=-url&_count=1") == ["v4"]


def test_a_circle_comes_to_an_end(shelf: Shelf) -> None:
    shelf.put(_location("a", "b"), _location("b", "a"), _procedure("p", "a"))
    assert shelf.ids("Procedure?location:below=b") == ["p"]
    assert shelf.ids("Procedure?location:above=b") == ["p"]
