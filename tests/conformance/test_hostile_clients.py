"""Clients that are wrong, careless or hostile, over HTTP: every answer is FHIR's, none is a 500, and nothing is half-written."""

from __future__ import annotations

import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openward.fhir.definitions import RESOURCE_TYPES
from tests.conformance.conftest import Surface
from tests.installation import Answer

often = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=40),
    st.sampled_from(
        ["2026-02-30", "0000-00-00", "2026-13-01T25:61:00Z", "' or 1=1 --", "<script>alert(1)</script>", "%s%n", "../../etc/passwd", "\u202e", "💊"]
    ),
)
JSON = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)), max_leaves=20
)
PATIENT_PARTS = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON,
        "meta": JSON,
        "name": JSON,
        "birthDate": JSON,
        "gender": JSON,
        "identifier": JSON,
        "telecom": JSON,
        "contact": JSON,
        "link": JSON,
        "managingOrganization": JSON,
        "extension": JSON,
        "contained": JSON,
        "text": JSON,
        "deceasedBoolean": JSON,
        "deceasedDateTime": JSON,
        "multipleBirthInteger": JSON,
        "_birthDate": JSON,
    },
)
QUERY = st.lists(
    st.tuples(
        st.sampled_from(
            ["name", "birthdate", "identifier", "_id", "_sort", "_count", "_lastUpdated", "_include", "_revinclude", "_has:Observation:patient:code"]
            + [
                "_elements",
                "_summary",
                "_total",
                "_cursor",
                "gender:missing",
                "name:exact",
                "organization.name",
                "general-practitioner:Practitioner.name",
            ]
            + ["nosuch", "name:nosuch", "_format", "_tag", "phone", "death-date"]
        ),
        st.one_of(
            st.text(max_size=30), st.sampled_from(["ge2026-02-30", "eq", "|", ",", "\\,", "a|b|c", "-_lastUpdated", "9" * 40, "*", "Patient:*"])
        ),
    ),
    max_size=4,
)


def is_fhir(answer: Answer, *allowed: int) -> None:
    """A success, or a refusal that says why as FHIR says it."""
    assert answer.status in allowed, (answer.status, answer.text[:500])
    if answer.status >= 400:
        outcome = json.loads(answer.body)
        assert outcome["resourceType"] == "OperationOutcome"
        assert outcome["issue"][0]["diagnostics"]
        assert not re.search(r"Traceback|psycopg|/src/openward|SELECT |select \* ", answer.text), answer.text


class TestABodyThatMakesNoSense:
    @often
    @given(parts=PATIENT_PARTS)
    def test_of_a_patient_is_stored_or_refused_with_reasons(self, surface: Surface, parts: dict[str, Any]) -> None:
        answer = surface("POST", "/Patient", {"resourceType": "Patient", **parts})
        is_fhir(answer, 201, 400, 422)
        if answer.status == 201:
            id = json.loads(answer.body)["id"]
            assert surface.json("GET", f"/Patient/{id}")["id"] == id

    @often
    @given(body=JSON)
    def test_of_any_shape_is_refused(self, surface: Surface, body: Any) -> None:
        is_fhir(surface("POST", "/Observation", body), 400, 422)

    @often
    @given(body=st.binary(max_size=200))
    def test_of_any_bytes_is_refused(self, surface: Surface, body: bytes) -> None:
        is_fhir(surface("POST", "/Patient", body), 400, 422)

    @pytest.mark.parametrize(
        "body",
        [
            b'{"resourceType":"Patient","birthDate":"2026-02-30"}',
            b'{"resourceType":"Patient","gender":7}',
            b'{"resourceType":"Patient","shoeSize":44}',
            b'{"resourceType":"Patient","name":{"family":"not a list"}}',
            b'{"resourceType":"Patient","name":[]}',
            b'{"resourceType":"Patient","active":"true"}',
            b'{"resourceType":"Patient","managingOrganization":{"reference":"Patient/1"}}',
            b'{"resourceType":"Patient","managingOrganization":{"reference":"Organization/never-was"}}',
            b'{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\"><script>x</script></div>"}}',
            b'{"resourceType":"Observation"}',
        ],
        ids=["date", "type", "unknown", "list", "empty", "boolean", "target", "dangling", "script", "other"],
    )
    def test_that_breaks_a_rule_is_refused_as_unprocessable(self, surface: Surface, body: bytes) -> None:
        is_fhir(surface("POST", "/Patient", body), 400 if b"Observation" in body else 422)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"null",
            b"[]",
            b'{"a":1,"a":2}',
            b'{"resourceType":"Patient","id":"\\u0000"}',
            b"\xff\xfe\x00",
            b'{"x":NaN}',
            b'{"x":1e9999}',
            b"\xef\xbb\xbf{}",
        ]
        + [b'{"extension":' * 5000, b"[" * 100_000, b'{"resourceType":"Patient","name":[{"family":"\\ud800"}]}'],
        ids=["nothing", "cut", "null", "list", "twice", "nul", "utf16", "nan", "huge", "mark", "deep-objects", "deep-lists", "surrogate"],
    )
    def test_that_is_not_json_is_a_bad_request(self, surface: Surface, body: bytes) -> None:
        is_fhir(surface("POST", "/Patient", body), 400)


