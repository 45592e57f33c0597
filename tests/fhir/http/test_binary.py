"""Binary as what it holds, and the addresses of this server in what is sent."""

from __future__ import annotations

import base64
import gzip
import os
from uuid import UUID

import pytest

from tests.fhir.house import House, Visitor
from tests.fhir.http.client import Client
from tests.fhir.http.conftest import LIMIT

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 7


def upload(call: Client, data: bytes = PDF, **headers: str) -> str:
    answer = call("POST", "/Binary", data, **{"content_type": "application/pdf", **headers})
    assert answer.status == 201
    return answer.headers["Location"].removeprefix("https://clinic.test/fhir").partition("/_history")[0]


class TestRaw:
    @pytest.mark.parametrize("length", [1, 2, 3, 65_536 * 3 // 4, 99_999])
    def test_what_went_in_comes_out(self, call: Client, length: int) -> None:
        data = os.urandom(length)
        answer = call("GET", upload(call, data), accept="application/pdf")
        assert (answer.headers["Content-Type"], answer.body == data) == ("application/pdf", True)
        assert answer.headers["Content-Length"] == str(length)

    @pytest.mark.parametrize("blank", [" ", "\n", "\t\r\n"])
    @pytest.mark.parametrize("place", [0, 300, None])
    def test_blanks_between_the_letters_are_no_part_of_the_content(self, call: Client, blank: str, place: int | None) -> None:
        """datatypes.html#base64Binary: whitespace is allowed anywhere; a length that counts it promises more than is sent."""
        letters = base64.b64encode(PDF).decode()
        end = len(letters) if place is None else place
        data = letters[:end] + blank + letters[end:]
        id = call("POST", "/Binary", {"resourceType": "Binary", "contentType": "application/pdf", "data": data}).json["id"]
        answer = call("GET", f"/Binary/{id}", accept="application/pdf")
        assert (answer.body == PDF, answer.headers["Content-Length"]) == (True, str(len(PDF)))

    def test_in_the_record_it_is_a_resource(self, call: Client) -> None:
        stored = call("GET", upload(call), accept="application/fhir+json").json
        assert (stored["contentType"], base64.b64decode(stored["data"])) == ("application/pdf", PDF)

    @pytest.mark.parametrize(
        "accept", ["application/pdf", "image/*, */*;q=0.5", "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8"]
    )
    def test_who_asks_for_anything_but_fhir_gets_the_content(self, call: Client, accept: str) -> None:
        assert call("GET", upload(call), accept=accept).body == PDF

    @pytest.mark.parametrize("accept", ["", "*/*", "application/fhir+json", "application/fhir+xml", "application/json, */*;q=0.1"])
    def test_others_get_the_resource(self, call: Client, accept: str) -> None:
        assert b"Binary" in call("GET", upload(call), accept=accept).body

    def test_a_stored_page_cannot_act(self, call: Client) -> None:
        answer = call("GET", upload(call, b"<script>alert(1)</script>", content_type="text/html"), accept="text/html")
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    def test_versions_and_validators_are_as_of_any_resource(self, call: Client) -> None:
        place = upload(call)
        assert call("PUT", place, b"new", content_type="text/plain").headers["ETag"] == 'W/"2"'
        assert call("GET", f"{place}/_history/1", accept="application/pdf").body == PDF
        assert call("GET", place, accept="text/plain", if_none_match='W/"2"').status == 304
        assert call("HEAD", place, accept="text/plain").headers["Content-Length"] == "3"

    def test_it_may_be_packed_on_the_way(self, call: Client) -> None:
        assert call("GET", upload(call, gzip.compress(PDF), content_encoding="gzip"), accept="application/pdf").body == PDF

    def test_the_client_may_want_the_resource_back(self, call: Client) -> None:
        answer = call("POST", "/Binary", PDF, content_type="application/pdf", prefer="return=representation")
        assert answer.json["contentType"] == "application/pdf"

    @pytest.mark.parametrize("media", ["", "nonsense", "text/plain\r\nX: y"])
    def test_a_body_that_does_not_say_what_it_is_is_not_taken(self, call: Client, media: str) -> None:
        assert call("POST", "/Binary", PDF, content_type=media).status == 415

    def test_its_size_has_a_limit_packed_or_not(self, call: Client) -> None:
        big = bytes(LIMIT + 1)
        assert call("POST", "/Binary", big, content_type="text/plain").status == 413
        assert call("POST", "/Binary", big, content_type="text/plain", content_length="").status == 413
        assert call("POST", "/Binary", gzip.compress(bytes(50_000_000)), content_type="text/plain", content_encoding="gzip").status == 413
        assert call("POST", "/Binary", gzip.compress(PDF)[:-5], content_type="text/plain", content_encoding="gzip").status == 400

    def test_its_security_context_guards_it(self, call: Client, house: House) -> None:
        id = call("POST", "/Patient", {"resourceType": "Patient"}).json["id"]
        place = upload(call, x_security_context=f"https://clinic.test/fhir/Patient/{id}")
        assert call("GET", place, accept="application/pdf").headers["X-Security-Context"] == f"Patient/{id}"
        binary = place.rpartition("/")[2]
        assert house.store(Visitor(patient=UUID(id))).find("Binary", binary) is not None
        assert house.store(Visitor(patient=UUID(int=7))).find("Binary", binary) is None


class TestOwnAddress:
    def test_a_reference_to_this_server_is_kept_as_a_relative_one(self, call: Client) -> None:
        id = call("POST", "/Patient", {"resourceType": "Patient"}).json["id"]
        subject = {"reference": f"https://clinic.test/fhir/Patient/{id}"}
        observation = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": subject}
        made = call("POST", "/Observation", observation).json
        assert made["subject"]["reference"] == f"Patient/{id}"
        for wanted in (f"https://clinic.test/fhir/Patient/{id}", f"Patient/{id}"):
            assert call("GET", f"/Observation?subject={wanted}&_summary=count").json["total"] == 1

    def test_one_to_nothing_here_is_refused_and_one_elsewhere_is_left(self, call: Client) -> None:
        observation = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
        here, there = {"reference": "https://clinic.test/fhir/Patient/none"}, {"reference": "https://other.test/fhir/Patient/none"}
        assert call("POST", "/Observation", {**observation, "subject": here}).status == 422
        assert call("POST", "/Observation", {**observation, "subject": there}).json["subject"] == there

    def test_a_version_may_be_named(self, call: Client) -> None:
        id = call("POST", "/Patient", {"resourceType": "Patient"}).json["id"]
        observation = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
        made = call("POST", "/Observation", {**observation, "subject": {"reference": f"Patient/{id}/_history/1"}})
        assert (made.status, made.json["subject"]["reference"]) == (201, f"Patient/{id}/_history/1")
        assert call("POST", "/Observation", {**observation, "subject": {"reference": f"Patient/{id}/versions/1"}}).status == 422
