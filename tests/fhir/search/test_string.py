from __future__ import annotations

import pytest

from tests.fhir.search.shelf import Shelf

LONG = "a very long line of a street that goes on and on past a hundred letters and further until it ends at number "

RESOURCES = [
    {
        "resourceType": "Patient",
        "id": "jose",
        "name": [{"family": "Núñez", "given": ["José", "María"]}],
        "address": [{"line": ["1 Elm St"], "city": "Boston"}],
    },
    {"resourceType": "Patient", "id": "obrien", "name": [{"family": "O'Brien", "given": ["Søren"], "prefix": ["Dr"]}]},
    {"resourceType": "Patient", "id": "strasse", "name": [{"text": "Jo Straße"}], "address": [{"text": "10 Elm St", "postalCode": "02139"}]},
    {"resourceType": "Patient", "id": "long", "name": [{"family": "Percent%", "given": ["Under_score"]}], "address": [{"line": [LONG + "7"]}]},
    {"resourceType": "Patient", "id": "comma", "name": [{"family": "Smith, Jr"}]},
]

CASES = {
    "family=nunez": {"jose"},
    "family=NÚÑ": {"jose"},
    "family=unez": set(),
    "family:contains=UNE": {"jose"},
    "family:exact=Núñez": {"jose"},
    "family:exact=nunez": set(),
    "given=maria": {"jose"},
    "name=jos": {"jose"},
    "name=jo": {"jose", "strasse"},
    "name=dr": {"obrien"},
    "given=soren": {"obrien"},
    "name:contains=strasse": {"strasse"},
    "family=percent%25": set(),
    "family=percent%": {"long"},
    "family=per_ent": set(),
    "given:contains=r_s": {"long"},
    "address=1": {"jose", "strasse"},
    "address-city=BOS": {"jose"},
    "address-postalcode=02139": {"strasse"},
    f"address={LONG}7": {"long"},
    f"address={LONG}8": set(),
    f"address:exact={LONG}7": {"long"},
    "address:contains=number 7": {"long"},
    "family=nunez,percent": {"jose", "long"},
    r"family=smith\, jr": {"comma"},
    "family=nunez&given=jose": {"jose"},
    "family=nunez&given=soren": set(),
    "family:missing=true": {"strasse"},
    "phonetic=nunes": {"jose"},
    "phonetic=obryan": {"obrien"},
}


@pytest.mark.parametrize(("query", "expected"), CASES.items(), ids=CASES.keys())
def test_a_string_matches_without_case_and_accents(full_shelf: Shelf, query: str, expected: set[str]) -> None:
    assert set(full_shelf.ids(f"Patient?{query}")) == expected


def test_an_updated_name_is_found_and_the_old_one_is_not(shelf: Shelf) -> None:
    shelf.put({"resourceType": "Patient", "id": "p", "name": [{"family": "Young"}]})
    shelf.put({"resourceType": "Patient", "id": "p", "name": [{"family": "Old"}]})
    assert shelf.ids("Patient?family=old") == ["p"]
    assert shelf.ids("Patient?family=young") == []


def test_a_deleted_patient_leaves_nothing_behind(shelf: Shelf) -> None:
    shelf.put({"resourceType": "Patient", "id": "p", "name": [{"family": "Gone"}], "birthDate": "1980-01-01"})
    shelf.take("Patient", "p")
    assert shelf.ids("Patient?family=gone") == []
    for table in ("string_value", "person", "person_key"):
        assert shelf.connection.execute(f"select count(*) from fhir.{table}").fetchone() == (0,)
