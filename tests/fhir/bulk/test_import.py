"""`$import` over HTTP: from where, by whom, and what becomes of every line."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from openward.fhir.bulk import imports
from openward.fhir.outgoing import networks
from openward.fhir.store import Store
from tests.fhir.bulk.conftest import Bulk
from tests.fhir.bulk.test_export import path_of
from tests.fhir.house import House
from tests.fhir.http.client import Answer, Client

LINES = (
    b'{"resourceType":"Patient","id":"ada","gender":"female"}\n'
    b'{"resourceType":"Patient","id":"bad","gender":"no such code"}\n'
    b"not json\n"
    b'{"resourceType":"Patient","id":"ben"}\n'
)


@pytest.fixture
def files() -> Iterator[str]:
    """A host on this machine that serves LINES at every address but /missing and /moved."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response({"/missing": 404, "/moved": 302}.get(self.path, 200))
            self.send_header("Location", "/file")
            self.end_headers()
            self.wfile.write(LINES)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def manifest(*urls: str, type: str = "Patient") -> dict[str, Any]:
    inputs = [{"name": "input", "part": [{"name": "url", "valueUrl": url}, {"name": "type", "valueCode": type}]} for url in urls]
    return {"resourceType": "Parameters", "parameter": [{"name": "inputFormat", "valueCode": "application/fhir+ndjson"}, *inputs]}


def kick_off(call: Client, *urls: str, token: str = "all", type: str = "Patient") -> Answer:
    return call("POST", "/$import", manifest(*urls, type=type), token=token, prefer="respond-async")


def imported(call: Client, bulk: Bulk, *urls: str, token: str = "all") -> dict[str, Any]:
    begun = kick_off(call, *urls, token=token)
    assert begun.status == 202, begun.body
    bulk.work()
    status = call("GET", path_of(begun.headers["Content-Location"]), token=token)
    assert status.status == 200, status.body
    found: dict[str, Any] = status.json
    return found


def outcomes(call: Client, result: dict[str, Any]) -> list[str]:
    taken = [call("GET", path_of(entry["url"]), token="all", accept="application/fhir+ndjson") for entry in result["error"]]
    return [json.loads(line)["issue"][0]["diagnostics"] for answer in taken for line in answer.body.splitlines()]


class TestFromAnAddress:
    def test_every_sound_line_is_taken_in(self, call: Client, bulk: Bulk, store: Store, files: str) -> None:
        result = imported(call, bulk, f"{files}/file")
        assert result["output"] == [{"inputUrl": f"{files}/file", "type": "Patient", "count": 2}]
        assert [store.find("Patient", id) is not None for id in ("ada", "bad", "ben")] == [True, False, True]

    def test_every_refused_line_is_told_with_its_number(self, call: Client, bulk: Bulk, files: str) -> None:
        told = outcomes(call, imported(call, bulk, f"{files}/file"))
        assert sorted(words.partition(":")[0] for words in told) == ["line 2", "line 3"]

    def test_its_place_is_that_in_the_resource(self, call: Client, bulk: Bulk, store: Store) -> None:
        line = base64.b64encode(b'{"resourceType":"Patient","id":"ada","gender":"x"}').decode()
        store.update({"resourceType": "Binary", "id": "b", "contentType": "application/fhir+ndjson", "data": line})
        [told] = outcomes(call, imported(call, bulk, "Binary/b"))
        assert told.startswith("line 1: Patient.gender: is not one of")

    def test_what_cannot_be_fetched_is_told_and_the_rest_goes_in(self, call: Client, bulk: Bulk, files: str) -> None:
        result = imported(call, bulk, f"{files}/missing", f"{files}/moved", f"{files}/file")
        assert [entry["count"] for entry in result["output"]] == [0, 0, 2]
        assert [words for words in outcomes(call, result) if "answered" in words] == [
            "The host answered 404.",
            "The host answered 302.",
        ]

    def test_a_second_time_adds_nothing(self, call: Client, bulk: Bulk, house: House, files: str) -> None:
        imported(call, bulk, f"{files}/file")
        imported(call, bulk, f"{files}/file")
        assert house.count("fhir.body") == 2

    def test_the_file_does_not_stay(self, call: Client, bulk: Bulk, files: str) -> None:
        imported(call, bulk, f"{files}/file")
        assert [path.name for path in (bulk.folder / "imports").rglob("*.ndjson")] == ["1.OperationOutcome.ndjson"]


