"""A page of one patient's rows by a kept plan, for actors who see all of a type and for those who do not."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from openward.fhir.ids import key
from openward.fhir.protocols import Where
from openward.fhir.search import engine
from openward.fhir.search.kept import is_walked
from openward.fhir.search.query import parse
from openward.fhir.search.token import token_hash
from tests.fhir.house import empty
from tests.fhir.search.shelf import Shelf

SENSITIVE = token_hash("status", "http://hl7.org/fhir/observation-status", "preliminary")
HIDING = Where("c.date_lo is not null and not c.tok && %(policy_0)s::bigint[]", {"policy_0": [SENSITIVE]})
OPENED = Where(f"(({HIDING.sql}) or c.patient = any(%(policy_1)s::uuid[]))", {**HIDING.params, "policy_1": [key("Patient", "ben")]})
ONLY_SENSITIVE = Where("c.tok && %(policy_0)s::bigint[]", HIDING.params)
BEYOND = Where("exists (select from fhir.edge e where e.tenant = c.tenant and e.src = c.rkey)")


def _observation(number: int, patient: str) -> dict[str, object]:
    return {"resourceType": "Observation", "id": f"{patient}-{number}", "status": "preliminary" if number % 3 == 0 else "final",
            "subject": {"reference": f"Patient/{patient}"}, "performer": [{"reference": f"Patient/{patient}"}], "effectiveDateTime": f"2026-01-{number + 1:02d}",
            "code": {"coding": [{"system": "urn:x", "code": f"c{number % 2}"}]}}  # fmt: skip


@pytest.fixture(scope="module")
def shelf(engine_url: str) -> Iterator[Shelf]:
    with psycopg.connect(engine_url, autocommit=True) as connection:
        empty(connection)
        made = Shelf(connection)
        made.put(*(_observation(number, patient) for number in range(12) for patient in ("ada", "ben")))
        yield made


def _walks(shelf: Shelf, where: Where) -> bool:
    query = parse("Observation", [("patient", "ada"), ("_sort", "-date")])
    return all(is_walked(one, lambda _: where) for one in ([query] if not isinstance(query, list) else query))


@pytest.mark.parametrize("where", [Where(), HIDING, OPENED, ONLY_SENSITIVE])
def test_what_the_row_itself_tells_of_the_policy_is_asked_on_the_walk(shelf: Shelf, where: Where) -> None:
    assert _walks(shelf, where)


@pytest.mark.parametrize(
    ("asked", "is_kept"),
    [
        ("performer=Patient/ada", True),
        ("performer:Patient=Patient/ada,Patient/ben", True),
        ("performer=" + ",".join(f"Patient/p{number}" for number in range(12)), True),
        ("performer=" + ",".join(f"Patient/p{number}" for number in range(13)), False),
        ("performer=ada", False),
        ("performer=Patient/ada,urn:x:1", False),
        ("performer=Patient/ada&code=urn:x|", False),
        ("patient=ada,ben", False),
    ],
)
def test_a_plan_is_kept_for_what_points_at_a_few_patients(shelf: Shelf, asked: str, is_kept: bool) -> None:
    pairs = [(name, value) for name, _, value in (part.partition("=") for part in asked.split("&"))]
    assert is_walked(parse("Observation", pairs), lambda _: Where()) is is_kept


def test_a_policy_that_looks_beyond_the_row_is_planned_for(shelf: Shelf) -> None:
    assert not _walks(shelf, BEYOND)


@pytest.mark.parametrize("where", [HIDING, OPENED, ONLY_SENSITIVE])
@pytest.mark.parametrize(
    "query",
    [
        "patient=ada",
        "patient=ben&code=urn:x|c1",
        "patient=ada&date=ge2026-01-05&status=final,preliminary",
        "performer=Patient/ada,Patient/ben",
        "performer=Patient/ben&code=urn:x|c1",
    ],
)
def test_the_walk_finds_what_is_found_without_it(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, where: Where, query: str) -> None:
    asked = f"Observation?{query}&_sort=-date&_count=50"
    walked = [shelf.ids(asked, where=lambda _: where) for _ in range(7)]  # the sixth is by the plan that is kept
    monkeypatch.setattr(engine, "is_walked", lambda *_: False)
    planned = shelf.ids(asked, where=lambda _: where)
    assert walked == [planned] * 7


@pytest.mark.parametrize("order", ["-date", "date"])
def test_pages_of_what_points_at_several_patients_follow_each_other(shelf: Shelf, order: str) -> None:
    found, cursor = [], None
    while True:
        page = shelf.search(f"Observation?performer=Patient/ada,Patient/ben&_sort={order}&_count=7" + (f"&_cursor={cursor}" if cursor else ""))
        found += [one.id for one in page.matches]
        cursor = page.next
        if cursor is None:
            break
    days = [int(id.partition("-")[2]) for id in found]
    assert len(set(found)) == 24
    assert days == sorted(days, reverse=order == "-date")


def test_hidden_rows_are_on_no_page(shelf: Shelf) -> None:
    seen = shelf.ids("Observation?patient=ada&_sort=-date&_count=50", where=lambda _: HIDING)
    assert len(seen) == 8
    assert "ada-0" not in seen
    assert len(shelf.ids("Observation?patient=ben&_sort=-date&_count=50", where=lambda _: OPENED)) == 12
