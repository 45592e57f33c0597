from __future__ import annotations

from typing import Any

import pytest

from openward.fhir.errors import BadRequest, NotFound
from openward.fhir.protocols import Where
from openward.fhir.search import search
from openward.fhir.search.places import SYSTEM, Place, within
from openward.fhir.search.query import Unknown
from tests.fhir.search.shelf import Shelf, everything, only_patient


def _of(type: str, id: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": type, "id": id, "status": "final", "code": {"text": id}} | more


def _at(reference: str) -> dict[str, str]:
    return {"reference": reference}


RESOURCES = [
    {"resourceType": "Patient", "id": "p1", "gender": "female"},
    {"resourceType": "Patient", "id": "p2", "gender": "female", "link": [{"other": _at("Patient/p1"), "type": "seealso"}]},
    {"resourceType": "Practitioner", "id": "d1"},
    _of("Observation", "o1", subject=_at("Patient/p1"), encounter=_at("Encounter/e1"), performer=[_at("Practitioner/d1")]),
    _of("Observation", "o2", subject=_at("Patient/p2"), performer=[_at("Patient/p1")], device=_at("Device/v1")),
    _of("Observation", "o3", subject=_at("Patient/p2")),
    _of("Condition", "c1", subject=_at("Patient/p1"), encounter=_at("Encounter/e1"), meta={"tag": [{"system": "urn:t", "code": "x"}]}),
    _of("Encounter", "e1", subject=_at("Patient/p1"), **{"class": {"code": "AMB"}}),
    _of("Appointment", "a1", participant=[{"actor": _at("Patient/p1")}, {"actor": _at("RelatedPerson/r1")}]),
    {"resourceType": "RelatedPerson", "id": "r1", "patient": _at("Patient/p1")},
    {"resourceType": "Device", "id": "v1", "patient": _at("Patient/p2")},
    {"resourceType": "Organization", "id": "org", "name": "House"},
]


def _found(shelf: Shelf, place: Place, query: str = "", *, where: Any = everything, strict: bool = True) -> set[str]:
    """All pages' ids, two a page."""
    ids: list[str] = []
    params = [tuple(part.split("=", 1)) for part in query.split("&") if part] + [("_count", "2")]
    while True:
        page = search(shelf.connection, 1, place, params, where=where, strict=strict)
        ids += [version.id for version in page.matches]
        if page.next is None:
            assert len(ids) == len(set(ids))
            return set(ids)
        params = [("_cursor", page.next)]


COMPARTMENTS = {
    ("Patient", "p1", "Observation", ""): {"o1", "o2"},
    ("Patient", "p1", "Observation", "code:text=nothing"): set(),
    ("Patient", "p2", "Observation", "status=final"): {"o2", "o3"},
    ("Patient", "p1", "Patient", ""): {"p1", "p2"},
    ("Patient", "p1", "*", ""): {"p1", "p2", "o1", "o2", "c1", "e1", "a1", "r1"},
    ("Patient", "p1", "*", "_type=Observation,Condition"): {"o1", "o2", "c1"},
    ("Patient", "p1", "*", "_tag=urn:t|x"): {"c1"},
    ("Patient", "nobody", "*", ""): set(),
    ("Encounter", "e1", "Observation", ""): {"o1"},
    ("Encounter", "e1", "*", ""): {"o1", "c1", "e1"},
    ("Practitioner", "d1", "*", ""): {"o1", "d1"},
    ("RelatedPerson", "r1", "Appointment", ""): {"a1"},
    ("Device", "v1", "Observation", ""): {"o2"},
}


class TestCompartments:
    @pytest.mark.parametrize(("asked", "expected"), COMPARTMENTS.items(), ids=["/".join(asked) for asked in COMPARTMENTS])
    def test_hold_what_points_at_their_owner(self, full_shelf: Shelf, asked: tuple[str, str, str, str], expected: set[str]) -> None:
        owner, id, type, query = asked
        assert _found(full_shelf, within(owner, id, type), query) == expected

    @pytest.mark.parametrize("asked", [("Organization", "1", "Patient"), ("Patient", "1", "Organization"), ("Patient", "1", "Nothing")])
    def test_there_is_none_of_other_types(self, asked: tuple[str, str, str]) -> None:
        with pytest.raises(NotFound):
            within(*asked)

    def test_show_only_what_the_actor_may_see(self, full_shelf: Shelf) -> None:
        assert _found(full_shelf, within("Patient", "p1", "*"), where=only_patient("p2")) == {"p2", "o2"}


class TestSeveralTypes:
    CASES = {
        "": {resource["id"] for resource in RESOURCES},
        "_type=Patient,Observation": {"p1", "p2", "o1", "o2", "o3"},
        "_id=p1,o1,nothing": {"p1", "o1"},
        "_tag=urn:t|x": {"c1"},
        "_type=Observation,Condition&patient=p1": {"o1", "c1"},
        "_type=Observation,Condition&patient.gender=female&encounter=e1": {"o1", "c1"},
        "_type=Encounter": {"e1"},
    }

    @pytest.mark.parametrize(("query", "expected"), CASES.items(), ids=CASES.keys())
    def test_are_searched_together(self, full_shelf: Shelf, query: str, expected: set[str]) -> None:
        assert _found(full_shelf, SYSTEM, query) == expected

    @pytest.mark.parametrize("sort", ["_id", "-_id", "_lastUpdated", "-_lastUpdated"])
    def test_are_sorted_and_paged_together(self, full_shelf: Shelf, sort: str) -> None:
        assert _found(full_shelf, SYSTEM, f"_sort={sort}") == {resource["id"] for resource in RESOURCES}

    def test_by_time_of_writing_come_in_that_order(self, full_shelf: Shelf) -> None:
        page = search(full_shelf.connection, 1, SYSTEM, {"_sort": "-_lastUpdated", "_count": "4"}, where=everything)
        assert [version.id for version in page.matches] == ["org", "v1", "r1", "a1"]

    def test_are_counted_together(self, full_shelf: Shelf) -> None:
        for params in ({"_summary": "count"}, {"_total": "accurate", "_count": 1}, {"_total": "estimate", "_count": 1}):
            assert search(full_shelf.connection, 1, SYSTEM, params, where=everything).total == len(RESOURCES)

    def test_a_parameter_not_all_of_them_have_is_unknown(self, full_shelf: Shelf) -> None:
        asked = {"_type": "Patient,Organization", "gender": "female"}
        assert search(full_shelf.connection, 1, SYSTEM, asked, where=everything).ignored == ["gender"]
        with pytest.raises(Unknown, match="gender"):
            search(full_shelf.connection, 1, SYSTEM, asked, where=everything, strict=True)

    def test_types_may_be_named_one_by_one_and_are_on_every_page(self, full_shelf: Shelf) -> None:
        asked = [("_type", "Patient"), ("_type", "Condition"), ("_count", "1")]
        page = search(full_shelf.connection, 1, SYSTEM, asked, where=everything, strict=True)
        found = [version.type for version in page.matches]
        while page.next:
            page = search(full_shelf.connection, 1, SYSTEM, {"_cursor": page.next}, where=everything)
            found += [version.type for version in page.matches]
        assert sorted(found) == sorted(r["resourceType"] for r in RESOURCES if r["resourceType"] in ("Patient", "Condition"))

    def test_a_type_there_is_not_is_refused(self, full_shelf: Shelf) -> None:
        with pytest.raises(BadRequest, match="Nothing"):
            search(full_shelf.connection, 1, SYSTEM, {"_type": "Patient,Nothing"}, where=everything)

    def test_those_the_actor_may_not_see_are_left_out(self, full_shelf: Shelf) -> None:
        only_organizations = lambda name: Where() if name == "Organization" else None  # noqa: E731
        assert _found(full_shelf, SYSTEM, where=only_organizations) == {"org"}

    def test_bring_what_they_include(self, full_shelf: Shelf) -> None:
        page = search(full_shelf.connection, 1, SYSTEM, {"_type": "Observation,Condition", "_id": "o1,c1", "_include": "*"}, where=everything)
        assert {version.id for version in page.includes} == {"p1", "e1", "d1"}


class TestIncludesOfEverything:
    def test_everything_that_points_here_comes_along(self, full_shelf: Shelf) -> None:
        page = full_shelf.search("Patient?_id=p1&_revinclude=*")
        assert {version.id for version in page.includes} == {"p2", "o1", "o2", "c1", "e1", "a1", "r1"}

    def test_again_and_again_where_asked_to(self, full_shelf: Shelf) -> None:
        assert {v.id for v in full_shelf.search("Observation?_id=o2&_include=*").includes} == {"p2", "p1", "v1"}
        assert {v.id for v in full_shelf.search("Encounter?_id=e1&_revinclude=Observation:encounter&_include:iterate=*").includes} == {
            "o1",
            "p1",
            "d1",
        }
