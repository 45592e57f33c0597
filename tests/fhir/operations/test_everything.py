from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from openward.fhir.ids import key
from tests.fhir.house import House
from tests.fhir.http.client import Client
from tests.fhir.operations.conftest import observation, patient, references, to

Keep = Callable[..., None]


@pytest.fixture(autouse=True)
def clinic(keep: Keep) -> None:
    keep(
        {"resourceType": "Organization", "id": "north", "name": "North", "partOf": to("Organization/whole")},
        {"resourceType": "Organization", "id": "whole", "name": "Whole"},
        {"resourceType": "Organization", "id": "unrelated", "name": "Elsewhere"},
        {"resourceType": "Practitioner", "id": "osei", "name": [{"family": "Osei"}]},
        patient("ada", birthDate="1980-11-03", managingOrganization=to("Organization/north")),
        patient("ben"),
        observation("a1", "ada", when="2026-03-01T09:00:00Z", performer=[to("Practitioner/osei")], encounter=to("Encounter/v1")),
        observation("a2", "ada", when="2025-03-01T09:00:00Z", performer=[to("Practitioner/osei")], derivedFrom=[to("Observation/b1")]),
        observation("b1", "ben"),
        {
            "resourceType": "Encounter",
            "id": "v1",
            "status": "finished",
            "class": {"code": "AMB"},
            "subject": to("Patient/ada"),
            "period": {"start": "2026-03-01T08:00:00Z", "end": "2026-03-01T10:00:00Z"},
        },
        {"resourceType": "Group", "id": "walkers", "type": "person", "actual": True, "member": [{"entity": to("Patient/ada")}]},
        {"resourceType": "Basic", "id": "note", "code": {"text": "note"}, "subject": to("Patient/ada"), "created": "2019-01-01"},
    )


def everything(call: Client, query: str = "", id: str = "Patient/ada", token: str = "good") -> dict[str, Any]:
    answer = call("GET", f"/{id}/$everything{query}", token=token)
    assert answer.status == 200, answer.body
    bundle: dict[str, Any] = answer.json
    return bundle


MEMBERS = {"Patient/ada", "Observation/a1", "Observation/a2", "Encounter/v1", "Group/walkers", "Basic/note"}
REFERRED = {"Organization/north", "Organization/whole", "Practitioner/osei"}


def test_it_holds_the_compartment_and_what_that_refers_to_and_nothing_of_another_patient(call: Client) -> None:
    bundle = everything(call)
    assert bundle["type"] == "searchset"
    assert set(references(bundle, "match")) == MEMBERS
    assert set(references(bundle, "include")) == REFERRED
    assert len(references(bundle)) == len(MEMBERS | REFERRED)
    assert references(bundle)[0] == "Patient/ada"


def test_resources_are_the_stored_bytes_under_their_full_address(call: Client) -> None:
    entry = everything(call)["entry"][0]
    assert entry["fullUrl"] == "https://clinic.test/fhir/Patient/ada"
    assert entry["resource"] == call("GET", "/Patient/ada").json


@pytest.mark.parametrize("size", [1, 2, 4])
def test_pages_hold_every_member_once_while_others_write(call: Client, keep: Keep, size: int) -> None:
    seen: list[str] = []
    path = f"/Patient/ada/$everything?_count={size}"
    while path:
        bundle = call("GET", path).json
        seen += references(bundle, "match")
        keep(patient("ada", birthDate=f"19{len(seen):02}-01-01", managingOrganization=to("Organization/north")))
        following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
        path = "/" + urlsplit(following[0])._replace(scheme="", netloc="").geturl().removeprefix("/fhir/") if following else ""
    assert sorted(seen) == sorted(MEMBERS)


def test_a_forged_cursor_and_one_of_another_patient_are_refused(call: Client) -> None:
    following = next(link["url"] for link in everything(call, "?_count=1")["link"] if link["relation"] == "next")
    cursor = following.partition("_cursor=")[2]
    assert call("GET", f"/Patient/ben/$everything?_count=1&_cursor={cursor}").status == 400
    assert call("GET", "/Patient/ada/$everything?_cursor=Zm9yZ2Vk").status == 400
    assert call("GET", f"/Patient/ada/$everything?_count=9&_cursor={cursor}").status == 200


def test_types_narrow_members_and_what_they_refer_to(call: Client) -> None:
    assert sorted(references(everything(call, "?_type=Observation"))) == ["Observation/a1", "Observation/a2"]
    assert sorted(references(everything(call, "?_type=Observation,Practitioner"))) == ["Observation/a1", "Observation/a2", "Practitioner/osei"]
    assert call("GET", "/Patient/ada/$everything?_type=Nothing").status == 400


def test_a_type_that_is_only_referred_to_may_be_asked_for_alone(call: Client) -> None:
    assert sorted(references(everything(call, "?_type=Organization,Practitioner"), "include")) == sorted(REFERRED)
    assert references(everything(call, "?_type=Organization,Practitioner"), "match") == []
    assert references(everything(call, "?_type=Patient", id="Encounter/v1"), "include") == ["Patient/ada"]