class TestFromABinary:
    def test_its_data_is_taken_in(self, call: Client, bulk: Bulk, store: Store) -> None:
        data = base64.b64encode(LINES).decode()
        store.update({"resourceType": "Binary", "id": "b", "contentType": "application/fhir+ndjson", "data": data})
        assert imported(call, bulk, "Binary/b")["output"][0]["count"] == 2

    def test_that_is_not_there_is_told(self, call: Client, bulk: Bulk) -> None:
        assert outcomes(call, imported(call, bulk, "Binary/ghost")) == ["Binary/ghost does not exist."]


class TestTheDoor:
    @pytest.mark.parametrize("url", ["https://files.example/x", "https://127.0.0.1.files.example/x", "https://127.0.0.1@files.example/x"])
    def test_a_host_that_is_not_on_the_list_is_refused(self, call: Client, bulk: Bulk, url: str) -> None:
        assert kick_off(call, url).status in (400, 403)
        assert bulk.queue == []

    @pytest.mark.parametrize("url", ["file:///etc/passwd", "http://169.254.169.254/", "https://10.0.0.1/", "Binary/../x", "", "x"])
    def test_what_is_no_public_address_is_refused(self, call: Client, bulk: Bulk, url: str) -> None:
        bulk.import_hosts = ["169.254.169.254", "10.0.0.1", ""]
        assert kick_off(call, url).status == 400

    def test_a_private_host_on_the_list_is_still_private(self, call: Client, bulk: Bulk, files: str) -> None:
        bulk.allowed = []
        assert kick_off(call, f"{files}/file").status == 400

    def test_a_network_taken_back_meanwhile_is_not_called(self, call: Client, bulk: Bulk, files: str) -> None:
        begun = kick_off(call, f"{files}/file")
        bulk.allowed = networks(["10.0.0.0/8"])
        bulk.work()
        result = call("GET", path_of(begun.headers["Content-Location"]), token="all").json
        assert result["output"][0]["count"] == 0

    def test_a_client_takes_in_only_what_it_may_write(self, call: Client, bulk: Bulk, store: Store) -> None:
        lines = b'{"resourceType":"Patient","id":"ada"}\n{"resourceType":"Practitioner","id":"doc"}\n'
        store.update({"resourceType": "Binary", "id": "b", "contentType": "application/fhir+ndjson", "data": base64.b64encode(lines).decode()})
        result = imported(call, bulk, "Binary/b", token="patient-writer")
        assert (result["output"][0]["count"], result["error"][0]["count"]) == (1, 1)
        assert store.find("Practitioner", "doc") is None

    def test_a_type_that_is_not_the_clients_is_refused_at_once(self, call: Client, bulk: Bulk, files: str) -> None:
        assert kick_off(call, f"{files}/file", token="patient-writer", type="Practitioner").status == 403

    def test_who_may_write_nothing_is_refused(self, call: Client, bulk: Bulk, files: str) -> None:
        assert kick_off(call, f"{files}/file", token="none").status == 403

    def test_an_import_is_nobody_elses(self, call: Client, bulk: Bulk, files: str) -> None:
        where = path_of(kick_off(call, f"{files}/file").headers["Content-Location"])
        assert [call(method, where, token="other").status for method in ("GET", "DELETE")] == [404, 404]

    def test_without_respond_async_is_refused(self, call: Client, bulk: Bulk, files: str) -> None:
        assert call("POST", "/$import", manifest(f"{files}/file"), token="all").status == 400


class TestTheEnd:
    def test_one_that_is_stopped_before_its_job_takes_nothing_in(self, call: Client, bulk: Bulk, house: House, files: str) -> None:
        where = path_of(kick_off(call, f"{files}/file").headers["Content-Location"])
        assert call("DELETE", where, token="all").status == 202
        bulk.work()
        assert house.count("fhir.body") == 0

    def test_an_expired_one_is_cleared_away(self, call: Client, bulk: Bulk, house: House, files: str) -> None:
        imported(call, bulk, f"{files}/file")
        house.connections[0].execute("update fhir.bulk_import set expires = clock_timestamp()")
        assert imports.clear_away(house.connections[0], bulk.folder) == 1
        assert list((bulk.folder / "imports").iterdir()) == []

    def test_one_whose_job_died_goes_on_with_the_next_input(self, call: Client, bulk: Bulk, house: House, store: Store, files: str) -> None:
        begun = kick_off(call, "Binary/ghost", f"{files}/file")
        done = json.dumps([{"taken": 7, "refused": 0, "url": "Binary/ghost", "type": "Patient"}])
        house.connections[0].execute("update fhir.bulk_import set state = 'running', results = %s::jsonb", (done,))
        bulk.work()
        result = call("GET", path_of(begun.headers["Content-Location"]), token="all").json
        assert [entry["count"] for entry in result["output"]] == [7, 2]
