"""Value sets as the codes they hold, as far as that can be told, and codes that no system can hold."""

from __future__ import annotations

from typing import Any

import pytest

from openward.fhir.profiles.expansions import ANY, UNKNOWN, as_value_set, expand, member
from openward.fhir.profiles.grammars import is_impossible

LETTERS = {
    "url": "urn:letters",
    "content": "complete",
    "concept": [
        {"code": "a"},
        {"code": "b", "concept": [{"code": "b1", "concept": [{"code": "b11"}]}]},
        {"code": "c", "property": [{"code": "subsumedBy", "valueCode": "b"}]},
    ],  # fmt: skip
}
SETS = {"urn:ab": {"url": "urn:ab", "compose": {"include": [{"system": "urn:letters", "concept": [{"code": "a"}, {"code": "b"}]}]}}}


def codes(*include: dict[str, Any], exclude: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return expand({"url": "urn:it", "compose": {"include": list(include), "exclude": exclude or []}}, SETS.get, {"urn:letters": LETTERS}.get)


def by(op: str, value: str) -> dict[str, Any]:
    return {"system": "urn:letters", "filter": [{"property": "concept", "op": op, "value": value}]}


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (codes({"system": "urn:letters"}), {"urn:letters": ["a", "b", "b1", "b11", "c"]}),
        (codes({"system": "urn:letters", "concept": [{"code": "a"}]}), {"urn:letters": ["a"]}),
        (codes(by("is-a", "b")), {"urn:letters": ["b", "b1", "b11", "c"]}),
        (codes(by("descendent-of", "b")), {"urn:letters": ["b1", "b11", "c"]}),
        (codes(by("is-not-a", "b")), {"urn:letters": ["a"]}),
        (codes(by("regex", ".")), {"urn:letters": UNKNOWN}),
        (codes({"system": "urn:elsewhere"}), {"urn:elsewhere": ANY}),
        (codes({"system": "urn:elsewhere", "filter": [{"property": "x", "op": "=", "value": "y"}]}), {"urn:elsewhere": UNKNOWN}),
        (codes({"valueSet": ["urn:ab"]}), {"urn:letters": ["a", "b"]}),
        (codes({"valueSet": ["urn:ab"], **by("is-a", "b")}), {"urn:letters": ["b"]}),
        (codes({"valueSet": ["urn:absent"]}), {"": UNKNOWN}),
        (codes({"valueSet": ["urn:it"]}), {"": UNKNOWN}),
        (codes({"system": "urn:letters"}, exclude=[by("is-a", "b")]), {"urn:letters": ["a"]}),
        (codes({"system": "urn:elsewhere"}, exclude=[{"system": "urn:elsewhere", "concept": [{"code": "x"}]}]), {"urn:elsewhere": UNKNOWN}),
        (codes({"system": "urn:letters", "concept": [{"code": "a"}]}, {"system": "urn:elsewhere"}), {"urn:letters": ["a"], "urn:elsewhere": ANY}),
    ],
)
def test_a_composition_holds_what_it_says(held, expected):
    assert held == expected


def test_an_expansion_is_taken_where_there_is_nothing_else():
    value_set = {"expansion": {"contains": [{"system": "s", "code": "1", "contains": [{"system": "s", "code": "2"}]}]}}
    assert expand(value_set, SETS.get, SETS.get) == {"s": ["1", "2"]}


@pytest.mark.parametrize(
    ("held", "system", "code", "answer"),
    [
        ({"s": {"1"}}, "s", "1", True),
        ({"s": {"1"}}, "s", "2", False),
        ({"s": {"1"}}, "t", "1", False),
        ({"s": {"1"}}, None, "1", True),
        ({"s": {"1"}}, None, "2", False),
        ({"s": ANY}, "s", "1", None),
        ({"s": UNKNOWN, "t": {"1"}}, "t", "2", False),
        ({"s": UNKNOWN, "t": {"1"}}, None, "2", None),
        ({"": UNKNOWN, "t": {"1"}}, "t", "1", True),
        ({"": UNKNOWN, "t": {"1"}}, "t", "2", None),
    ],
)
def test_what_cannot_be_told_is_not_guessed(held, system, code, answer):
    assert member(held, system, code) is answer


def test_codes_known_otherwise_are_included_like_any_set():
    held = {"urn:letters": ["a"], "s": ANY, "t": UNKNOWN}
    assert expand(as_value_set("urn:x", held), SETS.get, SETS.get) == held


@pytest.mark.parametrize(
    ("system", "good", "bad"),
    [
        ("http://loinc.org", ["85354-9", "8480-6", "LP29684-5", "LA6576-8", "LL2419-1"], ["85354-8", "854", "abc", "85354-9 "]),
        ("http://snomed.info/sct", ["73211009", "373066001", "449868002", "428041000124106", "71341001:272741003=7771000"], ["73211008", "12", "x"]),
        ("http://hl7.org/fhir/sid/cvx", ["03", "207"], ["flu"]),
        ("http://hl7.org/fhir/sid/icd-10-cm", ["E11.9", "A00", "S72.001A", "U07.1"], ["11.9", "E1"]),
        ("urn:ietf:bcp:47", ["en", "en-US", "zh-Hant-TW"], ["english language", "e_n"]),
        ("http://unitsofmeasure.org", ["mm[Hg]", "{score}", "%", "{# of fetuses}", "10*3/uL"], ["mm Hg", "apples"]),
        ("urn:unknown", ["anything at all"], []),
    ],
)
def test_a_code_is_impossible_when_its_system_cannot_hold_it(system, good, bad):
    assert [code for code in good if is_impossible(system, code)] == []
    assert [code for code in bad if not is_impossible(system, code)] == []