def test_care_dates_narrow_what_has_one(call: Client) -> None:
    found = set(references(everything(call, "?start=2026-01-01&end=2026-12"), "match"))
    assert found == {"Patient/ada", "Observation/a1", "Encounter/v1", "Group/walkers"}
    assert "Observation/a2" in references(everything(call, "?end=2025"))
    assert call("GET", "/Patient/ada/$everything?start=soon").status == 400


def test_since_keeps_what_was_stored_after(call: Client, keep: Keep) -> None:
    moment = call("GET", "/Basic/note").json["meta"]["lastUpdated"]
    keep(observation("a3", "ada"))
    assert "Observation/a3" in references(everything(call, f"?_since={moment}"))
    assert "Observation/a1" not in references(everything(call, "?_since=2999-01-01T00:00:00Z"))


def test_an_encounter_brings_what_names_it_and_its_patient(call: Client) -> None:
    bundle = everything(call, id="Encounter/v1")
    assert set(references(bundle, "match")) == {"Encounter/v1", "Observation/a1"}
    assert set(references(bundle, "include")) == {"Patient/ada", "Practitioner/osei", "Organization/north", "Organization/whole"}


def test_parameters_may_come_as_a_resource(call: Client) -> None:
    body = {"resourceType": "Parameters", "parameter": [{"name": "_type", "valueCode": "Encounter"}]}
    assert references(call("POST", "/Patient/ada/$everything", body).json) == ["Encounter/v1"]


class TestWhoMaySeeWhat:
    def test_a_patient_sees_only_their_own(self, call: Client) -> None:
        assert "Observation/a1" in references(everything(call, token="ada"))
        assert call("GET", "/Patient/ada/$everything", token="ben").status == 404

    def test_a_client_sees_only_the_types_of_its_scope(self, call: Client) -> None:
        assert sorted(references(everything(call, token="scoped"))) == ["Observation/a1", "Observation/a2", "Patient/ada"]

    def test_who_may_not_read_patients_finds_none(self, call: Client) -> None:
        assert call("GET", "/Patient/ada/$everything", token="blind").status == 404

    def test_a_patient_who_was_deleted_is_gone_and_one_never_there_is_not_found(self, call: Client, keep: Keep) -> None:
        keep(patient("cy"))
        assert call("DELETE", "/Patient/cy").status == 204
        assert call("GET", "/Patient/cy/$everything").status == 410
        assert call("GET", "/Patient/nobody/$everything").status == 404

    def test_one_audit_event_names_the_patient(self, call: Client, house: House) -> None:
        house.connections[0].execute("truncate heard")
        everything(call)
        heard = house.connections[0].execute("select interaction, type, patient, outcome from heard").fetchall()
        assert heard == [("$everything", "Patient", key("Patient", "ada"), 0)]


def test_for_all_patients_at_once_it_is_refused_in_words(call: Client) -> None:
    answer = call("GET", "/Patient/$everything")
    assert answer.status == 422
    assert "$export" in answer.issue["diagnostics"]


class TestMuchOfIt:
    def test_it_is_read_a_batch_at_a_time(self, call: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("openward.fhir.operations.everything.AT_ONCE", 2)
        assert set(references(everything(call), "match")) == MEMBERS

    def test_a_page_ends_before_it_is_too_large_to_hold(self, call: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("openward.fhir.operations.everything.AT_ONCE", 2)
        monkeypatch.setattr("openward.fhir.operations.everything.MOST_BYTES", 300)
        bundle = everything(call)
        assert 0 < len(references(bundle, "match")) < len(MEMBERS)
        assert [link["relation"] for link in bundle["link"]] == ["self", "next"]


def test_it_is_answered_in_xml_too(call: Client) -> None:
    answer = call("GET", "/Patient/ada/$everything", accept="application/fhir+xml")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/fhir+xml")
    assert answer.body.startswith(b"<")


class TestMemory:
    """Documents of a hundred kilobytes: a page ends where its bytes end, and the rest is not even read."""

    @pytest.fixture(autouse=True)
    def many_documents(self, keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
        keep(patient("cy"), *(observation(f"long-{number:03}", "cy", note=[{"text": "y" * 100_000}]) for number in range(120)))
        monkeypatch.setattr("openward.fhir.operations.everything.MOST_BYTES", 2**20)

    def test_its_pages_together_are_everything_once(self, call: Client) -> None:
        seen: list[str] = []
        query = ""
        while True:
            bundle = everything(call, query, id="Patient/cy")
            assert len(bundle["entry"]) <= 12
            seen += references(bundle)
            following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
            if not following:
                break
            query = f"?{urlsplit(following[0]).query}"
        assert len(seen) == len(set(seen)) == 121

    @pytest.mark.parametrize("query", ["", "?_format=xml"])
    def test_a_page_takes_a_few_times_its_bytes_however_much_the_patient_has(self, call: Client, query: str) -> None:
        call("GET", f"/Patient/cy/$everything{query}")
        tracemalloc.start()
        try:
            assert call("GET", f"/Patient/cy/$everything{query}").status == 200
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 8 * 2**20, "all of it would be 12 MB before it is made into anything"
