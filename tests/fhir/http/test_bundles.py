"""Bundles over HTTP: what asks is answered as a request of its own would be, and what comes back is what the client prefers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fhir.http.client import Answer, Client

PATIENT = {"resourceType": "Patient", "active": True, "identifier": [{"system": "urn:mrn", "value": "7"}]}
both = pytest.mark.parametrize("kind", ["batch", "transaction"])


@pytest.fixture
def id(call: Client) -> str:
    return str(call("POST", "/Patient", PATIENT).json["id"])


def send(call: Client, kind: str, *entries: Any, **headers: str) -> Answer:
    return call("POST", "", {"resourceType": "Bundle", "type": kind, "entry": list(entries)}, **headers)


def asking(url: str, method: str = "GET", resource: Any = None, **conditions: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"request": {"method": method, "url": url, **conditions}}
    return {**entry, "resource": resource} if resource else entry


class TestWhatAsks:
    @both
    def test_a_read_comes_with_its_validators(self, call: Client, id: str, kind: str) -> None:
        (entry,) = send(call, kind, asking(f"Patient/{id}")).json["entry"]
        assert entry["resource"] == call("GET", f"/Patient/{id}").json
        assert entry["response"] == {"status": "200 OK", "etag": 'W/"1"', "lastModified": entry["resource"]["meta"]["lastUpdated"]}

    @both
    @pytest.mark.parametrize("condition", [{"ifNoneMatch": 'W/"1"'}, {"ifModifiedSince": "2999-01-01T00:00:00Z"}])
    def test_what_the_client_has_is_not_sent_again(self, call: Client, id: str, kind: str, condition: dict[str, str]) -> None:
        (entry,) = send(call, kind, asking(f"Patient/{id}", **condition)).json["entry"]
        assert (entry["response"]["status"], "resource" in entry) == ("304 Not Modified", False)

    @both
    def test_a_search_has_links_and_addresses_of_this_server(self, call: Client, id: str, kind: str) -> None:
        (entry,) = send(call, kind, asking("Patient?identifier=urn:mrn|7&_elements=active")).json["entry"]
        assert entry["resource"]["link"][0]["url"].startswith("https://clinic.test/fhir/Patient?")
        assert entry["resource"]["entry"][0]["fullUrl"] == f"https://clinic.test/fhir/Patient/{id}"
        assert "identifier" not in entry["resource"]["entry"][0]["resource"]

    @both
    @pytest.mark.parametrize(
        ("method", "url", "type"),
        [("GET", "Patient/ID/_history", "history"), ("GET", "_history", "history"), ("POST", "Patient/_search?active=true", "searchset"),
         ("GET", "/Patient/ID/_history/1", None), ("GET", "Patient/ID/$meta", None), ("POST", "Patient/ID/$meta", None)],
    )  # fmt: skip
    def test_every_address_that_reads_is_answered(self, call: Client, id: str, kind: str, method: str, url: str, type: str | None) -> None:
        (entry,) = send(call, kind, asking(url.replace("ID", id), method)).json["entry"]
        assert (entry["response"]["status"], entry["resource"].get("type")) == ("200 OK", type)

    def test_an_operation_takes_its_parameters(self, call: Client, id: str) -> None:
        meta = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "urn:t", "code": "x"}]}}]}
        (entry,) = send(call, "batch", asking(f"Patient/{id}/$meta-add", "POST", meta)).json["entry"]
        assert entry["response"]["status"] == "200 OK"
        assert call("GET", f"/Patient/{id}").json["meta"]["tag"] == [{"system": "urn:t", "code": "x"}]

    def test_a_head_has_no_body(self, call: Client, id: str) -> None:
        assert "resource" not in send(call, "batch", asking(f"Patient/{id}", "HEAD")).json["entry"][0]

    def test_in_a_batch_what_fails_has_its_outcome_and_the_rest_goes_on(self, call: Client, id: str) -> None:
        urls = ["Patient/none", f"Patient/{id}", "Pasient/1", "Patient/1/2/3", "metadata", "Patient/é"]
        entries = send(call, "batch", *map(asking, urls)).json["entry"]
        assert [entry["response"]["status"][:3] for entry in entries] == ["404", "200", "404", "404", "400", "404"]
        assert entries[0]["response"]["outcome"]["issue"][0]["code"] == "not-found"

    def test_the_bundles_own_headers_are_not_those_of_its_entries(self, call: Client, id: str) -> None:
        answer = send(call, "batch", asking(f"Patient/{id}"), if_none_match='W/"1"', accept="application/fhir+json")
        assert answer.json["entry"][0]["response"]["status"] == "200 OK"

    def test_strict_handling_holds_for_the_searches_inside(self, call: Client) -> None:
        (entry,) = send(call, "batch", asking("Patient?shoe-size=43"), prefer="handling=strict").json["entry"]
        assert entry["response"]["status"].startswith("400")


class TestWhatComesBack:
    @both
    @pytest.mark.parametrize(
        ("prefer", "resource", "outcome"), [("minimal", False, False), ("representation", True, False), ("OperationOutcome", False, True)]
    )
    def test_of_writes_it_is_what_the_client_prefers(self, call: Client, kind: str, prefer: str, resource: bool, outcome: bool) -> None:
        entry = asking("Patient", "POST", PATIENT)
        (answer,) = send(call, kind, entry, prefer=f"return={prefer}").json["entry"]
        assert ("resource" in answer, "outcome" in answer["response"]) == (resource, outcome)
        assert answer["response"]["status"] == "201 Created"

    @both
    def test_a_conditional_delete_of_nothing_is_no_fault(self, call: Client, kind: str) -> None:
        (entry,) = send(call, kind, asking("Patient?identifier=urn:mrn|none", "DELETE")).json["entry"]
        assert entry["response"]["status"] == "204 No Content"

    def test_a_bundle_of_more_entries_than_are_taken_is_refused(self, call: Client) -> None:
        body = b'{"resourceType":"Bundle","type":"batch","entry":[' + b",".join([b"{}"] * 30_000) + b"]}"
        assert call("POST", "", body).status == 413
