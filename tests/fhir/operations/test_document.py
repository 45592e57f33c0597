from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.fhir.http.client import Client
from tests.fhir.operations.conftest import observation, patient, references, to

Keep = Callable[..., None]
WHOLE = ["Composition/note", "Observation/a1", "Organization/north", "Patient/ada", "Practitioner/osei"]


def composition(id: str, whose: str, *observations: str) -> dict[str, Any]:
    return {
        "resourceType": "Composition",
        "id": id,
        "status": "final",
        "type": {"text": "Progress note"},
        "subject": to(f"Patient/{whose}"),
        "date": "2026-03-01",
        "author": [to("Practitioner/osei")],
        "title": "Visit",
        "section": [{"title": "Vitals", "entry": [to(f"Observation/{name}") for name in observations]}],
    }


@pytest.fixture(autouse=True)
def notes(keep: Keep) -> None:
    keep(
        {"resourceType": "Organization", "id": "north", "name": "North"},
        {"resourceType": "Practitioner", "id": "osei"},
        patient("ada", managingOrganization=to("Organization/north")),
        patient("ben"),
        observation("a1", "ada"),
        observation("a2", "ada"),
        observation("b1", "ben"),
        composition("note", "ada", "a1", "b1"),
    )


def document(call: Client, method: str = "GET", path: str = "/Composition/note/$document", token: str = "good") -> dict[str, Any]:
    answer = call(method, path, token=token)
    assert answer.status in (200, 201), answer.body
    bundle: dict[str, Any] = answer.json
    return bundle


def test_it_begins_with_the_composition_and_holds_all_it_refers_to_of_its_patient(call: Client) -> None:
    bundle = document(call)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "document")
    assert references(bundle)[0] == "Composition/note"
    assert sorted(references(bundle)) == WHOLE
    assert bundle["identifier"]["value"].startswith("urn:uuid:")
    assert bundle["timestamp"]
    assert "id" not in bundle


def test_the_composition_may_be_named_by_a_parameter(call: Client) -> None:
    assert sorted(references(document(call, path="/Composition/$document?id=note"))) == WHOLE
    assert sorted(references(document(call, path="/Composition/$document?id=https://clinic.test/fhir/Composition/note"))) == WHOLE
    assert call("GET", "/Composition/$document").status == 400


def test_it_is_kept_when_asked(call: Client) -> None:
    answer = call("POST", "/Composition/note/$document?persist=true")
    assert answer.status == 201
    stored = call("GET", answer.headers["Location"].removeprefix("https://clinic.test/fhir").partition("/_history")[0]).json
    assert stored == answer.json
    assert sorted(references(stored)) == WHOLE


def test_what_is_named_by_its_version_too_is_in_it_once(call: Client, keep: Keep) -> None:
    keep(
        {"resourceType": "Organization", "id": "south", "name": "South", "partOf": to("Organization/north/_history/1")},
        patient("cy", managingOrganization=to("Organization/south")),
        observation("c1", "cy", performer=[to("Organization/north")], derivedFrom=[to("Observation/c2/_history/1")]),
        observation("c2", "cy", performer=[to("Organization/south/_history/1")]),
        composition("other", "cy", "c1", "c2"),
    )
    everyone = [
        "Composition/other",
        "Observation/c1",
        "Observation/c2",
        "Organization/north",
        "Organization/south",
        "Patient/cy",
        "Practitioner/osei",
    ]
    assert sorted(references(document(call, path="/Composition/other/$document"))) == everyone
    assert sorted(references(call("GET", "/Patient/cy/$everything").json)) == everyone


class TestWhoMaySeeWhat:
    def test_a_patient_sees_only_their_own(self, call: Client) -> None:
        assert sorted(references(document(call, token="ada"))) == ["Composition/note", "Observation/a1", "Patient/ada"]
        assert call("GET", "/Composition/note/$document", token="ben").status == 404

    def test_a_client_without_compositions_gets_none(self, call: Client) -> None:
        assert call("GET", "/Composition/note/$document", token="scoped").status == 404

    def test_who_may_not_write_keeps_none(self, call: Client) -> None:
        assert call("POST", "/Composition/note/$document?persist=true", token="reader").status == 403
        assert "entry" not in call("GET", "/Bundle").json
