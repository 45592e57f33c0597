"""What the planner makes of typical searches over forty thousand Observations: indexes, and no sorting of every match."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from openward.fhir.definitions import type_number
from openward.fhir.search.engine import Search
from openward.fhir.search.kept import hidden
from openward.fhir.search.parameters import number
from openward.fhir.search.query import parse
from openward.fhir.search.reference import link_hash
from openward.fhir.search.sort import order
from openward.fhir.search.token import token_hash
from tests.fhir.house import empty
from tests.fhir.search.shelf import Shelf, everything

OBSERVATIONS, PATIENTS, ENCOUNTERS, CODES = 40_000, 1_000, 4_000, 50

# Keys are uuids of counted text, so that the rows of one kind can name those of another.
OBSERVATION_ROWS = """insert into fhir.current (tenant, rtype, rkey, ver, last_updated, patient, date_lo, date_hi, code, tok, has)
  select 1, %(observation)s, md5('o' || n)::uuid, 1, '2026-01-01'::timestamptz + n * interval '1 second', md5('p' || n %% %(patients)s)::uuid,
    '2015-01-01'::timestamptz + n * interval '2 hours', '2015-01-01'::timestamptz + n * interval '2 hours' + interval '1 second',
    (%(codes)s::bigint[])[1 + n %% 50],
    array[(%(codes)s::bigint[])[1 + n %% 50], (%(any)s::bigint[])[1 + n %% 50], %(final)s, case when n %% 2 = 0 then %(lab)s else %(vital)s end, n],
    %(has)s from generate_series(1, %(count)s) n"""
BODIES = """insert into fhir.body (tenant, rtype, rkey, ver, ts, op, patient, body)
  select tenant, rtype, rkey, ver, last_updated, 'C', patient, '{"resourceType":"Observation","id":"x"}' from fhir.current"""
EDGES = """insert into fhir.edge (tenant, tgt, link, stype, src)
  select 1, md5('e' || n %% %(encounters)s)::uuid, %(link)s, %(observation)s, md5('o' || n)::uuid from generate_series(1, %(count)s) n"""


def _has(*codes: str) -> list[int]:
    return sorted(number(code) for code in codes)


def _fill(connection: psycopg.Connection[Any]) -> None:
    codes = range(CODES)
    hashes = {
        "codes": [token_hash("code", "urn:x", f"c{code}") for code in codes],
        "any": [token_hash("code", None, f"c{code}") for code in codes],
        "final": token_hash("status", None, "final"),
        "lab": token_hash("category", None, "laboratory"),
        "vital": token_hash("category", None, "vital-signs"),
    }
    facts = {
        "observation": type_number("Observation"),
        "patients": PATIENTS,
        "count": OBSERVATIONS,
        "has": _has("code", "date", "status", "category"),
    }
    connection.execute(OBSERVATION_ROWS.encode(), {**facts, **hashes})
    connection.execute(EDGES.encode(), {**facts, "encounters": ENCOUNTERS, "link": link_hash("encounter", "Encounter")})
    for type, letter, count in (("Patient", "p", PATIENTS), ("Encounter", "e", ENCOUNTERS)):
        row = "insert into fhir.current (tenant, rtype, rkey, ver, last_updated) select 1, %s, md5(%s || n)::uuid, 1, '2026-01-01' from generate_series(1, %s) n"
        connection.execute(row.encode(), (type_number(type), letter, count))
    names = """insert into fhir.string_value (tenant, rtype, param, norm, value, rkey) select 1, %s, %s, 'name' || n, 'Name' || n, md5('p' || n)::uuid
      from generate_series(1, %s) n"""
    connection.execute(names.encode(), (type_number("Patient"), number("family"), PATIENTS))
    known = "insert into fhir.token (tenant, param, system, code, h) select 1, %s, 'urn:x', 'c' || (n - 1), (%s::bigint[])[n] from generate_series(1, %s) n"
    connection.execute(known.encode(), (number("code"), hashes["codes"], CODES))
    amounts = """insert into fhir.quantity_value (tenant, rtype, param, lo, hi, rkey) select 1, %s, %s, n, case when n %% 1000 = 0 then 'infinity'::float8 else n end,
      md5('o' || n)::uuid from generate_series(1, %s) n"""
    connection.execute(amounts.encode(), (type_number("Observation"), number("value-quantity"), OBSERVATIONS))
    connection.execute(BODIES.encode())


@pytest.fixture(scope="module")
def large(engine_url: str) -> Iterator[Shelf]:
    with psycopg.connect(engine_url, autocommit=True) as connection:
        empty(connection)
        _fill(connection)
        connection.execute("vacuum analyze")
        connection.execute("set plan_cache_mode = force_custom_plan")
        yield Shelf(connection)
        empty(connection)


def plan(shelf: Shelf, query: str) -> dict[str, Any]:
    type, _, rest = query.partition("?")
    search = Search(shelf.connection, 1, parse(type, [tuple(p.split("=", 1)) for p in rest.split("&")]), everything)  # type: ignore[arg-type]
    scope = search.scope()
    statement = search.statement(scope, order(search.query, scope.bind))
    row = shelf.connection.execute(f"explain (analyze, format json) {statement}".encode(), scope.bind.values).fetchone()
    assert row
    found: dict[str, Any] = (json.loads(row[0]) if isinstance(row[0], str) else row[0])[0]["Plan"]
    return found


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


ROWS_READ = {
    "Observation?patient={patient}&category=laboratory&date=ge2016&_sort=-date&_count=20": ("patient_date", 60),
    "Observation?patient={patient}&code=urn:x|c7": ("patient_date", 1000),
    "Observation?code=urn:x|c7": ("code_date", 60),
    "Observation?code=urn:x|c7&status=final&date=lt2020": ("code_date", 60),
    "Observation?code=urn:x|c7,urn:x|c8&_sort=-date": ("code_date", 120),
    "Observation?code=c7": ("code_date", 60),
    "Observation?value-quantity=gt39980": ("quantity_value_by_end", 100),
    "Observation?value-quantity=12345": ("quantity_value_by_value", 60),
    "Observation?status=final&_sort=-date": ("date_lo", 60),
    "Observation?_sort=-date": ("date_lo", 60),
    "Observation?_sort=-_lastUpdated": ("body", 60),
    "Observation?encounter={encounter}": ("edge", 60),
    "Patient?family=name77": ("string_value", 60),
    "Observation?patient.family=name77": ("string_value", 600),
    "Observation?_id={observation}": ("pkey", 60),
    "Observation?status:not=final": ("", 60),
    "Observation?category:not=laboratory": ("pkey", 120),
    "Observation?value-string:missing=false": ("", 60),
    "Observation?code:missing=true": ("", 60),
    "Observation?code:missing=false": ("pkey", 60),
}


@pytest.mark.parametrize(("query", "expected"), ROWS_READ.items(), ids=ROWS_READ.keys())
def test_a_typical_search_reads_by_index_little_more_than_its_page(large: Shelf, query: str, expected: tuple[str, int]) -> None:
    index, most = expected
    keys = large.connection.execute("select md5('p7')::uuid, md5('e7')::uuid, md5('o7')::uuid").fetchone()
    assert keys
    found = list(nodes(plan(large, query.format(patient=keys[0], encounter=keys[1], observation=keys[2]))))
    used = " ".join(str(node.get("Index Name", "")) for node in found)
    assert re.search(index, used), used
    assert not [node for node in found if node["Node Type"] == "Seq Scan" and node["Relation Name"] != "token"]  # which is empty here
    assert max(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in found) <= most


@pytest.mark.parametrize("order_asked", ["-date", "date"])
def test_a_plan_for_all_patients_begins_with_what_points_at_them(large: Shelf, order_asked: str) -> None:
    """A walk by date, until a page is full of what points at somebody nobody points at, would look at every row."""
    search = Search(large.connection, 1, parse("Observation", [("performer", "Patient/ada,Patient/ben"), ("_sort", order_asked)]), everything)
    scope = search.scope()
    scope.bind.is_walked = True
    statement = search.statement(scope, order(search.query, scope.bind))
    assert statement
    row = large.connection.execute(f"explain (analyze, format json) {hidden(statement)}".encode(), scope.bind.values).fetchone()
    assert row
    found = list(nodes((json.loads(row[0]) if isinstance(row[0], str) else row[0])[0]["Plan"]))
    used = " ".join(str(node.get("Index Name", "")) for node in found)
    assert "edge_pkey" in used
    assert "date_lo" not in used
    assert not [node for node in found if node["Node Type"] == "Seq Scan"]
