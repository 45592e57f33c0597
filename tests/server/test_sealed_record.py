"""An installation as it is used: what came in by the command line, by clients and in bundles stands nowhere in clear, and everyone reads it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from openward.cluster import EmbeddedCluster
from tests.installation import Answer, Installation, Server, prepared, scratch_folder
from tests.server.test_bulk import BulkClient

SSN = "http://hl7.org/fhir/sid/us-ssn"
TYPED = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "SS"}]}
LABEL = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
NUMBERS = ("999-41-0001", "999-41-0002", "999-41-0003")
SCAN = b"%PDF-1.7 what the scan says of them " * 30
CLEAR = (
    *NUMBERS,
    *(number.replace("-", "") for number in NUMBERS),
    base64.b64encode(SCAN).decode()[:200],
    "what the scan says",
    "in strict confidence",
)


def bundle(number: str, name: str) -> dict[str, Any]:
    """A transaction: a patient with a social security number, a scan, and a note under a label."""
    patient, document, note = (f"urn:uuid:0199c1f0-0000-7000-8000-{name}{place}" for place in ("01", "02", "03"))
    subject = {"reference": patient}
    resources = {
        patient: {"resourceType": "Patient", "identifier": [{"type": TYPED, "system": SSN, "value": number}], "name": [{"family": "Marlow"}]},
        document: {
            "resourceType": "DocumentReference",
            "status": "current",
            "subject": subject,
            "content": [{"attachment": {"contentType": "application/pdf", "data": base64.b64encode(SCAN).decode()}}],
        },
        note: {
            "resourceType": "ClinicalImpression",
            "meta": {"security": [LABEL]},
            "status": "completed",
            "subject": subject,
            "summary": "told in strict confidence",
            "note": [{"text": "also in strict confidence"}],
        },
    }
    entries = [{"fullUrl": url, "resource": one, "request": {"method": "POST", "url": one["resourceType"]}} for url, one in resources.items()]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Running, with one patient from a file, one from a transaction and one from a plain create."""
    with scratch_folder() as folder:
        installation, files = Installation(prepared(folder / "data")), folder / "files"
        files.mkdir()
        (files / "one.json").write_text(json.dumps(bundle(NUMBERS[0], "00000000aa")))
        (files / "two.json").write_text(json.dumps(bundle("999-41-0004", "00000000bb")))
        taken = installation.openward("import", str(files))
        assert "Nothing was refused" in taken.stdout, taken.stdout + taken.stderr
        with installation.serving() as running:
            yield running


@pytest.fixture(scope="module")
def client(server: Server) -> BulkClient:
    made = BulkClient(server, server.installation.token())
    assert made.ask("POST", "/fhir", bundle(NUMBERS[1], "00000000cc")).status == 200
    patient = bundle(NUMBERS[2], "00000000dd")["entry"][0]["resource"]
    assert made.ask("POST", "/fhir/Patient", patient).status == 201
    return made


def found(client: BulkClient, path: str) -> list[dict[str, Any]]:
    answer: Answer = client.ask("GET", path)
    assert answer.status == 200, answer.text
    return [entry["resource"] for entry in json.loads(answer.body).get("entry", ())]


def test_no_table_holds_it_in_clear(server: Server, client: BulkClient) -> None:
    parameters = EmbeddedCluster(server.installation.data).parameters()
    with psycopg.connect(**parameters) as connection:  # type: ignore[arg-type]
        tables = connection.execute(
            "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        for (name,) in tables:
            with connection.cursor().copy(f"copy (select * from {name}) to stdout".encode()) as copy:
                text = b"".join(bytes(part) for part in copy).decode()
            assert [(name, clear) for clear in CLEAR if clear in text] == []
            assert [(name, clear) for clear in CLEAR if clear.encode().hex() in text] == []


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("asked", ["identifier={}", "identifier=" + SSN + "|{}"])
def test_each_is_found_by_the_number_with_and_without_its_system(client: BulkClient, number: str, asked: str) -> None:
    (patient,) = found(client, f"/fhir/Patient?{asked.format(number)}")
    assert number in [one.get("value") for one in patient["identifier"]]


def test_a_client_takes_all_of_it_out_in_clear(client: BulkClient) -> None:
    manifest = client.wait(client.kick_off("/$export?_type=Patient,DocumentReference,ClinicalImpression"))
    text = b"".join(client.ask("GET", file["url"], Accept="application/fhir+ndjson").body for file in manifest["output"])  # type: ignore[attr-defined]
    assert [number for number in NUMBERS if number.encode() not in text] == []
    assert text.count(base64.b64encode(SCAN)) == 3
    assert text.count(b"told in strict confidence") == 3
    assert b"ow1." not in text


def test_the_chart_shows_the_scan_as_the_bytes_it_is(server: Server, client: BulkClient) -> None:
    (patient,) = found(client, f"/fhir/Patient?identifier={NUMBERS[1]}")
    (document,) = found(client, f"/fhir/DocumentReference?patient={patient['id']}")
    cookies = server.sign_in("nadia", "nurse")
    shown = server.ask("GET", f"/chart/{patient['id']}/documents/{document['id']}/", headers={"Cookie": cookies})
    assert (shown.status, shown.headers["content-type"], shown.body) == (200, "application/pdf", SCAN)


DIES = """
import os, signal
from openward.keys import resealing, rotation
seal_all = resealing._seal_all
def dies_in_the_second_batch(*given):
    done = seal_all(*given)
    if os.environ.get("AGAIN"):
        os.kill(os.getpid(), signal.SIGKILL)
    os.environ["AGAIN"] = "1"
    return done
resealing._seal_all = dies_in_the_second_batch
rotation.new_data_keys()
while resealing.reseal(3):
    pass
"""


def keys_in_use(server: Server) -> set[str]:
    with psycopg.connect(**EmbeddedCluster(server.installation.data).parameters()) as connection:  # type: ignore[arg-type]
        found = connection.execute(
            r"""select distinct substring(m[1] for 16) from fhir.body, regexp_matches(body, '"\\/([^"]*)"', 'g') m"""
        ).fetchall()
    return {row[0] for row in found}


def test_a_rotation_killed_half_way_loses_nothing_and_the_next_one_ends_it(server: Server, client: BulkClient) -> None:
    before = keys_in_use(server)
    with pytest.raises(AssertionError):
        server.installation.python(DIES)
    assert keys_in_use(server) & before
    assert keys_in_use(server) - before
    assert [len(found(client, f"/fhir/Patient?identifier={number}")) for number in NUMBERS] == [1, 1, 1]
    ended = server.installation.openward("keys", "rotate")
    assert ended.returncode == 0, ended.stderr
    assert keys_in_use(server).isdisjoint(before)
    assert [len(found(client, f"/fhir/Patient?identifier={number}")) for number in NUMBERS] == [1, 1, 1]


def test_keys_are_rotated_while_it_runs(server: Server, client: BulkClient) -> None:
    before = client.ask("GET", f"/fhir/Patient?identifier={NUMBERS[0]}&_elements=identifier")
    rotated = server.installation.openward("keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    after = found(client, f"/fhir/Patient?identifier={NUMBERS[0]}&_elements=identifier")
    assert after == [entry["resource"] for entry in json.loads(before.body)["entry"]]


def test_after_searches_exports_and_rotations_still_no_table_holds_it_in_clear(server: Server, client: BulkClient) -> None:
    test_no_table_holds_it_in_clear(server, client)
