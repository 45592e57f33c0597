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
POINTERS = st.one_of(
    st.sampled_from(["", "/name", "/name/0", "/name/-", "/name/0/given/1", "/meta", "/id", "/active", "/extension", "/resourceType", "/~1"]),
    st.text(alphabet="/~01-name", max_size=12),
)
FHIRPATHS = (
    "Patient", "Patient.name", "Patient.name[0]", "Patient.name.given", "Patient.name.given[0]", "Patient.active", "Patient.deceased", "Patient.meta",
    "Patient.id", "Patient.birthDate.extension", "Patient.name.given.id", "Patient.name.family.extension", "Patient.descendants()", "1", "{}", "%resource",
    "Patient.name.where(false)", "Patient.nothing", "today()", "Patient.name.given.first() | Patient.active", "", "(", "Patient.contained[0]",
)  # fmt: skip
PATIENT = {
    "resourceType": "Patient",
    "id": "mine",
    "active": True,
    "name": [
        {
            "family": "A",
            "_family": {"id": "f", "extension": [{"url": "urn:x", "valueString": "y"}]},
            "given": ["B", "C"],
            "_given": [None, {"id": "g"}],
        }
    ],
    "deceasedBoolean": False,
    "_birthDate": {"extension": [{"url": "urn:x", "valueString": "y"}]},
}
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

    @quietly
    @given(
        change=st.lists(
            st.fixed_dictionaries(
                {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": POINTERS},
                optional={"from": POINTERS, "value": JSON},
            ),
            max_size=4,
        )
    )
    def test_no_json_patch_makes_it_fall(self, call: Client, change: Any) -> None:
        assert call("PUT", "/Patient/mine", PATIENT).status in (200, 201)
        answer = call("PATCH", "/Patient/mine", json.dumps(change).encode(), content_type="application/json-patch+json")
        assert answer.status in (200, 400, 422)

    @quietly
    @given(
        type=st.sampled_from(["add", "insert", "delete", "replace", "move", "x"]),
        path=st.sampled_from(FHIRPATHS),
        name=st.sampled_from(["name", "given", "active", "deceased", "extension", "id", "contained", "contact", "nothing"]),
        value=st.dictionaries(
            st.sampled_from(["valueString", "valueBoolean", "_valueString", "valueHumanName", "resource", "part"]), JSON, max_size=2
        ),
        place=st.integers(-1, 3),
    )
    def test_no_fhirpath_patch_makes_it_fall(self, call: Client, type: str, path: str, name: str, value: Any, place: int) -> None:
        assert call("PUT", "/Patient/mine", PATIENT).status in (200, 201)
        said = {"type": {"valueCode": type}, "path": {"valueString": path}, "name": {"valueString": name}, "value": value}
        numbers = {place_name: {"valueInteger": place} for place_name in ("index", "source", "destination")}
        parts = [{**one, "name": key} for key, one in {**said, **numbers}.items()]
        answer = call("PATCH", "/Patient/mine", {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]})
        assert answer.status in (200, 400, 422)

    @quietly
    @given(selector=st.text(alphabet="/@[]='.*f:Patientnmv ()0123", max_size=30), inside=st.text(alphabet="<>/&;'= abx", max_size=12))
    def test_no_xml_patch_makes_it_fall(self, call: Client, selector: str, inside: str) -> None:
        assert call("PUT", "/Patient/mine", PATIENT).status in (200, 201)
        for operation in ("add", "replace", "remove"):
            quoted = selector.replace("'", "&apos;")
            body = f"<diff xmlns='http://hl7.org/fhir'><{operation} sel='{quoted}'>{inside}</{operation}></diff>"
            assert call("PATCH", "/Patient/mine", body.encode(), content_type="application/xml-patch+xml").status in (200, 400, 422)

    @quietly
    @given(inside=st.text(alphabet="<>/&;\"'= \n\x00é", max_size=20), cut=st.integers(0, 200), name=st.text(min_size=1, max_size=5))
    def test_no_xml_makes_it_fall(self, call: Client, inside: str, cut: int, name: str) -> None:
        whole = f'<Patient xmlns="http://hl7.org/fhir"><active value="true"/>{inside}<name><family value="{name}"/></name></Patient>'
        for body in (whole, whole[: cut + 1], whole[cut:] or whole):
            assert call("POST", "/Patient", body.encode("utf-8", "replace"), content_type="application/fhir+xml").status in (201, 400, 422)

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
