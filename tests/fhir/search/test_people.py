from __future__ import annotations

import random
from typing import Any

import pytest

from openward.fhir.protocols import Where
from openward.fhir.search.birth_date import dates_in
from openward.fhir.search.people import PatientFinder
from openward.fhir.search.phonetics import sounds
from tests.fhir.search.shelf import Shelf, key_of


def _patient(id: str, family: str, given: str, birth: str = "", **more: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"resourceType": "Patient", "id": id, "name": [{"family": family, "given": given.split()}]}
    return content | ({"birthDate": birth} if birth else {}) | more


def _phone(number: str) -> dict[str, Any]:
    return {"telecom": [{"system": "phone", "value": number}]}


def _number(number: str) -> dict[str, Any]:
    return {"identifier": [{"system": "urn:openward:mrn", "value": number}]}


RESOURCES = [
    _patient("ada", "Okafor", "Ada Ngozi", "1980-11-03", gender="female", **_number("OW-000123"), **_phone("(555) 010-4477")),
    _patient("adam", "Oakes", "Adam", "1980-03-11", gender="male", **_number("OW-000124"), **_phone("+1 555 010 9911")),
    _patient("jose", "Núñez-García", "José", "1975-05-05", **_number("OW-000200")),
    _patient("john", "Smyth", "John", "1990-01-31"),
    _patient("jon", "Schmidt", "Jonathan", "1990-01-13"),
    _patient("obrien", "O'Brien", "Siobhan", "2001-07-09"),
    _patient("wu", "Wu", "Li", "1999-09-09"),
    {"resourceType": "Patient", "id": "words", "name": [{"text": "Marguerite Delacroix"}], "birthDate": "1966"},
]


@pytest.fixture(scope="module")
def finder(full_shelf: Shelf) -> PatientFinder:
    return PatientFinder(full_shelf.connection, 1, Where())


FOUND = {
    "ok": "ada",
    "Okafor": "ada",
    "okafor ada": "ada",
    "ngozi": "ada",
    "Okofar": "ada",
    "oakfor": "ada",
    "ocafor": "ada",
    "okafro": "ada",
    "Nunez": "jose",
    "garcia jose": "jose",
    "nunes": "jose",
    "smith": "john",
    "jhon smith": "john",
    "obrien": "obrien",
    "o'brien": "obrien",
    "wu": "wu",
    "wu li": "wu",
    "delacroix": "words",
    "margarite": "words",
    "nkafor": "ada",
    "OW-000123": "ada",
    "ow000123": "ada",
    "000123": "ada",
    "123": "ada",
    "5550104477": "ada",
    "555-010-4477": "ada",
    "555 010 4477": "ada",
    "4477": "ada",
    "010-4477": "ada",
    "+1 (555) 010-9911": "adam",
    "03-Nov-1980": "ada",
    "11/3/1980": "ada",
    "1980-11-03": "ada",
    "nov 3, 1980": "ada",
    "okafor 1980": "ada",
    "okafor 11/3/80": "ada",
    "smyth 31 jan 1990": "john",
}


@pytest.mark.parametrize(("typed", "first"), FOUND.items(), ids=FOUND.keys())
def test_what_is_typed_finds_the_patient(finder: PatientFinder, typed: str, first: str) -> None:
    assert [found.id for found in finder.find(typed)][:1] == [first]


@pytest.mark.parametrize("typed", ["", "  ", "xyzzy", "okafor 1981", "99999999", "%", "_", "'"])
def test_what_nobody_is_called_finds_nobody(finder: PatientFinder, typed: str) -> None:
    assert finder.find(typed) == []


def test_a_birth_date_beside_the_name_tells_namesakes_apart(finder: PatientFinder) -> None:
    assert [found.id for found in finder.find("jo", birth_date="13-Jan-1990")] == ["jon"]


def test_an_ambiguous_date_means_both_and_us_order_first(finder: PatientFinder) -> None:
    assert [found.id for found in finder.find("11/03/1980")] == ["ada", "adam"]


def test_it_says_what_matched(finder: PatientFinder) -> None:
    assert finder.find("okofar 4477")[0].matched == ("sound", "telephone")


def test_who_may_not_be_seen_is_not_offered(full_shelf: Shelf) -> None:
    blind = PatientFinder(full_shelf.connection, 1, Where("c.patient = %(policy_patient)s", {"policy_patient": key_of("Patient", "wu")}))
    assert blind.find("okafor") == []
    assert [found.id for found in blind.find("wu")] == ["wu"]


DATES = {
    "03-Nov-1980": ["1980-11-03"],
    "3 november 1980": ["1980-11-03"],
    "Nov 3rd, 1980": ["1980-11-03"],
    "11/3/1980": ["1980-11-03", "1980-03-11"],
    "13/1/1990": ["1990-01-13"],
    "1980-11-03": ["1980-11-03"],
    "1980-11": ["1980-11"],
    "Nov 1980": ["1980-11"],
    "19801103": ["1980-11-03"],
    "11031980": ["1980-11-03", "1980-03-11"],
    "11/3/80": ["1980-11-03", "1980-03-11"],
    "1980": ["1980"],
    "31/31/1980": [],
    "okafor": [],
}


@pytest.mark.parametrize(("text", "expected"), DATES.items(), ids=DATES.keys())
def test_dates_are_read_as_people_write_them(text: str, expected: list[str]) -> None:
    assert dates_in(text)[0] == expected


SAME_SOUND = (
    ("smith", "smyth"),
    ("okafor", "okofar"),
    ("catherine", "katharine"),
    ("philip", "filip"),
    ("schmidt", "schmitt"),
    ("jon", "john"),
    ("nunez", "nunes"),
)


@pytest.mark.parametrize(("one", "other"), SAME_SOUND)
def test_names_that_sound_alike_are_written_alike(one: str, other: str) -> None:
    assert set(sounds(one)) & set(sounds(other))


def test_a_changed_name_is_found_and_the_old_one_is_not(shelf: Shelf) -> None:
    shelf.put(_patient("p", "Before", "Ann", **_phone("5551112222")))
    shelf.put(_patient("p", "After", "Ann"))
    finder = PatientFinder(shelf.connection, 1, Where())
    assert [found.id for found in finder.find("after")] == ["p"]
    assert finder.find("before") == []
    assert finder.find("5551112222") == []


SYLLABLES = (
    "ba",
    "chi",
    "do",
    "fer",
    "gu",
    "han",
    "ja",
    "kri",
    "lo",
    "mar",
    "nel",
    "o",
    "pe",
    "qui",
    "ros",
    "sta",
    "ta",
    "u",
    "ven",
    "wil",
    "xi",
    "ya",
    "zu",
)


def test_one_is_found_among_ten_thousand(shelf: Shelf) -> None:
    """How long it takes, `make bench` says."""
    dice = random.Random(7)

    def name() -> str:
        return "".join(dice.choices(SYLLABLES, k=dice.choice((2, 3)))).title()

    people = [
        _patient(
            f"p{n}",
            name(),
            f"{name()} {name()}",
            f"{dice.randint(1930, 2020)}-0{dice.randint(1, 9)}-1{dice.randint(0, 9)}",
            **_phone(f"555{dice.randint(0, 9999999):07}"),
        )
        for n in range(10_000)
    ]
    shelf.put(*people)
    shelf.connection.execute("analyze")
    finder = PatientFinder(shelf.connection, 1, Where())
    for person in dice.sample(people, 6):
        text = f"{person['name'][0]['family']} {person['name'][0]['given'][0]}"
        assert person["id"] in [found.id for found in finder.find(text)]
