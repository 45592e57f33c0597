from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock
from unittest.mock import call as call_of

import psycopg
import pytest

from openward.fhir.matching import Matcher, facts
from openward.fhir.protocols import Where
from tests.fhir.house import empty
from tests.fhir.search.shelf import Shelf, key_of


def _patient(id: str, family: str, given: str, birth: str = "", **more: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"resourceType": "Patient", "id": id, "name": [{"family": family, "given": given.split()}]}
    return content | ({"birthDate": birth} if birth else {}) | more


def _phone(number: str) -> dict[str, Any]:
    return {"telecom": [{"system": "phone", "value": number}]}


def _mail(address: str) -> dict[str, Any]:
    return {"telecom": [{"system": "email", "value": address}]}


def _number(number: str) -> dict[str, Any]:
    return {"identifier": [{"system": "urn:openward:mrn", "value": number}]}


def _lives(line: str, city: str, postal: str = "") -> dict[str, Any]:
    return {"address": [{"line": [line], "city": city, "postalCode": postal}]}


RESOURCES = [
    _patient("ada", "Okafor", "Ada Ngozi", "1980-11-03", gender="female", **_number("OW-000123"), **_phone("(555) 010-4477")),
    _patient("adam", "Oakes", "Adam", "1980-03-11", gender="male", **_number("OW-000124"), **_phone("+1 555 010 9911")),
    _patient("jose", "Núñez-García", "José", "1975-05-05", **_number("OW-000200")),
    _patient("john", "Smyth", "John", "1990-01-31"),
    _patient("jon", "Schmidt", "Jonathan", "1990-01-13"),
    _patient("liz", "Hall", "Elizabeth", "1962-06-02", gender="female", **_mail("liz@example.org"), **_lives("12 Elm Street", "Dover", "02030")),
]


@pytest.fixture(scope="module")
def shelf(engine_url: str) -> Iterator[Shelf]:
    with psycopg.connect(engine_url, autocommit=True) as connection:
        empty(connection)
        shelf = Shelf(connection)
        shelf.put(*RESOURCES)
        yield shelf


@pytest.fixture
def matcher(shelf: Shelf) -> Matcher:
    return Matcher(shelf.connection, 1, Where())


class TestWhoMayBeTheSamePerson:
    @pytest.mark.parametrize(
        ("new", "same", "reason"),
        [
            (_patient("n", "Okafor", "Ada", "1980-11-03"), "ada", "Same birth date"),
            (_patient("n", "Okafer", "Ada", "1980-11-03"), "ada", "Family name differs by one letter"),
            (_patient("n", "Ocaphor", "Ada", "1980-11-03"), "ada", "Family name sounds the same"),
            (_patient("n", "Ada", "Okafor", "1980-11-03"), "ada", "the other way round"),
            (_patient("n", "Okafor", "Ada", "1980-03-11"), "ada", "day and month exchanged"),
            (_patient("n", "Okafor", "Ada", "1980-11-30"), "ada", "two digits exchanged"),
            (_patient("n", "Okafor", "Ada", "1980-11-04", **_phone("555 010 4477")), "ada", "Same telephone number"),
            (_patient("n", "Nunez", "Jose", "1975-05-05"), "jose", "Same birth date"),
            (_patient("n", "Other", "Name", "2020-01-01", **_number("OW-000200")), "jose", "Same identifying number"),
            (_patient("n", "Smith", "Jon", "1990-01-31"), "john", "Same birth date"),
            (_patient("n", "Hall", "Betty", "1962-06-02"), "liz", "Given name is a nickname"),
            (_patient("n", "Doe", "Elizabeth", "1962-06-02", gender="female"), "liz", "Same birth date"),
            (_patient("n", "Hal", "Elisabeth", "1962-06-20", **_mail("LIZ@example.org")), "liz", "Same e-mail address"),
            (_patient("n", "Hall", "Liz", "", **_mail("liz@example.org")), "liz", "Same e-mail address"),
            (_patient("n", "Hall", "Elizabeth", "", **_lives("12 Elm Street", "Dover")), "liz", "Same address"),
        ],
    )
    def test_are_named_with_the_reason(self, matcher: Matcher, new: dict[str, Any], same: str, reason: str) -> None:
        first = matcher.matches(new)[0]
        assert first.id == same
        assert any(reason in why for why in first.reasons), first.reasons
        assert 0.6 <= first.score <= 1

    @pytest.mark.parametrize(
        "new",
        [
            _patient("n", "Okafor", "Chinedu", "2011-04-04"),
            _patient("n", "Brand", "New", "1980-11-03"),
            _patient("n", "Schmidt", "Anna", "1955-05-05", gender="female"),
            _patient("n", "Smyth", "Mary", "1990-01-31"),
            _patient("n", "Hall", "Robert", "1962-06-02", gender="male", **_mail("liz@example.org"), **_lives("12 Elm Street", "Dover", "02030")),
            _patient("n", "Hall", "Elizabeth", "1991-04-17", gender="female", **_lives("12 Elm Street", "Dover", "02030")),
        ],
    )
    def test_relatives_namesakes_and_strangers_are_not(self, matcher: Matcher, new: dict[str, Any]) -> None:
        assert matcher.matches(new) == []

    def test_a_patient_is_no_duplicate_of_itself(self, matcher: Matcher) -> None:
        assert matcher.matches(RESOURCES[0]) == []

    def test_the_same_person_entered_twice_scores_nearly_one(self, matcher: Matcher) -> None:
        assert matcher.matches(RESOURCES[0] | {"id": "again", "identifier": []})[0].score > 0.85


def test_who_may_not_be_seen_is_no_match(shelf: Shelf) -> None:
    blind = Matcher(shelf.connection, 1, Where("c.patient = %(policy_patient)s", {"policy_patient": key_of("Patient", "john")}))
    assert blind.matches(RESOURCES[0] | {"id": "new"}) == []
    assert [match.id for match in blind.matches(RESOURCES[3] | {"id": "new"})] == ["john"]


def test_the_same_in_everything_is_certain_and_a_name_alone_is_not(matcher: Matcher) -> None:
    assert matcher.matches(RESOURCES[0] | {"id": "again"})[0].grade == "certain"
    assert matcher.matches(_patient("n", "Okafor", "Ada")) == []


def test_a_number_given_twice_is_never_certain_when_all_else_differs(matcher: Matcher) -> None:
    assert matcher.matches(_patient("n", "Other", "Name", "2020-01-01", **_number("OW-000200")))[0].grade == "probable"


def test_what_the_new_one_says_is_worked_out_once_for_all_candidates(matcher: Matcher, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Mock(side_effect=facts)
    monkeypatch.setattr("openward.fhir.matching.matcher.facts", asked)
    new = _patient("n", "Okafor", "Ada", "1980-11-03", **_mail("liz@example.org"))
    assert len(matcher.matches(new, least=0.0)) > 1
    assert [call for call in asked.call_args_list if call.args[0] is new] == [call_of(new)]


def test_nothing_known_matches_nobody(matcher: Matcher) -> None:
    assert matcher.matches({"resourceType": "Patient"}) == []