class TestSize:
    def test_a_body_that_is_too_large_is_refused_by_its_length_alone(self, surface: Surface) -> None:
        head = f"POST /fhir/Patient HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {surface.token}\r\nContent-Type: application/fhir+json\r\n"
        with socket.create_connection(("127.0.0.1", surface.server.port), timeout=30) as wire:
            wire.sendall(f"{head}Content-Length: 99999999999\r\n\r\n{{".encode())
            assert wire.recv(4096).split(b"\r\n")[0].split()[1] == b"413"

    @pytest.mark.parametrize("token", ["", "no-such-token"])
    def test_a_large_body_from_nobody_is_answered_not_cut_off(self, surface: Surface, token: str) -> None:
        body = json.dumps({"resourceType": "Patient", "name": [{"text": "a" * 2_000_000}]}).encode()
        is_fhir(Surface(surface.server, token)("POST", "/Patient", body), 401)

    def test_a_thousand_names_are_a_patient_still(self, surface: Surface) -> None:
        names = [{"family": f"Name{n}"} for n in range(1000)]
        assert len(surface.created({"resourceType": "Patient", "name": names})["name"]) == 1000

    def test_a_very_long_text_goes_in_and_comes_out(self, surface: Surface) -> None:
        text = "a" * 200_000
        made = surface.created({"resourceType": "Patient", "name": [{"text": text}]})
        assert surface.json("GET", f"/Patient/{made['id']}")["name"][0]["text"] == text

    def test_a_search_of_a_very_long_value_is_answered(self, surface: Surface) -> None:
        is_fhir(
            surface("POST", "/Patient/_search", f"name={'a' * 100_000}".encode(), content_type="application/x-www-form-urlencoded"), 200, 400, 413
        )

    def test_a_search_of_very_many_alternatives_is_answered(self, surface: Surface) -> None:
        body = f"identifier={','.join(f'urn:x|{n}' for n in range(2000))}".encode()
        is_fhir(surface("POST", "/Patient/_search", body, content_type="application/x-www-form-urlencoded"), 200, 400, 413)

    def test_a_page_of_a_million_is_made_smaller(self, surface: Surface) -> None:
        is_fhir(surface("GET", "/Patient?_count=1000000"), 200)


