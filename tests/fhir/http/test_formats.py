"""JSON and XML, as the client asks."""

from __future__ import annotations

import gzip

import pytest

from openward.fhir.xml import from_xml, to_xml
from tests.fhir.http.client import Client

PATIENT = {"resourceType": "Patient", "active": True, "name": [{"family": "Okafor", "given": ["Ada"]}]}
XML = "application/fhir+xml"


@pytest.fixture
def id(call: Client) -> str:
    return str(call("POST", "/Patient", PATIENT).json["id"])


class TestAnswers:
    @pytest.mark.parametrize(
        "accept",
        [XML, "application/xml", "text/xml", "application/xml+fhir", "application/fhir+xml; fhirVersion=4.0", "text/html, application/xml;q=0.9, */*;q=0.1",
         "application/fhir+json;q=0.5, application/fhir+xml"],
    )  # fmt: skip
    def test_accept_asks_for_xml(self, call: Client, id: str, accept: str) -> None:
        answer = call("GET", f"/Patient/{id}", accept=accept)
        assert answer.headers["Content-Type"] == "application/fhir+xml; charset=utf-8"
        assert from_xml(answer.body) == call("GET", f"/Patient/{id}").json

    @pytest.mark.parametrize(
        "wanted", ["xml", "text/xml", "application/xml", "application/fhir+xml", "application/fhir%2Bxml", "application/xml+fhir"]
    )
    def test_format_asks_for_xml_whatever_accept_says(self, call: Client, id: str, wanted: str) -> None:
        answer = call("GET", f"/Patient/{id}?_format={wanted}", accept="application/fhir+json")
        assert from_xml(answer.body)["id"] == id

    def test_the_first_of_two_equal_wishes_counts(self, call: Client, id: str) -> None:
        assert call("GET", f"/Patient/{id}", accept="application/fhir+json, application/fhir+xml").json["id"] == id

    def test_bundles_and_their_links_are_as_in_json(self, call: Client, id: str) -> None:
        answer = call("GET", "/Patient?_format=xml&family=okafor")
        assert from_xml(answer.body)["entry"] == call("GET", "/Patient?family=okafor").json["entry"]

    @pytest.mark.parametrize("address", ["/Patient?_count=1", "/_history?_count=1"])
    def test_the_next_page_is_in_it_too(self, call: Client, address: str) -> None:
        for _ in range(3):
            call("POST", "/Patient", {"resourceType": "Patient"})
        for page in ("first", "second"):
            answer = call("GET", f"{address}&_format=xml&_pretty=true" if page == "first" else address)
            links = {link["relation"]: link["url"] for link in from_xml(answer.body)["link"]}
            assert "_format=xml&_pretty=true" in links["self"]
            address = links["next"].removeprefix("https://clinic.test/fhir")

    def test_errors_are_in_the_format_asked_for(self, call: Client) -> None:
        answer = call("GET", "/Patient/none", accept=XML)
        assert (answer.status, from_xml(answer.body)["resourceType"]) == (404, "OperationOutcome")

    def test_pretty_xml_is_for_people(self, call: Client, id: str) -> None:
        assert b'\n  <id value="' in call("GET", f"/Patient/{id}?_format=xml&_pretty=true").body

    def test_xml_is_packed_too(self, call: Client) -> None:
        answer = call("GET", "/metadata?_format=xml", accept_encoding="gzip")
        assert from_xml(gzip.decompress(answer.body))["resourceType"] == "CapabilityStatement"

    def test_gzip_is_not_sent_to_who_refuses_it(self, call: Client) -> None:
        assert "Content-Encoding" not in call("GET", "/metadata", accept_encoding="br, gzip;q=0").headers


class TestBodies:
    @pytest.mark.parametrize("media", [XML, "application/xml", "text/xml; charset=utf-8", "application/fhir+xml; fhirVersion=4.0"])
    def test_xml_is_taken(self, call: Client, media: str) -> None:
        made = call("POST", "/Patient", to_xml(PATIENT), content_type=media, accept="application/fhir+json")
        assert (made.status, made.json["name"]) == (201, PATIENT["name"])

    def test_who_writes_xml_and_asks_for_nothing_gets_xml(self, call: Client, id: str) -> None:
        answer = call("PUT", f"/Patient/{id}", to_xml({**PATIENT, "id": id, "active": False}), content_type=XML)
        assert from_xml(answer.body)["active"] is False

    def test_a_transaction_comes_and_goes_in_xml(self, call: Client) -> None:
        entry = {"resource": PATIENT, "request": {"method": "POST", "url": "Patient"}}
        answer = call("POST", "", to_xml({"resourceType": "Bundle", "type": "transaction", "entry": [entry]}), content_type=XML)
        assert from_xml(answer.body)["entry"][0]["response"]["status"] == "201 Created"

    def test_what_is_wrong_is_told_with_line_and_place(self, call: Client) -> None:
        body = b'<Patient xmlns="http://hl7.org/fhir">\n<name><nick value="x"/></name></Patient>'
        answer = call("POST", "/Patient", body, content_type=XML, accept="application/fhir+json")
        assert (answer.status, answer.issue["expression"]) == (400, ["Patient.name[0]"])
        assert answer.issue["diagnostics"].startswith("Line 2: Patient.name[0].nick")

    def test_what_xml_says_wrongly_is_found_by_validation(self, call: Client) -> None:
        body = b'<Patient xmlns="http://hl7.org/fhir"><active value="yes"/></Patient>'
        answer = call("POST", "/Patient", body, content_type=XML, accept="application/fhir+json")
        assert (answer.status, answer.issue["expression"]) == (422, ["Patient.active"])


class TestPreferences:
    @pytest.mark.parametrize("prefer", ["handling=strict", "return=minimal; handling=strict", 'respond-async, handling="strict"'])
    def test_a_strict_search_refuses_what_it_does_not_know(self, call: Client, prefer: str) -> None:
        assert call("GET", "/Patient?shoe-size=43", prefer=prefer).status == 400

    def test_a_lenient_one_goes_on_without_it(self, call: Client) -> None:
        answer = call("GET", "/Patient?shoe-size=43", prefer="handling=lenient")
        assert (answer.status, answer.json["link"][0]["url"]) == (200, "https://clinic.test/fhir/Patient")


class TestValidators:
    @pytest.mark.parametrize("tags", ['"1"', 'W/"1"', 'W/"7", "1"', "*"])
    def test_etags_are_compared_weakly(self, call: Client, id: str, tags: str) -> None:
        assert call("GET", f"/Patient/{id}", if_none_match=tags).status == 304
        assert call("GET", f"/Patient/{id}/_history/1", if_none_match=tags).status == 304

    @pytest.mark.parametrize(("tag", "status"), [('"1"', 200), ('W/"1"', 200), ('"2"', 412), ('W/"2"', 412)])
    def test_a_write_names_the_version_weakly_or_not(self, call: Client, id: str, tag: str, status: int) -> None:
        assert call("PUT", f"/Patient/{id}", {**PATIENT, "id": id, "active": False}, if_match=tag).status == status
