"""A bulk client against a running installation: kick-off, polling, files, deletion, and who may not."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.installation import Answer, Server


@dataclass
class BulkClient:
    """Does what the specification says a client does, and no more."""

    server: Server
    token: str

    def ask(self, method: str, url: str, body: dict[str, object] | None = None, **headers: str) -> Answer:
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/fhir+json", **headers}
        return self.server.ask(method, path, json.dumps(body).encode() if body else None, sent)

    def kick_off(self, path: str) -> str:
        begun = self.ask("GET", f"/fhir{path}", Accept="application/fhir+json", Prefer="respond-async")
        assert begun.status == 202, begun.body
        return begun.headers["content-location"]

    def wait(self, where: str) -> dict[str, object]:
        while (status := self.ask("GET", where, Accept="application/json")).status in (202, 429):
            time.sleep(float(status.headers["retry-after"]))
        assert status.status == 200, status.body
        manifest: dict[str, object] = json.loads(status.body)
        return manifest


@pytest.fixture(scope="module")
def all_seeing(served: Server) -> BulkClient:
    client = BulkClient(served, served.installation.token(client="bulk"))
    for family in ("First", "Second"):
        assert client.ask("POST", "/fhir/Patient", {"resourceType": "Patient", "name": [{"family": family}]}).status == 201
    return client


def test_a_client_takes_out_the_record_and_clears_up(all_seeing: BulkClient) -> None:
    where = all_seeing.kick_off("/Patient/$export?_type=Patient")
    manifest = all_seeing.wait(where)
    (file,) = manifest["output"]  # type: ignore[misc]
    taken = all_seeing.ask("GET", file["url"], Accept="application/fhir+ndjson")
    families = {name["family"] for line in taken.body.splitlines() for name in json.loads(line).get("name", ())[:1] if "family" in name}
    assert {"First", "Second"} <= families
    assert len(taken.body.splitlines()) == file["count"]
    assert all_seeing.ask("DELETE", where).status == 202
    assert all_seeing.ask("GET", where).status == 404
    assert all_seeing.ask("GET", file["url"], Accept="application/fhir+ndjson").status == 404


def test_a_token_for_one_type_takes_out_that_type_alone(served: Server, all_seeing: BulkClient) -> None:
    narrow = BulkClient(served, served.installation.token(scope="system/Patient.rs", client="narrow"))
    manifest = narrow.wait(narrow.kick_off("/$export"))
    assert {file["type"] for file in manifest["output"]} == {"Patient"}  # type: ignore[attr-defined]
    assert narrow.ask("GET", "/fhir/$export?_type=Observation", Prefer="respond-async").status == 403


def test_a_token_that_may_not_search_takes_out_nothing(served: Server) -> None:
    writer = BulkClient(served, served.installation.token(scope="system/*.cr", client="writer"))
    assert writer.ask("GET", "/fhir/$export", Prefer="respond-async").status == 403


def test_the_files_lie_where_no_other_user_of_the_machine_reads(served: Server, all_seeing: BulkClient) -> None:
    all_seeing.wait(all_seeing.kick_off("/Patient/$export?_type=Patient"))
    found = list((served.installation.data / "exports").rglob("*"))
    assert found
    assert [path for path in found if path.stat().st_mode & 0o077] == []