class TestAnAddressThatMakesNoSense:
    @often
    @given(query=QUERY)
    def test_no_search_makes_it_fall(self, surface: Surface, query: list[tuple[str, str]]) -> None:
        from urllib.parse import urlencode

        is_fhir(surface("GET", f"/Patient?{urlencode(query)}"), 200, 400, 406, 413)

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/Patients", 404),
            ("GET", "/Patient/never-was", 404),
            ("GET", "/Patient/never-was/_history/1", 404),
            ("GET", "/Patient/a_b", 404),
            ("GET", "/Patient/" + "a" * 65, 404),
            ("DELETE", "/Patient/a_b", 404),
            ("DELETE", "/Patient", 400),
            ("PUT", "/Patient", 400),
            ("POST", "/Patient/never-was", 405),
            ("GET", "/Patient/$nosuch", 404),
            ("GET", "/Patient?_cursor=forged", 400),
        ],
    )
    def test_is_refused_as_fhir_says(self, surface: Surface, method: str, path: str, status: int) -> None:
        body = {"resourceType": "Patient"} if method in ("POST", "PUT") else None
        is_fhir(surface(method, path.replace(" ", "%20"), body), status)

    @pytest.mark.parametrize("query", ["_sort=name;drop%20table%20fhir.body", "nosuch=1", "name:nosuch=a"])
    def test_a_strict_search_refuses_what_it_does_not_know(self, surface: Surface, query: str) -> None:
        is_fhir(surface("GET", f"/Patient?{query}", prefer="handling=strict"), 400)

    @pytest.mark.parametrize("type", RESOURCE_TYPES)
    def test_every_type_can_be_searched_and_says_so_when_empty(self, surface: Surface, type: str) -> None:
        found = surface.json("GET", f"/{type}?_id=never-was")
        assert found["type"] == "searchset"
        assert "entry" not in found


@pytest.fixture(scope="module")
def reader(surface: Surface) -> Surface:
    """A client that may read and search patients, and nothing else."""
    return Surface(surface.server, surface.server.installation.token("system/Patient.rs", client="reader"))


@pytest.fixture(scope="module")
def secret(surface: Surface) -> dict[str, Any]:
    """An observation the reader may not see."""
    patient = surface.created({"resourceType": "Patient", "name": [{"family": "Private"}]})
    code = {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}
    return surface.created({"resourceType": "Observation", "status": "final", "code": code, "subject": {"reference": f"Patient/{patient['id']}"}})


class TestSomeoneElse:
    """A token for one thing does nothing else."""

    def test_may_not_see_another_type_by_its_id(self, reader: Surface, secret: dict[str, Any]) -> None:
        is_fhir(reader("GET", f"/Observation/{secret['id']}"), 404)

    def test_may_not_see_it_through_an_include(self, reader: Surface, secret: dict[str, Any]) -> None:
        answer = reader("GET", "/Patient?family=Private&_revinclude=Observation:subject")
        assert secret["id"] not in answer.text

    def test_may_not_learn_of_it_through_a_condition(self, reader: Surface, secret: dict[str, Any]) -> None:
        assert "entry" not in reader.json("GET", "/Patient?family=Private&_has:Observation:subject:code=29463-7")

    def test_may_not_see_it_in_the_history_of_everything(self, reader: Surface, secret: dict[str, Any]) -> None:
        assert secret["id"] not in reader("GET", "/_history").text

    def test_may_not_write_what_it_may_read(self, reader: Surface, secret: dict[str, Any]) -> None:
        patient = secret["subject"]["reference"]
        is_fhir(reader("POST", "/Patient", {"resourceType": "Patient"}), 403)
        is_fhir(reader("PUT", f"/{patient}", {"resourceType": "Patient", "id": patient.split("/")[1]}), 404)
        is_fhir(reader("DELETE", f"/{patient}"), 404)

    def test_may_not_do_it_inside_a_bundle_either(self, reader: Surface, secret: dict[str, Any]) -> None:
        entries = [{"request": {"method": "GET", "url": f"Observation/{secret['id']}"}}]
        answer = reader("POST", "", {"resourceType": "Bundle", "type": "batch", "entry": entries})
        assert json.loads(answer.body)["entry"][0]["response"]["status"].startswith("404")

    def test_gives_itself_no_rights_by_saying_so_in_the_body(self, surface: Surface) -> None:
        meta = {"versionId": "99", "lastUpdated": "1999-01-01T00:00:00Z"}
        made = surface.created({"resourceType": "Patient", "meta": meta, "id": "of-my-choosing"})
        assert made["id"] != "of-my-choosing"
        assert made["meta"]["versionId"] == "1"
        assert not made["meta"]["lastUpdated"].startswith("1999")


