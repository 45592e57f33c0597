"""Resources with sealed values through every door of the REST surface: what is read is what was written."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.fhir.house import House
from tests.fhir.http.client import Client

SSN = {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-12-3456"}
SCAN = base64.b64encode(b"what the scan says " * 50).decode()
LABEL = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
CLEAR = ("999-12-3456", "999123456", SCAN, "what the scan says", "in confidence")


def patient() -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "extension": [{"url": "urn:unknown", "valueDecimal": 1.50}],
        "identifier": [SSN],
        "name": [{"family": "Marlow"}],
        "photo": [{"contentType": "image/png", "data": SCAN}],
    }


def letter(subject: str) -> dict[str, Any]:
    return {
        "resourceType": "Communication",
        "meta": {"security": [LABEL]},
        "status": "completed",
        "subject": {"reference": subject},
        "payload": [{"contentString": "told in confidence"}],
        "note": [{"text": "also in confidence"}],
    }


def rows(house: House) -> str:
    """Every table of the engine as text."""
    wire = house.connections[0]
    tables = wire.execute("select format('fhir.%I', tablename) from pg_tables where schemaname = 'fhir'").fetchall()
    found = []
    for (name,) in tables:
        with wire.cursor().copy(f"copy (select * from {name}) to stdout".encode()) as copy:
            found += [bytes(chunk) for chunk in copy]
    return b"".join(found).decode()


@pytest.fixture
def both(call: Client, house: House) -> tuple[str, str]:
    """The addresses of a patient and of a letter about them."""
    one = call("POST", "/Patient", patient()).json["id"]
    other = call("POST", "/Communication", letter(f"Patient/{one}")).json["id"]
    assert not [text for text in CLEAR if text in rows(house)]
    return f"/Patient/{one}", f"/Communication/{other}"


def test_read_and_vread_give_what_was_written(call: Client, both: tuple[str, str]) -> None:
    for address, written in zip(both, (patient(), letter(both[0][1:])), strict=True):
        read = call("GET", address)
        assert {name: read.json[name] for name in written if name != "meta"} == {name: value for name, value in written.items() if name != "meta"}
        assert call("GET", f"{address}/_history/1").body == read.body


def test_the_answer_of_a_write_is_what_a_read_gives(call: Client) -> None:
    made = call("POST", "/Patient", patient(), prefer="return=representation")
    assert call("GET", f"/Patient/{made.json['id']}").body == made.body


def test_history_gives_every_version_as_it_was(call: Client, both: tuple[str, str]) -> None:
    changed = {**patient(), "id": both[0].rpartition("/")[2], "active": True}
    assert call("PUT", both[0], changed).status == 200
    versions = [entry["resource"] for entry in call("GET", f"{both[0]}/_history").json["entry"]]
    assert [version["identifier"] for version in versions] == [[SSN], [SSN]]
    assert [version["photo"][0]["data"] for version in versions] == [SCAN, SCAN]


@pytest.mark.parametrize(
    "query", ["", "identifier=http://hl7.org/fhir/sid/us-ssn|999-12-3456", "identifier=999-12-3456", "_elements=identifier,photo"]
)
def test_a_search_gives_it_too(call: Client, both: tuple[str, str], query: str) -> None:
    (entry,) = call("GET", f"/Patient?{query}").json["entry"]
    assert entry["resource"]["identifier"] == [SSN]
    assert entry["resource"]["photo"][0]["data"] == SCAN


def test_what_is_included_comes_in_clear(call: Client, both: tuple[str, str]) -> None:
    found = call("GET", "/Communication?_include=Communication:subject").json["entry"]
    assert [entry["resource"].get("identifier") for entry in found] == [None, [SSN]]
    assert found[0]["resource"]["payload"] == [{"contentString": "told in confidence"}]


def test_through_the_patient_it_is_found_by_the_number(call: Client, both: tuple[str, str]) -> None:
    found = call("GET", "/Communication?subject:Patient.identifier=999-12-3456").json["entry"]
    assert [f"/Communication/{entry['resource']['id']}" for entry in found] == [both[1]]


@pytest.mark.parametrize(("sort", "expected"), [("identifier", ["b", "a", "c"]), ("-identifier", ["a", "b", "c"])])
def test_what_is_sealed_is_no_order_to_sort_by(call: Client, sort: str, expected: list[str]) -> None:
    for id, number in {"a": "7", "b": "3", "c": None}.items():
        identifiers = [SSN, {"system": "urn:mrn", "value": number}] if number else [SSN]
        assert call("PUT", f"/Patient/{id}", {"resourceType": "Patient", "id": id, "identifier": identifiers}).status == 201
    assert [entry["resource"]["id"] for entry in call("GET", f"/Patient?_sort={sort}").json["entry"]] == expected


def test_everything_gives_it_in_clear(call: Client, both: tuple[str, str]) -> None:
    found = {entry["resource"]["resourceType"]: entry["resource"] for entry in call("GET", f"{both[0]}/$everything").json["entry"]}
    assert found["Patient"]["identifier"] == [SSN]
    assert found["Communication"]["note"] == [{"text": "also in confidence"}]


def test_xml_gives_it_in_clear(call: Client, both: tuple[str, str]) -> None:
    said = call("GET", both[0], accept="application/fhir+xml").body.decode()
    assert '<value value="999-12-3456"/>' in said
    assert f'<data value="{SCAN}"/>' in said
    assert '<valueDecimal value="1.5"/>' in said


def test_graphql_gives_it_in_clear(call: Client, both: tuple[str, str]) -> None:
    said = call("GET", f"{both[0]}/$graphql?query={{identifier{{value}}photo{{data}}}}").json["data"]
    assert said == {"identifier": [{"value": "999-12-3456"}], "photo": [{"data": SCAN}]}


def test_a_patch_changes_the_rest_and_leaves_it(call: Client, house: House, both: tuple[str, str]) -> None:
    change = b'[{"op": "add", "path": "/active", "value": true}]'
    assert call("PATCH", both[0], change, content_type="application/json-patch+json").json["identifier"] == [SSN]
    assert call("GET", both[0]).json["active"] is True
    assert not [text for text in CLEAR if text in rows(house)]


def test_the_same_again_is_no_new_version(call: Client, both: tuple[str, str]) -> None:
    again = call("PUT", both[0], {**patient(), "id": both[0].rpartition("/")[2]})
    assert again.headers["ETag"] == 'W/"1"'


def test_a_transaction_seals_and_its_condition_finds_by_the_number(call: Client, house: House, both: tuple[str, str]) -> None:
    entry = {
        "fullUrl": "urn:uuid:0199c1f0-0000-7000-8000-00000000e001",
        "resource": patient(),
        "request": {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=http://hl7.org/fhir/sid/us-ssn|999-12-3456"},
    }
    other = {
        **entry,
        "fullUrl": "urn:uuid:0199c1f0-0000-7000-8000-00000000e002",
        "resource": letter("Patient?identifier=999-12-3456"),
        "request": {"method": "POST", "url": "Communication"},
    }
    answered = call("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [entry, other]}).json["entry"]
    assert answered[0]["response"]["location"].startswith(both[0][1:])
    assert not [text for text in CLEAR if text in rows(house)]
    made = call("GET", "/" + answered[1]["response"]["location"].partition("/_history")[0]).json
    assert made["subject"] == {"reference": both[0][1:]}


def test_a_raw_binary_is_its_bytes(call: Client, house: House) -> None:
    made = call("POST", "/Binary", b"what the scan says", content_type="application/pdf")
    address = made.headers["Location"].removeprefix("https://clinic.test/fhir").partition("/_history")[0]
    assert call("GET", address, accept="application/pdf").body == b"what the scan says"
    assert base64.b64encode(b"what the scan says").decode() not in rows(house)


def test_a_stored_bundle_seals_what_its_entries_hold(call: Client, house: House) -> None:
    entries = [
        {"fullUrl": "urn:uuid:0199c1f0-0000-7000-8000-00000000e001", "resource": {**patient(), "id": "p"}},
        {"fullUrl": "urn:uuid:0199c1f0-0000-7000-8000-00000000e002", "resource": letter("urn:uuid:0199c1f0-0000-7000-8000-00000000e001")},
    ]
    made = call("POST", "/Bundle", {"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert made.status == 201, made.body
    assert not [text for text in CLEAR if text in rows(house)]
    assert [entry["resource"] for entry in call("GET", f"/Bundle/{made.json['id']}").json["entry"]] == [entry["resource"] for entry in entries]


def test_a_value_that_cannot_be_opened_is_an_outcome_of_its_own_resource(call: Client, house: House, both: tuple[str, str]) -> None:
    house.connections[0].execute("update fhir.body set body = replace(body, 'test.', 'test.AAAA') where body like '% {\"resourceType\":\"Patient\"%'")
    answer = call("GET", both[0])
    assert (answer.status, answer.issue["code"]) == (500, "exception")
    assert both[0][1:] in answer.issue["diagnostics"]
    assert call("GET", both[1]).status == 200


def test_everything_says_what_cannot_be_opened_in_its_place_and_gives_the_rest(call: Client, house: House, both: tuple[str, str]) -> None:
    house.connections[0].execute(
        "update fhir.body set body = replace(body, 'test.', 'test.AAAA') where body like '% {\"resourceType\":\"Communication\"%'"
    )
    entries = call("GET", f"{both[0]}/$everything").json["entry"]
    said = {(entry["fullUrl"].rpartition("/fhir")[2], entry["search"]["mode"], entry["resource"]["resourceType"]) for entry in entries}
    assert said == {(both[0], "match", "Patient"), (both[1], "outcome", "OperationOutcome")}
