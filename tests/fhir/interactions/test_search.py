"""A page of one patient's rows is found, and put on record, by one statement whose plan is kept."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from openward.fhir.ids import key
from openward.fhir.interactions.search import searchset
from openward.fhir.json import dumps, loads
from openward.fhir.sealing import port
from openward.fhir.store import Store
from tests.fhir.house import House, PlainKeys, Visitor


def put(house: House, count: int = 5) -> None:
    """Of ada and of ben, so many observations each."""
    store = house.store()
    for name in ("ada", "ben"):
        store.update({"resourceType": "Patient", "id": name})
        for number in range(count):
            code = {"coding": [{"system": "urn:x", "code": f"c{number % 2}"}]}
            about = {"subject": {"reference": f"Patient/{name}"}, "effectiveDateTime": f"2026-01-{number + 1:02}"}
            store.update({"resourceType": "Observation", "id": f"{name}-{number}", "status": "final", "code": code, **about})


def searched(house: House) -> list[tuple[str, UUID | None, int]]:
    return house.connections[0].execute("select type, patient, outcome from heard where interaction = 'search'").fetchall()


ASKED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "one patient's": ({"patient": "ada", "_count": "2"}, ["ada-4", "ada-3"]),
    "by code": ({"patient": "ada", "code": "urn:x|c1"}, ["ada-3", "ada-1"]),
    "by another than a code": ({"patient": "ada", "code:not": "c1"}, ["ada-4", "ada-2", "ada-0"]),
    "by two codes": ({"patient": "ada", "code": "c0,c1", "_count": "1"}, ["ada-4"]),
    "by date, the oldest first": ({"patient": "Patient/ada", "date": "ge2026-01-04", "_sort": "date"}, ["ada-3", "ada-4"]),
    "near a date": ({"patient": "ada", "date": "ap2026-01-03", "_count": "1"}, ["ada-4"]),
    "without a value": ({"patient": "ada", "value-quantity:missing": "true", "_count": "1"}, ["ada-4"]),
    "of an id": ({"patient": "ada", "_id": "ada-2,ben-2"}, ["ada-2"]),
}


@pytest.mark.parametrize(("params", "ids"), ASKED.values(), ids=ASKED.keys())
def test_what_is_found_is_found_and_its_patient_on_record_once(house: House, params: dict[str, Any], ids: list[str]) -> None:
    put(house)
    assert [version.id for version in house.reading_store().search("Observation", params).matches] == ids
    assert searched(house) == [("Observation", key("Patient", "ada"), 0)]


def sent(store: Store, type: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    return loads(dumps(searchset(store, type, params, "http://x"))).get("entry", [])


@pytest.mark.parametrize(("params", "ids"), ASKED.values(), ids=ASKED.keys())
def test_what_is_only_sent_on_is_the_same_and_on_record_as_often(house: House, params: dict[str, Any], ids: list[str]) -> None:
    put(house)
    read = [house.store().read("Observation", id).data for id in ids]
    assert [(entry["fullUrl"], entry["resource"]) for entry in sent(house.reading_store(), "Observation", params)] == [
        (f"http://x/Observation/{one['id']}", one) for one in read
    ]
    assert searched(house) == [("Observation", key("Patient", "ada"), 0)]


@pytest.mark.parametrize("less", [{"_elements": "code"}, {"_summary": "true"}])
def test_less_of_it_can_be_sent(house: House, less: dict[str, str]) -> None:
    put(house, 1)
    (entry,) = sent(house.reading_store(), "Observation", {"patient": "ada"} | less)
    assert entry["resource"]["code"]
    assert entry["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert searched(house) == [("Observation", key("Patient", "ada"), 0)]


def test_the_pages_that_are_sent_lead_through_everything(house: House) -> None:
    put(house)
    store, params, seen = house.reading_store(), {"patient": "ada", "_count": "2"}, []
    while params:
        page = loads(dumps(searchset(store, "Observation", params, "http://x")))
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        links = {link["relation"]: link["url"] for link in page["link"]}
        assert ("first" in links) == (len(seen) > 2)
        params = {"_cursor": links["next"].rpartition("=")[2]} if "next" in links else {}
    assert seen == [f"ada-{number}" for number in (4, 3, 2, 1, 0)]


def test_what_does_not_open_is_said_in_its_place_and_on_record(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    put(house, 0)
    about = {"status": "current", "subject": {"reference": "Patient/ada"}}
    for id, said in (("sealed", {"contentType": "image/png", "data": base64.b64encode(b"scan").decode()}), ("plain", {"title": "Letter"})):
        house.store().update({"resourceType": "DocumentReference", "id": id, **about, "content": [{"attachment": said}]})
    asked = house.reading_store(), "DocumentReference", {"patient": "ada"}
    assert {entry["resource"]["id"]: "data" in entry["resource"]["content"][0]["attachment"] for entry in sent(*asked)} == {
        "sealed": True,
        "plain": False,
    }
    others = PlainKeys()
    others._secret = AESGCM(b"o" * 32)
    monkeypatch.setattr(port, "_held", [others])
    assert {entry["fullUrl"]: entry["search"]["mode"] for entry in sent(*asked)} == {
        "http://x/DocumentReference/sealed": "outcome",
        "http://x/DocumentReference/plain": "match",
    }
    found = (
        house.connections[0].execute("select rkey, ver, patient, outcome from heard where interaction = 'search' and actor = 'visitor'").fetchall()
    )
    assert found[-1] == (key("DocumentReference", "sealed"), 1, key("Patient", "ada"), 8)
    assert [row[3] for row in found] == [0, 0, 8]


def test_a_page_on_which_nothing_is_names_no_patient(house: House) -> None:
    put(house)
    assert not house.reading_store().search("Observation", {"patient": "ada", "code": "urn:x|none"}).matches
    assert searched(house) == [("Observation", None, 0)]


def test_a_page_of_several_patients_names_each(house: House) -> None:
    put(house, 1)
    of_both = [("Observation", key("Patient", name), 0) for name in ("ada", "ben")]
    assert len(house.reading_store().search("Observation", {"_id": "ada-0,ben-0"}).matches) == 2
    assert sorted(searched(house)) == sorted(of_both)
    assert len(sent(house.reading_store(), "Observation", {"_id": "ada-0,ben-0"})) == 2
    assert sorted(searched(house)) == sorted(of_both * 2)


def test_what_is_included_is_on_record_too(house: House) -> None:
    put(house, 1)
    page = house.reading_store().search("Observation", {"patient": "ada", "_include": "Observation:subject"})
    assert [version.reference for version in page.includes] == ["Patient/ada"]
    assert searched(house) == [("Observation", key("Patient", "ada"), 0)]


def test_the_kept_plan_serves_every_patient_and_every_page(house: House) -> None:
    put(house)
    store = house.reading_store()
    for _ in range(4):
        for name in ("ada", "ben", "nobody"):
            first = store.search("Observation", {"patient": name, "_count": "3"})
            rest = [version.id for version in store.search("Observation", {"_cursor": first.next}).matches] if first.next else []
            assert [version.id for version in first.matches] + rest == [f"{name}-{number}" for number in (4, 3, 2, 1, 0) if name != "nobody"]


def test_a_plan_is_kept_for_a_number_of_shapes_only(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openward.fhir.wire.PLANS", 2)
    put(house, 2)
    store = house.reading_store()
    for count in ("1", "2", "3", "1"):
        assert store.search("Observation", {"patient": "ada", "_count": count}).matches[0].id == "ada-1"
    kept = store.connection.execute("select count(*) from pg_prepared_statements where name like 'search%'").fetchone()
    assert kept == (2,)


@pytest.mark.parametrize("policy", ["patient", "types"])
def test_what_may_not_be_seen_is_not_found(house: House, policy: str) -> None:
    put(house)
    actor = Visitor(patient=key("Patient", "ben")) if policy == "patient" else Visitor(types=frozenset({"Observation"}))
    found = house.reading_store(actor).search("Observation", {"patient": "ada"}).matches
    assert [version.id for version in found] == ([] if policy == "patient" else [f"ada-{number}" for number in (4, 3, 2, 1, 0)])