class TestTwiceAndAtOnce:
    def together(self, surface: Surface, calls: int, *request: Any, **headers: str) -> list[int]:
        with ThreadPoolExecutor(calls) as pool:
            asked = [pool.submit(surface, *request, **headers) for _ in range(calls)]
            return sorted(one.result().status for one in asked)

    def test_a_conditional_create_sent_eight_times_at_once_makes_one(self, surface: Surface) -> None:
        value = uuid4().hex
        body = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": value}]}
        statuses = self.together(surface, 8, "POST", "/Patient", body, if_none_exist=f"identifier=urn:x|{value}")
        assert statuses == [200] * 7 + [201]
        assert surface.json("GET", f"/Patient?identifier=urn:x|{value}&_summary=count")["total"] == 1

    def test_of_eight_who_change_the_same_version_exactly_one_wins(self, surface: Surface) -> None:
        made = surface.created({"resourceType": "Patient"})
        bodies = [{"resourceType": "Patient", "id": made["id"], "name": [{"family": f"Writer{n}"}]} for n in range(8)]
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(surface, "PUT", f"/Patient/{made['id']}", body, if_match='W/"1"') for body in bodies]
            statuses = sorted(one.result().status for one in asked)
        assert statuses == [200] + [412] * 7
        assert surface.json("GET", f"/Patient/{made['id']}")["meta"]["versionId"] == "2"

    def test_eight_put_under_one_new_id_make_one_resource_and_lose_no_version(self, surface: Surface) -> None:
        id = str(uuid4())
        bodies = [{"resourceType": "Patient", "id": id, "name": [{"family": f"Writer{n}"}]} for n in range(8)]
        with ThreadPoolExecutor(8) as pool:
            answers = [one.result() for one in [pool.submit(surface, "PUT", f"/Patient/{id}", body) for body in bodies]]
        for answer in answers:
            is_fhir(answer, 200, 201, 409)
        stored = [answer for answer in answers if answer.status < 300]
        assert surface.json("GET", f"/Patient/{id}")["meta"]["versionId"] == str(len(stored))

    def test_a_client_that_hangs_up_in_the_middle_leaves_nothing(self, surface: Surface) -> None:
        before = surface.count("Patient")
        head = f"POST /fhir/Patient HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {surface.token}\r\nContent-Type: application/fhir+json\r\n"
        with socket.create_connection(("127.0.0.1", surface.server.port), timeout=10) as wire:
            wire.sendall(f'{head}Content-Length: 500\r\n\r\n{{"resourceType":"Patient",'.encode())
        assert surface.count("Patient") == before


class TestABundle:
    ENTRIES = st.lists(
        st.fixed_dictionaries(
            {
                "request": st.fixed_dictionaries(
                    {
                        "method": st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"]),
                        "url": st.sampled_from(
                            ["Patient", "Patient/x1", "Patient/x2", "Patient?identifier=urn:x|1", "Observation", "Nosuch", "", "../x"]
                        ),
                    }
                )
            },
            optional={
                "resource": st.one_of(JSON, PATIENT_PARTS.map(lambda parts: {"resourceType": "Patient", **parts})),
                "fullUrl": st.text(max_size=10),
            },
        ),
        max_size=4,
    )

    @often
    @given(entries=ENTRIES, kind=st.sampled_from(["transaction", "batch"]))
    def test_of_anything_is_carried_out_or_refused(self, surface: Surface, entries: list[dict[str, Any]], kind: str) -> None:
        before = surface.count("Patient") if kind == "transaction" else 0
        answer = surface("POST", "", {"resourceType": "Bundle", "type": kind, "entry": entries})
        is_fhir(answer, 200, 400, 404, 409, 410, 412, 422)
        if kind == "transaction" and answer.status != 200:
            assert surface.count("Patient") == before
        if answer.status == 200:
            assert not [one for one in json.loads(answer.body).get("entry", []) if one["response"]["status"].startswith("5")]
