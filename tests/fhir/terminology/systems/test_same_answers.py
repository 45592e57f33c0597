"""A code system in memory, the same one in the tables, and the plain definition of each question give the same answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openward.fhir.terminology import Terminology, catalogue
from openward.fhir.terminology.concepts import Concept, Filter, Sought
from openward.fhir.terminology.systems import CodeSystem
from openward.fhir.terminology.systems.stored import StoredSystem
from openward.fhir.terminology.writing import install, uninstall
from tests.fhir.house import House

URL = "http://example.org/random"
CODES = [f"{letter}{number}" for letter in "abC" for number in range(4)]
WORDS = ["red", "Reed", "blue", "blueish", "old-blue", "éclair"]


@st.composite
def systems(draw: Any) -> dict[str, Any]:
    """Up to twelve concepts with several parents each, circles too, names and properties."""
    codes = draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=12, unique=True))
    concepts = []
    for code in codes:
        parents = draw(st.lists(st.sampled_from(codes), max_size=3, unique=True))
        properties = [{"code": "parent", "valueCode": parent} for parent in parents]
        properties += [{"code": "size", "valueInteger": size} for size in draw(st.lists(st.integers(1, 3), max_size=2, unique=True))]
        if draw(st.booleans()):
            properties.append({"code": "inactive", "valueBoolean": True})
        concept = {"code": code, "property": properties}
        words = draw(st.lists(st.sampled_from(WORDS), max_size=2))
        if words:
            concept["display"] = " ".join(words)
        concepts.append(concept)
    return {
        "resourceType": "CodeSystem",
        "url": URL,
        "status": "active",
        "content": "complete",
        "caseSensitive": draw(st.booleans()),
        "concept": concepts,
    }


HIERARCHY = st.builds(
    Filter, st.just("concept"), st.sampled_from(["is-a", "descendent-of", "is-not-a", "generalizes"]), st.sampled_from([*CODES, "A0", "c1"])
)
OF_SIZE = st.builds(Filter, st.just("size"), st.sampled_from(["=", "in", "not-in"]), st.sampled_from(["1", "2", "1,3"]))
OF_CODE = st.builds(Filter, st.just("code"), st.sampled_from(["in", "not-in", "="]), st.sampled_from(["a0", "a0,b1,c2", "C1"]))
PRESENCE = st.builds(Filter, st.sampled_from(["size", "display", "parent"]), st.just("exists"), st.sampled_from(["true", "false"]))
PATTERN = st.builds(Filter, st.sampled_from(["code", "display"]), st.just("regex"), st.sampled_from(["[ab].", ".*blue.*", "a(0|1)?"]))
EDGE = st.builds(Filter, st.sampled_from(["parent", "child"]), st.just("="), st.sampled_from(CODES))
FILTERS = st.lists(st.one_of(HIERARCHY, OF_SIZE, OF_CODE, PRESENCE, PATTERN, EDGE), max_size=2)
SOUGHT = st.sampled_from([None, "re", "blue", "old", "b", "a1", "reed re", "ÉCL"])


class Plain:
    """The questions by their definitions, nothing clever."""

    def __init__(self, resource: Mapping[str, Any]) -> None:
        self.fold = str if resource["caseSensitive"] else str.casefold
        self.rows = {one["code"]: one for one in resource["concept"]}
        self.parents = {
            code: [p["valueCode"] for p in one["property"] if p["code"] == "parent" and p["valueCode"] != code] for code, one in self.rows.items()
        }

    def above(self, code: str) -> set[str]:
        found: set[str] = set()
        left = [code]
        while left:
            for parent in self.parents[left.pop()]:
                if parent not in found:
                    found.add(parent)
                    left.append(parent)
        return found

    def passes(self, code: str, one: Filter) -> bool:
        values = self.values(code, one.about)
        if one.is_of_hierarchy:
            start = next((known for known in self.rows if self.fold(known) == self.fold(one.value)), None)
            if start is None:
                return one.op == "is-not-a"
            below = code == start or start in self.above(code)
            return {
                "is-a": below,
                "descendent-of": below and code != start,
                "is-not-a": not below,
                "generalizes": code == start or code in self.above(start),
            }[one.op]
        if one.op == "exists":
            return bool(values) == (one.value == "true")
        if one.op == "regex":
            return any(re.fullmatch(one.value, value) for value in values)
        among = {self.fold(part) for part in (one.value.split(",") if one.op != "=" else [one.value])}
        hit = any(self.fold(value) in among for value in values)
        return not hit if one.op == "not-in" else hit

    def values(self, code: str, about: str) -> list[str]:
        row = self.rows[code]
        if about in ("code", "concept"):
            return [code]
        if about == "display":
            return [row["display"]] if "display" in row else []
        if about == "parent":
            return self.parents[code]
        if about == "child":
            return [child for child, parents in self.parents.items() if code in parents]
        return [str(p["valueInteger"]) for p in row["property"] if p["code"] == about]


@pytest.fixture(scope="module")
def tables(engine_url: str) -> Iterator[House]:
    house = House(engine_url)
    house.connect()
    yield house
    house.close()


def both(house: House, resource: Mapping[str, Any]) -> tuple[CodeSystem, CodeSystem]:
    """The system in memory and by statements."""
    connection = house.connections[0]
    uninstall(connection, 9, source="random")
    install(connection, 9, [resource], source="random")
    memory = Terminology(connection, 9).catalogue.system(URL)
    before, catalogue.SMALL = catalogue.SMALL, -1
    try:
        stored = Terminology(connection, 9).catalogue.system(URL)
    finally:
        catalogue.SMALL = before
    assert memory is not None
    assert isinstance(stored, StoredSystem)
    return memory, stored


def codes(found: Iterator[Concept]) -> list[str]:
    return [one.code for one in found]


class TestThreeWaysToTheSameAnswer:
    @settings(max_examples=120)
    @given(resource=systems(), filters=FILTERS, sought=SOUGHT)
    def test_filters_and_words(self, tables: House, resource: dict[str, Any], filters: Sequence[Filter], sought: str | None) -> None:
        plain = Plain(resource)
        known = {"size"} & {p["code"] for one in resource["concept"] for p in one["property"]}
        filters = [one for one in filters if one.about != "size" or known]
        memory, stored = both(tables, resource)
        expected = [code for code in plain.rows if all(plain.passes(code, one) for one in filters)]
        wanted = Sought.of(sought)
        if wanted:
            expected = [code for code in expected if wanted.fits(code, plain.values(code, "display"))]
        assert codes(memory.each(filters, wanted)) == expected
        assert codes(stored.each(filters, wanted)) == expected
        if wanted is None:
            for code in CODES:
                assert memory.holds(code, filters) == stored.holds(code, filters)
                if code in plain.rows:
                    assert memory.holds(code, filters) == (code in expected)

    @settings(max_examples=80)
    @given(resource=systems())
    def test_what_is_above_and_below(self, tables: House, resource: dict[str, Any]) -> None:
        plain = Plain(resource)
        memory, stored = both(tables, resource)
        for code in plain.rows:
            above = plain.above(code) - {code}
            below = {other for other in plain.rows if code in plain.above(other)} - {code}
            for system in (memory, stored):
                assert set(system.ancestors(code)) == above
                assert set(system.descendants(code, 100)) == below
                assert set(system.parents(code)) == set(plain.parents[code])
                assert set(system.children(code)) == set(plain.values(code, "child"))
                lineage = {one: set(parents) for one, parents in system.lineage([code]).items()}
                assert lineage == {one: set(plain.parents[one]) for one in (code, *above)}

    @settings(max_examples=40)
    @given(resource=systems())
    def test_each_concept_itself(self, tables: House, resource: dict[str, Any]) -> None:
        memory, stored = both(tables, resource)
        for code in [*CODES, "A0", "c1", "", "\x00", "'; drop table fhir.concept; --"]:
            found = memory.find(code)
            assert found == stored.find(code)
            if found:
                assert sorted(memory.properties(found.code), key=str) == sorted(stored.properties(found.code), key=str)
