"""Whatever is sent, the answer is one of FHIR's and never a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fhir.http.client import Client

NAMES = st.sampled_from(
    ["resourceType", "id", "meta", "name", "subject", "reference", "entry", "request", "resource", "type", "url", "method", "identifier"]
)
TEXT = st.one_of(
    st.text(max_size=12), st.sampled_from(["Patient", "Bundle", "Observation", "transaction", "batch", "Patient/1", "urn:uuid:1", "POST", "GET"])
)
URLS = st.sampled_from(
    ["Patient", "Patient/1", "Patient?identifier=1", "Patient?", "/Patient?name=a,b&_count=x", "Observation/1/_history/1", "?", "//"]
)
METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"])
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(NAMES, TEXT), inner, max_size=5)),
    max_leaves=12,
)
PATHS = st.lists(
    st.one_of(st.sampled_from(["Patient", "Observation", "_history", "_search", "metadata", "1", "mine", "$x"]), st.text(max_size=6)), max_size=5
)
QUERIES = st.dictionaries(
    st.sampled_from(
        ["name", "birthdate", "_count", "_sort", "_cursor", "_since", "_id", "identifier", "_include", "_has:Observation:subject:code", "_format"]
    ),
    TEXT,
    max_size=3,
)
quietly = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class TestAnything:
    @quietly
    @given(method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "BREW"]), path=PATHS, query=QUERIES, body=JSON)
    def test_no_address_and_no_body_makes_it_fall(self, call: Client, method: str, path: list[str], query: dict[str, str], body: Any) -> None:
        address = "/" + "/".join(part.replace("?", "").encode().decode("latin-1") for part in path)
        wanted = "&".join(f"{name}={value}" for name, value in query.items() if "&" not in value)
        answer = call(method, f"{address}?{wanted}" if wanted else address, body)
        assert answer.status < 500
        assert answer.status in (200, 201, 204, 304) or method == "HEAD" or answer.json["resourceType"] == "OperationOutcome"

    @quietly
    @given(
        entry=st.lists(
            st.fixed_dictionaries(
                {
                    "resource": st.one_of(JSON, st.fixed_dictionaries({"resourceType": st.just("Patient")}, optional={"id": TEXT, "name": JSON})),
                    "request": st.fixed_dictionaries({"method": METHODS, "url": st.one_of(URLS, TEXT)}),
                }
            ),
            max_size=3,
        )
    )
    def test_no_entry_makes_a_bundle_fall(self, call: Client, entry: list[Any]) -> None:
        for kind in ("batch", "transaction"):
            answer = call("POST", "", {"resourceType": "Bundle", "type": kind, "entry": entry})
            assert answer.status < 500
            assert not any(each["response"]["status"].startswith("5") for each in answer.json.get("entry", ()))

    @pytest.mark.parametrize("name", ["If-Match", "If-None-Match", "If-Modified-Since", "Prefer", "Accept", "If-None-Exist", "Content-Encoding"])
    @pytest.mark.parametrize("value", ["", '"', "W/", "9" * 30, "a=b=c;;", "Sat, 99 Foo 2026", "identifier", "?", "\x7f"])
    def test_no_header_makes_it_fall(self, call: Client, name: str, value: str) -> None:
        header = {name.replace("-", "_"): value}
        patient = {"resourceType": "Patient", "id": "mine"}
        for method, path in (("PUT", "/Patient/mine"), ("POST", "/Patient"), ("GET", "/Patient/mine"), ("DELETE", "/Patient/mine")):
            assert call(method, path, patient, **header).status < 500

    @pytest.mark.parametrize(
        "body", [b"\xff\xfe", b"[]", b'{"a":1,"a":2}', b"{" * 500, json.dumps({"resourceType": ["Patient"]}).encode(), b'{"a":1e999}']
    )
    def test_no_bytes_make_it_fall(self, call: Client, body: bytes) -> None:
        assert call("POST", "/Patient", body).status == 400
