"""Names that stand nowhere else are put into the record, by right and by wrong ways; afterwards every place that may hold none of them is searched for them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from openward.cluster import EmbeddedCluster
from tests.installation import ROOT, START_SECONDS, Installation, Server, free_port, scratch_folder, wait_until_ready

CANARY = "Zyxcanaria"  # a patient's name, their words, and what is typed in haste where it does not belong
ELSEWHERE = ("postgres/base", "postgres/pg_wal", "postgres/global")  # the record itself, and its log


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[Server, Path]]:
    """A running server, and the file of all it says."""
    with scratch_folder() as folder:
        installation, said, port = Installation(folder / "data"), folder / "said.txt", free_port()
        with said.open("wb") as log:
            command = installation.command("serve", "--port", str(port), "--workers", "1")
            process = subprocess.Popen(command, cwd=ROOT, env=installation.environment, stdout=log, stderr=log)
            server = Server(installation, port, process)
            try:
                wait_until_ready(f"{server.url}/health", process, START_SECONDS)
                _sing(server)
                yield server, said
            finally:
                server.stop()


def _sing(server: Server) -> None:
    headers = {"Authorization": f"Bearer {server.installation.token()}", "Content-Type": "application/fhir+json"}
    person = {"resourceType": "Patient", "name": [{"family": CANARY}], "birthDate": "1980-01-02", "address": [{"text": CANARY}]}
    ask = server.ask
    made = json.loads(ask("POST", "/fhir/Patient", json.dumps(person).encode(), headers).body)
    at = f"/fhir/Patient/{made['id']}"
    for wrong in (
        b"{" + CANARY.encode(),
        json.dumps({**person, "birthDate": CANARY}).encode(),
        json.dumps({**person, CANARY: 1}).encode(),
        b"\xff" + CANARY.encode(),
    ):
        assert ask("POST", "/fhir/Patient", wrong, headers).status in (400, 422)
    assert ask("PUT", at, json.dumps({**person, "id": made["id"]}).encode(), {**headers, "If-Match": f'W/"{CANARY}"'}).status >= 400
    for query in (f"name={CANARY}", f"birthdate={CANARY}", f"_sort={CANARY}", f"{CANARY}=1", f"name:{CANARY}=1", f"_filter=name eq {CANARY}"):
        ask("GET", f"/fhir/Patient?{quote(query, safe='=&:')}", headers=headers)
    ask("POST", "/fhir/Patient/_search", f"name={CANARY}".encode(), {**headers, "Content-Type": "application/x-www-form-urlencoded"})
    for path in (f"/fhir/{CANARY}", f"/{CANARY}?q={CANARY}", f"/fhir/Patient/{CANARY}", f"/account/reset/{CANARY}", f"/account/invitation/{CANARY}"):
        assert ask("GET", path, headers=headers).status >= 400
    session = server.sign_in("desk@example.org", "front-desk")
    assert ask("GET", f"/patients/{made['id']}", headers={"Cookie": session}).status == 200
    assert ask("POST", "/patients/found", f"q={CANARY}".encode(), {"Cookie": session}).status == 403  # a form that was forged
    ask("POST", "/oauth/token", f"grant_type={CANARY}&client_id={CANARY}".encode(), {"Content-Type": "application/x-www-form-urlencoded"})


def test_what_the_server_says_has_none(told: tuple[Server, Path]) -> None:
    assert CANARY not in told[1].read_text(errors="replace")


def test_the_log_of_the_database_has_none(told: tuple[Server, Path]) -> None:
    log = EmbeddedCluster(told[0].installation.data).log
    assert log.exists()
    assert CANARY not in log.read_text(errors="replace")


def test_no_file_beside_the_record_has_one(told: tuple[Server, Path]) -> None:
    data = told[0].installation.data
    beside = [path for path in data.rglob("*") if path.is_file() and not str(path.relative_to(data)).startswith(ELSEWHERE)]
    assert len(beside) > 3
    assert [path for path in beside if CANARY.encode() in path.read_bytes()] == []


def test_the_trail_has_none(told: tuple[Server, Path]) -> None:
    """Not the words of a search, not a wrong name at the sign-in, not what stood in an address."""
    code = "from django.db import connection as c\nk = c.cursor()\n"
    code += f"k.execute(\"select count(*), count(*) filter (where e::text ilike '%{CANARY}%') from audit.event e\")\nprint(k.fetchone())"
    entries, with_one = json.loads(told[0].installation.python(code).strip().replace("(", "[").replace(")", "]"))
    assert entries > 10
    assert with_one == 0


def test_the_numbers_that_machines_collect_have_none(told: tuple[Server, Path]) -> None:
    assert CANARY not in told[0].ask("GET", "/health").text


def test_it_was_there_to_be_found(told: tuple[Server, Path]) -> None:
    """The canary sings: the record itself has it."""
    headers = {"Authorization": f"Bearer {told[0].installation.token()}"}
    assert len(json.loads(told[0].ask("GET", f"/fhir/Patient?name={CANARY}", headers=headers).body)["entry"]) == 1
