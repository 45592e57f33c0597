"""Whatever comes in, a clear answer goes out: never a 500, never a hang."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openward.fhir.store import Store
from tests.fhir.http.client import Client
from tests.fhir.terminology.shelf import ANIMAL_SYSTEM, ANIMALS

NAMES = [
    "url", "system", "code", "version", "display", "coding", "codeableConcept", "codeA", "codeB", "codingA", "codingB", "valueSet", "codeSystem", "conceptMap",
    "valueSetVersion", "systemVersion", "filter", "offset", "count", "includeDesignations", "designation", "activeOnly", "excludeNested", "excludeNotForUI",
    "displayLanguage", "exclude-system", "system-version", "check-system-version", "force-system-version", "abstract", "date", "property", "reverse",
    "targetsystem", "target", "source", "dependency", "name", "concept", "tx-resource", "context",
]  # fmt: skip
PATHS = [
    "/ValueSet/$expand",
    "/ValueSet/$validate-code",
    "/CodeSystem/$validate-code",
    "/CodeSystem/$lookup",
    "/CodeSystem/$subsumes",
    "/ConceptMap/$translate",
    "/$closure",
]
TEXTS = st.one_of(
    st.sampled_from([ANIMALS, f"{ANIMALS}|1.0", "http://example.org/vs/animals", "http://hl7.org/fhir/ValueSet/administrative-gender", "dog", "animal", "male",
                     "true", "-1", "0", "3", "99999999999", "http://unitsofmeasure.org", "mg", "http://hl7.org/fhir/administrative-gender", "|", "||", "%", "\x00", "(", "'"]),
    st.text(max_size=30),
)  # fmt: skip
JSON = st.recursive(
    st.one_of(TEXTS, st.booleans(), st.integers(-5, 10**6), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["system", "code", "coding", "text", "resourceType", "compose", "include", "filter", "concept", "group"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
CODINGS = st.fixed_dictionaries({"code": TEXTS}, optional={"system": TEXTS, "version": TEXTS, "display": TEXTS})
FILTERS = st.fixed_dictionaries(
    {"property": st.sampled_from(["concept", "code", "legs", "parent", "display", "nothing"]),
     "op": st.sampled_from(["=", "is-a", "descendent-of", "is-not-a", "regex", "in", "not-in", "generalizes", "exists"]),
     "value": st.one_of(TEXTS, st.sampled_from(["mammal", "[", "a{1000}{1000}", "(?=a)", "true"]))},
)  # fmt: skip
VALUE_SETS = st.builds(
    lambda filters, imports: {"resourceType": "ValueSet", "status": "active", "url": "http://example.org/vs/sent",
                              "compose": {"include": [{"system": ANIMALS, "filter": filters} if filters else {"system": ANIMALS},
                                                      *([{"valueSet": imports}] if imports else [])]}},
    st.lists(FILTERS, max_size=2),
    st.lists(st.sampled_from(["http://example.org/vs/sent", "http://example.org/vs/animals", "http://example.org/none"]), max_size=2),
)  # fmt: skip
PARTS = st.one_of(
    st.builds(lambda name, value: {"name": name, "valueString": value}, st.sampled_from(NAMES), TEXTS),
    st.builds(lambda name, value: {"name": name, "valueCoding": value}, st.sampled_from(["coding", "codingA", "codingB", "concept"]), CODINGS),
    st.builds(
        lambda name, value: {"name": name, "resource": value}, st.sampled_from(["valueSet", "codeSystem", "conceptMap", "tx-resource"]), VALUE_SETS
    ),
    st.builds(
        lambda name, key, value: {"name": name, key: value},
        st.sampled_from(NAMES),
        st.sampled_from(["valueCoding", "resource", "part", "valueInteger"]),
        JSON,
    ),
)


ENOUGH: dict[str, list[tuple[str, str]]] = {
    "/ValueSet/$expand": [("url", "http://example.org/vs/animals")],
    "/ValueSet/$validate-code": [("url", "http://example.org/vs/animals"), ("code", "dog")],
    "/CodeSystem/$validate-code": [("url", ANIMALS), ("code", "dog")],
    "/CodeSystem/$lookup": [("system", ANIMALS), ("code", "dog")],
    "/CodeSystem/$subsumes": [("system", ANIMALS), ("codeA", "dog"), ("codeB", "animal")],
    "/ConceptMap/$translate": [("url", "http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v2"), ("system", ANIMALS), ("code", "dog")],
    "/$closure": [("name", "mine")],
}
"""What each question needs; the rest is added to it, or stands in its place."""


def without(path: str, names: set[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in ENOUGH[path] if name not in names]


class TestAnything:
    @settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
    @given(path=st.sampled_from(PATHS), parts=st.lists(PARTS, max_size=4))
    def test_by_post(self, call: Client, store: Store, path: str, parts: list[dict[str, Any]]) -> None:
        if store.find("CodeSystem", "animals") is None:
            store.update(ANIMAL_SYSTEM)
        base = [{"name": name, "valueString": value} for name, value in without(path, {part["name"] for part in parts})]
        answer = call("POST", path, {"resourceType": "Parameters", "parameter": [*base, *parts]})
        assert answer.status < 500, answer.body

    @settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
    @given(path=st.sampled_from(PATHS[:-1]), query=st.lists(st.tuples(st.sampled_from(NAMES), TEXTS), max_size=4))
    def test_by_get(self, call: Client, store: Store, path: str, query: list[tuple[str, str]]) -> None:
        if store.find("CodeSystem", "animals") is None:
            store.update(ANIMAL_SYSTEM)
        answer = call("GET", f"{path}?{urlencode([*without(path, {name for name, _ in query}), *query], errors='replace')}")
        assert answer.status < 500, answer.body
