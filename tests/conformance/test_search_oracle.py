"""Thousands of random queries over Synthea patients and the US Core examples: what the database finds is what FHIRPath finds in memory."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

import pytest

from openward.fhir.search import search
from tests.conformance.search_oracle import Oracle
from tests.conformance.search_questions import Questions
from tests.conformance.search_record import engine_database, us_core_package
from tests.fhir.search.shelf import Shelf, everything
from tests.fhir.search.test_oracle import synthea

BUNDLES = 3
SEEDS = range(10)
QUERIES = 250  # of each seed

Record = tuple[Shelf, Oracle]

HAND_MADE = [
    {"resourceType": "RiskAssessment", "id": f"risk{n}", "status": "final", "subject": {"reference": "Patient/example"},
     "prediction": [{"probabilityDecimal": Decimal(p)}, *([{"probabilityRange": {"low": {"value": 1}, "high": {"value": n}}}] if n > 2 else [])]}
    for n, p in enumerate(("0.1", "0.52", "0.525", "0.9", "10", "1.0"), 1)
] + [
    {"resourceType": "ValueSet", "id": f"set{n}", "status": "active", "url": url, "version": str(n)}
    for n, url in enumerate(("http://a.org/x", "http://a.org/x/y", "http://a.org/xy", "urn:oid:1.2.3", "http://a.org/x/y/z"), 1)
] + [
    {"resourceType": "Observation", "id": f"amount{n}", "status": "final", "code": {"coding": [{"system": "urn:x", "code": "glucose"}]},
     "subject": {"reference": "Patient/example"}, "valueQuantity": {"value": Decimal(v), "system": "http://unitsofmeasure.org", "code": u, "unit": u} | c}
    for n, (v, u, c) in enumerate((("90", "mg/dL", {}), ("0.9", "g/L", {}), ("5", "mmol/L", {}), ("900", "mg/L", {}), ("100", "mg/dL", {"comparator": ">"}),
                                   ("5", "mg/dL", {"comparator": "<"}), ("36.6", "Cel", {}), ("97.88", "[degF]", {}), ("1", "1", {})), 1)
] + [
    {"resourceType": "Flag", "id": f"flag{n}", "status": "active", "code": {"text": "x"}, "subject": {"identifier": {"system": s, "value": f"v{n % 3}"}},
     "identifier": [{"system": s, "value": f"f{n}", "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}}]}
    for n, s in enumerate(("urn:a", "urn:b", "urn:a", "urn:c", "urn:a", "urn:b"))
]  # fmt: skip


@pytest.fixture(scope="module")
def record(worker_id: str) -> Iterator[Record]:
    resources = list({(r["resourceType"], r["id"]): r for r in [*synthea(BUNDLES), *us_core_package()["example"], *HAND_MADE]}.values())
    with engine_database(f"search_oracle_{worker_id}") as connection:
        shelf = Shelf(connection)
        shelf.put(*resources)
        connection.execute("analyze")
        yield shelf, Oracle(resources)


def found(shelf: Shelf, type: str, params: list[tuple[str, str]]) -> set[str]:
    """All pages' ids."""
    ids: list[str] = []
    asked = [*params, ("_count", "1000")]
    while True:
        page = search(shelf.connection, 1, type, asked, where=everything, strict=True, wire=shelf.wire)
        ids += [version.id for version in page.matches]
        if page.next is None:
            assert len(ids) == len(set(ids))
            return set(ids)
        asked = [("_cursor", page.next)]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_queries_find_what_fhirpath_finds(record: Record, seed: int) -> None:
    shelf, oracle = record
    questions = Questions(oracle, random.Random(seed))
    asked = matched = 0
    wrong: list[str] = []
    while asked < QUERIES:
        type, params = questions.ask()
        if not params:
            continue
        expected, got = oracle.ids(type, params), found(shelf, type, params)
        if got != expected:
            wrong.append(f"{type}?{'&'.join('='.join(p) for p in params)}: lacks {sorted(expected - got)[:3]}, has {sorted(got - expected)[:3]}")
        asked, matched = asked + 1, matched + bool(expected)
    assert not wrong, f"{len(wrong)} of {asked}:\n" + "\n".join(wrong[:40])
    assert matched > QUERIES / 2, "most questions should have an answer"


def test_every_kind_of_question_is_asked(record: Record) -> None:
    _, oracle = record
    questions, kinds = Questions(oracle, random.Random(0)), Counter[str]()
    for _ in range(3000):
        type, params = questions.ask()
        for name, value in params:
            kinds["chain"] += "." in name and not name.startswith("_has")
            kinds["has"] += name.startswith("_has")
            kinds["composite"] += "$" in value
            kinds[name.rpartition(":")[2] if ":" in name and "." not in name else "plain"] += 1
    wanted = ("chain", "has", "composite", "not", "missing", "exact", "contains", "above", "below", "of-type", "identifier", "Patient", "plain")
    assert [kind for kind in wanted if kinds[kind] < 3] == []
