"""How well the matcher does: records with the errors of real registration desks, made from synthetic patients, must find theirs and nobody else's.

The floors only rise. Both ways count: a duplicate that is missed, and a warning about somebody else.
"""

from __future__ import annotations

import random
import tarfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import psycopg
import pytest

from openward.fhir.json import loads
from openward.fhir.matching import Matcher
from openward.fhir.protocols import Where
from tests.fhir.house import empty
from tests.fhir.matching.errors import ERRORS, HARD, Dice, people
from tests.fhir.search.shelf import Shelf

PEOPLE, ASKED = 2000, 200
ELSEWHERE = 71  # a tenant of its own, beside the population


@pytest.fixture(scope="module")
def population() -> list[dict[str, Any]]:
    return people(PEOPLE, random.Random(11))


@pytest.fixture(scope="module")
def matcher(engine_url: str, population: list[dict[str, Any]]) -> Iterator[Matcher]:
    with psycopg.connect(engine_url, autocommit=True) as connection:
        empty(connection)
        Shelf(connection).put(*population)
        connection.execute("analyze")
        yield Matcher(connection, 1, Where())


@pytest.fixture
def synthea(outside_data: Callable[[str], Path]) -> list[dict[str, Any]]:
    """The patients of the outside data: made by others, in another place, by other rules."""
    found: list[dict[str, Any]] = []
    with tarfile.open(outside_data("synthea/r4-100-patients-2020.tar.xz")) as files:
        for member in files:
            body = files.extractfile(member) if member.name.endswith(".json") else None
            entries = loads(body.read()).get("entry", []) if body else []
            found += [entry["resource"] for entry in entries if entry["resource"]["resourceType"] == "Patient"]
    return found


def entered_again(person: dict[str, Any], errors: tuple[Callable[[dict[str, Any], Dice], None], ...], dice: Dice) -> dict[str, Any]:
    """The same person registered a second time: no identifiers yet, and these errors."""
    again = deepcopy(person)
    for name in ("id", "identifier"):
        again.pop(name, None)
    for make in errors:
        make(again, dice)
    return again


def measured(matcher: Matcher, asked: list[tuple[str, dict[str, Any]]]) -> tuple[float, float, list[str]]:
    """(recall, precision) of the candidates offered at the desk, and who was called certain and is not."""
    found = [(id, matcher.matches(again)) for id, again in asked]
    offered = sum(len(matches) for _, matches in found)
    hits = sum(id in [match.id for match in matches] for id, matches in found)
    wrong = [match.id for id, matches in found for match in matches if match.grade == "certain" and match.id != id]
    return hits / len(asked), hits / max(offered, 1), wrong


FLOORS = {
    "typed_wrong": 0.99,
    "swapped_names": 0.99,
    "nickname": 0.99,
    "married": 0.98,
    "day_and_month": 0.99,
    "digit_of_birth": 0.99,
    "moved": 0.99,
    "left_out": 0.99,
    "sounds": 0.99,
}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_one_error_seldom_hides_a_duplicate(matcher: Matcher, population: list[dict[str, Any]], error: Any) -> None:
    dice = random.Random(error.__name__)
    asked = [(person["id"], entered_again(person, (error,), dice)) for person in dice.sample(population, 60)]
    found, right, wrong = measured(matcher, asked)
    assert found >= FLOORS[error.__name__], found
    assert right >= 0.97, right
    assert wrong == []


def test_two_errors_at_once_still_find_most_and_hardly_anybody_else(matcher: Matcher, population: list[dict[str, Any]]) -> None:
    dice = random.Random(23)
    asked = [(person["id"], entered_again(person, tuple(dice.sample(HARD, 2)), dice)) for person in dice.sample(population, ASKED)]
    found, right, wrong = measured(matcher, asked)
    assert found >= 0.95, found
    assert right >= 0.97, right
    assert wrong == []


def test_who_is_new_is_seldom_taken_for_somebody_else(matcher: Matcher) -> None:
    strangers = [{name: value for name, value in person.items() if name not in ("id", "identifier")} for person in people(ASKED, random.Random(99))]
    warned = sum(bool(matcher.matches(stranger)) for stranger in strangers)
    assert warned <= 0.01 * ASKED, warned


def test_synthetic_patients_of_others_are_found_with_two_errors(engine_url: str, synthea: list[dict[str, Any]]) -> None:
    dice = random.Random(3)
    with psycopg.connect(engine_url, autocommit=True) as connection:
        Shelf(connection, ELSEWHERE).put(*synthea)
        asked = [(person["id"], entered_again(person, tuple(dice.sample(HARD, 2)), dice)) for person in synthea]
        found, right, wrong = measured(Matcher(connection, ELSEWHERE, Where()), asked)
    assert len(synthea) >= 100
    assert (found >= 0.98, right >= 0.98, wrong) == (True, True, []), (found, right)
