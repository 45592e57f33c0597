from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import pytest

from openward.fhir.definitions import type_number
from openward.fhir.errors import BadRequest
from openward.fhir.search.engine import Search
from openward.fhir.search.query import parse
from openward.fhir.search.sort import order
from openward.fhir.search.words import WRITTEN
from tests.fhir.search.shelf import Shelf, everything, only_patient


def _note(id: str, narrative: str, title: str, patient: str = "p1") -> dict[str, Any]:
    text = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p class="liver">{narrative}</p></div>'}
    section = [{"title": "Findings", "text": text}]
    own = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{narrative}</div>'}
    whole = {"resourceType": "Composition", "id": id, "status": "final", "title": title, "subject": {"reference": f"Patient/{patient}"}}
    return whole | ({"text": own, "section": section} if narrative else {})


RESOURCES = [
    _note("bone", "Metastases in the <b>bone</b>.", "Orthopaedic letter"),
    _note("liver", "A lesion of the liver,\nno metastases", 'Report "final"', "p2"),
    _note("plain", "", "Liver letter"),
    {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "Liver size"}, "note": [{"text": "Grösse unverändert"}]},
]

CASES = {
    "Composition?_text=bone": {"bone"},
    "Composition?_text=BONE": {"bone"},
    "Composition?_text=metastases": {"bone", "liver"},
    "Composition?_text=metastases liver": {"liver"},
    "Composition?_text=(bone OR liver) AND metastases": {"bone", "liver"},
    "Composition?_text=metastases not liver": {"bone"},
    'Composition?_text="lesion of the liver"': {"liver"},
    'Composition?_text="liver lesion"': set(),
    "Composition?_text=letter": set(),
    "Composition?_text=div": set(),
    "Composition?_content=letter": {"bone", "plain"},
    "Composition?_content=liver": {"liver", "plain"},
    "Composition?_content=letter&_text=bone": {"bone"},
    "Composition?_content=title": set(),
    "Composition?subject.name=nobody&_content=liver": set(),
    "Observation?_content=grösse": {"o"},
    "Observation?_content=size final": {"o"},
    "Observation?_text=liver": set(),
}


@pytest.mark.parametrize(("query", "expected"), CASES.items(), ids=CASES.keys())
def test_words_are_found_in_the_narrative_and_in_the_content(full_shelf: Shelf, query: str, expected: set[str]) -> None:
    assert set(full_shelf.ids(query)) == expected


def test_the_index_of_the_content_is_of_the_types_it_is_asked_for() -> None:
    script = files("openward.fhir.schema").joinpath("0003_search.sql").read_text()
    numbers = re.search(r"content_words\(body\)\) where rtype in \(([\d, ]+)\)", script)
    assert numbers
    assert sorted(map(int, numbers[1].split(","))) == sorted(map(type_number, WRITTEN))


def test_what_an_actor_may_not_see_is_not_found(full_shelf: Shelf) -> None:
    assert full_shelf.ids("Composition?_text=metastases", where=only_patient("p1")) == ["bone"]


@pytest.mark.parametrize("value", ["(bone", "bone)", "()", "not", "bone or", "a " * 60])
def test_what_is_no_text_search_is_refused(full_shelf: Shelf, value: str) -> None:
    with pytest.raises(BadRequest, match="text search"):
        full_shelf.search(f"Composition?_text={value}")


@pytest.mark.parametrize("text", ["word " * 100_000, "x" * 3_000_000, "\\" * 1000, "'" * 1000, "<" * 10_000, '"div":"' * 1000])
def test_no_text_is_too_much_to_be_stored(shelf: Shelf, text: str) -> None:
    shelf.put(_note("n", "small", text), _note("m", text, "small"))
    assert shelf.ids("Composition?_text=small") == ["n"]


def test_an_older_version_is_not_found(shelf: Shelf) -> None:
    shelf.put(_note("n", "first words", "Letter"))
    shelf.put(_note("n", "other words", "Letter"))
    assert shelf.ids("Composition?_text=first") == []
    assert shelf.ids("Composition?_text=other") == ["n"]


@pytest.mark.parametrize(("query", "index"), [("_text=word77", "body_by_narrative"), ("_content=title77", "body_by_content")])
def test_the_words_are_found_by_index(shelf: Shelf, query: str, index: str) -> None:
    shelf.put(*(_note(f"n{number}", f"word{number} among others", f"title{number}") for number in range(600)))
    shelf.connection.execute("analyze fhir.body, fhir.current")
    search = Search(shelf.connection, 1, parse("Composition", [tuple(query.split("="))]), everything)  # type: ignore[arg-type]
    scope = search.scope()
    statement = search.statement(scope, order(search.query, scope.bind))
    plan = "\n".join(row[0] for row in shelf.connection.execute(f"explain {statement}".encode(), scope.bind.values))
    assert index in plan, plan
    assert shelf.ids(f"Composition?{query}") == ["n77"]
