"""Garbage at the door: each a bounded, clear refusal, in JSON and in XML, and the server goes on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from openward.fhir.http import fhir_app
from openward.fhir.store import Store
from tests.fhir.house import House, Visitor
from tests.fhir.http.client import Client

XML = "application/fhir+xml"
START = b'{"resourceType":"Patient",'


@pytest.fixture
def call(house: House) -> Client:
    """The surface with the limits it has when it runs."""
    connection = house.connect()

    @contextmanager
    def open_store(actor: Visitor) -> Iterator[Store]:
        yield house.store(actor, connection=connection)

    def authenticate(environ: Mapping[str, Any]) -> Visitor:
        return Visitor()

    return Client(fhir_app(authenticate, open_store))


def nested(levels: int) -> bytes:
    return START + b'"extension":' + b'[{"url":"x","extension":' * levels + b"[]" + b"}]" * levels + b"}"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (nested(500), 400, "64 levels"),
        (nested(100_000), 400, "64 levels"),
        (START + b'"id":"a","id":"b"}', 400, "stands twice"),
        (START + b'"name":[{"family":"a","f\\u0061mily":"b"}]}', 400, "stands twice"),
        (START + b'"language":"\\u0000"}', 400, "NUL"),
        (START + b'"language":"\x00"}', 400, "well-formed"),
        (START + b'"language":"\\ud800"}', 400, "well-formed"),
        (START + b'"language":"\xed\xa0\x80"}', 400, "UTF-8"),
        (START + b'"language":"\xff"}', 400, "UTF-8"),
        (b"\xef\xbb\xbf" + START + b'"active":true}', 400, "byte order mark"),
        (START + b'"multipleBirthInteger":NaN}', 400, "well-formed"),
        (START + b'"multipleBirthInteger":Infinity}', 400, "well-formed"),
        (START + b'"multipleBirthInteger":1e999}', 400, "range"),
        (START + b'"multipleBirthInteger":1' + b"0" * 5000 + b"}", 400, ""),
        (START + b'"multipleBirthInteger":0.' + b"1" * 5000 + b"}", 400, "characters"),
        (START + b'"name":null}', 422, "array"),
        (b"[" * 100_000, 400, ""),
        (b"nothing at all", 400, "well-formed"),
        (b"", 415, ""),
    ],
)  # fmt: skip
def test_broken_json_is_refused(call: Client, body: bytes, status: int, said: str) -> None:
    answer = call("POST", "/Patient", body)
    assert (answer.status, said in answer.issue["diagnostics"]) == (status, True), answer.issue


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Patient xmlns="http://hl7.org/fhir"><id value="&b;"/></Patient>',
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><Patient xmlns="http://hl7.org/fhir"/>',
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir"><id value="&a;"/></Patient>',
        b'<Patient xmlns="http://hl7.org/fhir">' + b'<extension url="x">' * 500,
        b'<Patient xmlns="http://hl7.org/fhir">' + b'<text><div xmlns="http://www.w3.org/1999/xhtml">' + b"<b>" * 100_000,
        b'<Patient xmlns="http://hl7.org/fhir"><id value="\x00"/></Patient>',
        b'<Patient xmlns="http://hl7.org/fhir"><id value="&#0;"/></Patient>',
        b'<Patient xmlns="http://hl7.org/fhir"><id value="&#xD800;"/></Patient>',
        b'<Patient xmlns="http://hl7.org/fhir"><id value="\xff"/></Patient>',
        b'<Patient xmlns="http://hl7.org/fhir" xmlns="http://hl7.org/fhir"/>',
        b'<Patient xmlns="http://hl7.org/fhir"><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/></Patient>',
        b"<", b"not xml",
    ],
)  # fmt: skip
def test_broken_xml_is_refused(call: Client, body: bytes) -> None:
    answer = call("POST", "/Patient", body, content_type=XML, accept="application/fhir+json")
    assert (answer.status, answer.issue["code"]) == (400, "structure")
    assert "root:" not in answer.body.decode()


@pytest.mark.parametrize("meta", [[1], "x", 5, {"tag": 5}, {"tag": {}}, {"security": 5}])
def test_a_meta_of_another_shape_is_refused_where_something_stands(call: Client, meta: Any) -> None:
    call("PUT", "/Patient/p", {"resourceType": "Patient", "id": "p"})
    assert call("PUT", "/Patient/p", {"resourceType": "Patient", "id": "p", "meta": meta}).status == 422


@pytest.mark.parametrize("kind", ["batch", "transaction"])
@pytest.mark.parametrize(
    "entry",
    [{"request": {"method": ["GET"], "url": "Patient"}}, {"request": {"method": {}, "url": "Patient"}},
     {"request": {"method": "PATCH", "url": "Patient/p"},
      "resource": {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": "\u00e9"}}],
)  # fmt: skip
def test_an_entry_of_another_shape_is_refused(call: Client, kind: str, entry: dict[str, Any]) -> None:
    call("PUT", "/Patient/p", {"resourceType": "Patient", "id": "p"})
    answer = call("POST", "", {"resourceType": "Bundle", "type": kind, "entry": [entry]})
    assert (str(answer.status) if kind == "transaction" else answer.json["entry"][0]["response"]["status"][:3]) == "400"


class TestTooMuch:
    def test_fifty_megabytes_of_text_are_refused(self, call: Client) -> None:
        body = START + b'"language":"' + b"x" * 50_000_000 + b'"}'
        assert call("POST", "/Patient", body).status == 422

    @pytest.mark.parametrize("value", [b"{}", b"[]", b"0"])
    def test_fifty_megabytes_of_values_are_refused_before_they_are_read(self, call: Client, value: bytes) -> None:
        body = START + b'"name":[' + b",".join([value] * 16_000_000) + b"]}"
        answer = call("POST", "/Patient", body)
        assert (answer.status, answer.issue["code"]) == (413, "too-costly")

    def test_so_are_elements_of_xml(self, call: Client) -> None:
        body = b'<Patient xmlns="http://hl7.org/fhir">' + b"<name/>" * 7_000_000 + b"</Patient>"
        assert call("POST", "/Patient", body, content_type=XML, accept="application/fhir+json").status == 413

    def test_more_than_the_limit_is_refused(self, call: Client) -> None:
        assert call("POST", "/Patient", b" " * (64 * 2**20 + 1)).status == 413

    def test_a_gzip_bomb_is_refused(self, call: Client) -> None:
        bomb = gzip.compress(bytes(200_000_000), 9)
        for path, media in (("/Patient", "application/fhir+json"), ("/Binary", "text/plain")):
            assert call("POST", path, bomb, content_type=media, content_encoding="gzip").status == 413
        assert call("POST", "/Patient", gzip.compress(bomb), content_encoding="gzip").status == 400

    @pytest.mark.parametrize("kind", ["batch", "transaction"])
    def test_a_bundle_of_a_hundred_thousand_entries_is_refused(self, call: Client, kind: str) -> None:
        entry = {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}}
        answer = call("POST", "", {"resourceType": "Bundle", "type": kind, "entry": [entry] * 100_000})
        assert (answer.status, answer.issue["code"]) == (413, "too-costly")

    def test_a_million_faults_are_answered_with_some_of_them(self, call: Client) -> None:
        unknown = b",".join(b'"key%d":1' % number for number in range(200_000))
        empty = b'"name":[' + b",".join([b"{}"] * 200_000) + b"]"
        lonely = b'"contained":[' + b",".join([b'{"resourceType":"Basic","id":"a"}'] * 20_000) + b"]"
        for inside in (unknown, empty, lonely):
            answer = call("POST", "/Patient", START + inside + b"}")
            assert (answer.status, len(answer.json["issue"]) < 2000) == (422, True)

    def test_a_query_of_ten_thousand_parameters_is_refused(self, call: Client) -> None:
        assert call("GET", "/Patient?" + "&".join(["name=x"] * 10_000)).status == 400

    def test_patterns_that_backtrack_take_no_time(self, call: Client) -> None:
        """Shapes on which a careless pattern takes longer than the universe has been there."""
        shapes = ["a " * 20_000 + "\t", "urn:oid:1" + ".0" * 20_000 + "x", "9" * 20_000 + "-", "x" * 20_000 + "!", "-" * 20_000, "a" * 20_000 + ":"]
        for shape in shapes:
            body = {
                "resourceType": "Patient",
                "id": shape,
                "language": shape,
                "implicitRules": shape,
                "birthDate": shape,
                "meta": {"profile": [shape]},
            }
            assert call("POST", "/Patient", json.dumps({**body, "identifier": [{"system": shape}], "deceasedDateTime": shape}).encode()).status == 422
            assert call("GET", "/Patient?" + f"birthdate={shape[:4000]}").status == 400


def test_the_server_goes_on(call: Client) -> None:
    call("POST", "/Patient", nested(500))
    assert call("POST", "/Patient", {"resourceType": "Patient", "active": True}).status == 201
