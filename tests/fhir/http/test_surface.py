"""What the REST surface refuses, and how."""

from __future__ import annotations

import gzip
import logging

import pytest

from openward.fhir.store import Store
from tests.fhir.http.client import Client

PATIENT = {"resourceType": "Patient", "active": True}


class TestWhoAsks:
    def test_nobody_is_asked_to_sign_in(self, call: Client) -> None:
        answer = call("GET", "/Patient/1", token=None)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.issue["code"] == "login"

    def test_a_reader_may_not_write(self, call: Client) -> None:
        assert call("POST", "/Patient", PATIENT, token="reader").status == 403

    def test_a_reader_learns_nothing_by_deleting(self, call: Client) -> None:
        call("PUT", "/Patient/mine", {**PATIENT, "id": "mine"})
        assert call("DELETE", "/Patient/mine", token="reader").status == 404


class TestAddresses:
    @pytest.mark.parametrize("path", ["/Pasient/1", "/Pasient", "/Patient/1/2", "/Patient/a b", "/Patient/1/_history/1/2", "/$everything"])
    def test_an_address_that_is_none_of_ours_is_not_found(self, call: Client, path: str) -> None:
        assert call("GET", path).status == 404

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("BREW", "/Patient/1", "DELETE, GET, PATCH, PUT"),
            ("DELETE", "/metadata", "GET"),
            ("GET", "/Patient/_search", "POST"),
            ("POST", "/Patient/1", "DELETE, GET, PATCH, PUT"),
        ],
    )
    def test_a_method_that_does_not_fit_is_answered_with_those_that_do(self, call: Client, method: str, path: str, allowed: str) -> None:
        answer = call(method, path, PATIENT)
        assert (answer.status, answer.headers["Allow"]) == (405, allowed)


class TestForms:
    @pytest.mark.parametrize("accept", ["text/turtle", "application/fhir+json; fhirVersion=3.0", "application/json;q=0"])
    def test_a_form_we_do_not_speak_is_not_acceptable(self, call: Client, accept: str) -> None:
        assert call("GET", "/Patient", accept=accept).status == 406

    @pytest.mark.parametrize("accept", ["application/fhir+json", "application/json", "*/*", "text/html, application/xhtml+xml, */*;q=0.8"])
    def test_json_is_given_to_whoever_takes_it(self, call: Client, accept: str) -> None:
        assert call("GET", "/Patient", accept=accept).status == 200

    @pytest.mark.parametrize(
        "accept", ["application/fhir+json;q=0, */*", "*/*;q=0.5, application/json;q=0.0", "text/html, application/*, text/json;q=0"]
    )
    def test_who_takes_anything_but_json_is_given_xml(self, call: Client, accept: str) -> None:
        """rfc9110#name-accept: what is named goes before a wildcard."""
        assert call("GET", "/Patient", accept=accept).headers["Content-Type"].startswith("application/fhir+xml")
        assert call("GET", "/Patient", accept=f"{accept}, application/xml;q=0").status == 406

    @pytest.mark.parametrize(("wanted", "status"), [("json", 200), ("application/fhir%2Bjson", 200), ("ttl", 406), ("text/turtle", 406)])
    def test_the_format_parameter_overrules_the_header(self, call: Client, wanted: str, status: int) -> None:
        assert call("GET", f"/Patient?_format={wanted}", accept="text/turtle").status == status

    def test_pretty_is_for_people(self, call: Client) -> None:
        assert b'\n  "resourceType"' in call("GET", "/metadata?_pretty=true").body

    @pytest.mark.parametrize(
        "media", ["text/turtle", "text/plain", "application/fhir+xml; charset=latin-1", "application/fhir+json; fhirVersion=3.0", ""]
    )
    def test_a_body_of_another_form_is_not_taken(self, call: Client, media: str) -> None:
        assert call("POST", "/Patient", b"<Patient/>", content_type=media).status == 415

    def test_a_body_that_is_not_json_is_malformed(self, call: Client) -> None:
        answer = call("POST", "/Patient", b'{"resourceType": "Patient"')
        assert (answer.status, answer.issue["code"]) == (400, "structure")

    def test_gzip_comes_and_goes(self, call: Client) -> None:
        body = gzip.compress(b'{"resourceType": "Patient"}')
        assert call("POST", "/Patient", body, content_encoding="gzip").status == 201
        answer = call("GET", "/metadata", accept_encoding="gzip")
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(answer.body).startswith(b'{"resourceType"')


class TestSizes:
    def test_a_body_that_says_it_is_too_large_is_not_read(self, call: Client) -> None:
        assert call("POST", "/Patient", b"{}", content_length="100001").status == 413

    def test_a_body_that_hides_its_size_is_stopped(self, call: Client) -> None:
        assert call("POST", "/Patient", b" " * 100_001, content_length="").status == 413

    def test_a_small_body_cannot_unpack_into_a_huge_one(self, call: Client) -> None:
        assert call("POST", "/Patient", gzip.compress(b" " * 10_000_000), content_encoding="gzip").status == 413

    def test_a_cut_gzip_body_is_refused(self, call: Client) -> None:
        assert call("POST", "/Patient", gzip.compress(b'{"resourceType": "Patient"}')[:-9], content_encoding="gzip").status == 400

    @pytest.mark.parametrize("rest", [gzip.compress(b"more"), b"more"], ids=["member", "text"])
    @pytest.mark.parametrize(("path", "media"), [("/Patient", "application/fhir+json"), ("/Binary", "text/plain")])
    def test_what_stands_behind_a_gzip_body_is_not_left_out_in_silence(self, call: Client, path: str, media: str, rest: bytes) -> None:
        answer = call("POST", path, gzip.compress(b'{"resourceType": "Patient"}') + rest, content_encoding="gzip", content_type=media)
        assert (answer.status, "behind the end" in answer.issue["diagnostics"]) == (400, True)


class TestTheUnexpected:
    def test_it_is_answered_with_an_id_that_is_in_the_log_and_nothing_else(
        self, call: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fall(*args: object, **named: object) -> None:
            raise RuntimeError("Ada Okafor has gout")

        monkeypatch.setattr(Store, "execute", fall)
        with caplog.at_level(logging.ERROR):
            answer = call("GET", "/Patient/1")
        assert answer.status == 500
        assert answer.issue["diagnostics"].rstrip(".").split()[-1] in caplog.text
        assert "Okafor" not in caplog.text + answer.body.decode()


@pytest.mark.parametrize("address", ["/Patient?name=a%00b", "/Patient/x?_summary=%00", "/Patient?%00=1"])
def test_a_parameter_with_the_character_nul_is_refused(call: Client, address: str) -> None:
    answer = call("GET", address)
    assert (answer.status, answer.issue["diagnostics"]) == (400, "A parameter contains the character NUL.")
