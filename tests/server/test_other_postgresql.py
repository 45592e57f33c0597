"""The same product on a PostgreSQL of the house: Debian's 15, where it is installed, by OPENWARD_DATABASE_URL."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.installation import Installation, Server, free_port

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
PLAIN_USER = "nobody"

pytestmark = pytest.mark.skipif(
    not (PROGRAMS / "initdb").exists(), reason=f"POSTGRESQL 15 ABSENT: {PROGRAMS} is not there; nothing was proved about it"
)


def run(program: str, *arguments: str) -> None:
    """As a plain user: PostgreSQL refuses to run as root."""
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        plain = pwd.getpwnam(PLAIN_USER)
        identity = {"user": plain.pw_uid, "group": plain.pw_gid, "extra_groups": []}
    subprocess.run([str(PROGRAMS / program), *arguments], check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=120, **identity)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An empty database of a scratch server on loopback."""
    folder = Path(tempfile.mkdtemp(prefix="openward-pg15-", dir="/tmp"))
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam(PLAIN_USER).pw_uid, -1)
    port, cluster = free_port(), str(folder / "cluster")
    run("initdb", "-D", cluster, "-U", "openward", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
    options = f"-k {folder} -p {port} -c listen_addresses=127.0.0.1 -c shared_buffers=64MB"
    run("pg_ctl", "-D", cluster, "-l", str(folder / "log"), "-o", options, "-w", "start")
    try:
        run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "openward", "hospital")
        yield f"postgresql://openward@127.0.0.1:{port}/hospital"
    finally:
        run("pg_ctl", "-D", cluster, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def server(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Installation(tmp_path_factory.mktemp("pg15") / "data", database=url).serving() as server:
        yield server


@pytest.fixture(scope="module")
def headers(server: Server) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.installation.token()}", "Content-Type": "application/fhir+json"}


def send(server: Server, headers: dict[str, str], path: str, resource: dict[str, Any]) -> dict[str, Any]:
    answer = server.ask("POST", path, json.dumps(resource).encode(), headers)
    assert answer.status in (200, 201), answer.text
    stored: dict[str, Any] = json.loads(answer.body)
    return stored


class TestOnPostgresql15:
    def test_the_server_is_ready_and_well(self, server: Server) -> None:
        checks = json.loads(server.ask("GET", "/health").body)["checks"]
        assert (checks["database"], checks["durability"]) == ("ok", "ok")

    def test_what_is_created_is_found_by_name_number_and_date(self, server: Server, headers: dict[str, str]) -> None:
        sent = {
            "resourceType": "Patient",
            "name": [{"family": "Åkesson"}],
            "birthDate": "1950-06-01",
            "identifier": [{"system": "urn:x", "value": "7"}],
        }
        made = send(server, headers, "/fhir/Patient", sent)
        for query in ("name=akes", "identifier=urn:x|7", "birthdate=lt1951", f"_id={made['id']}", "_sort=-_lastUpdated"):
            found = json.loads(server.ask("GET", f"/fhir/Patient?{query}", headers=headers).body)
            assert [entry["resource"]["id"] for entry in found["entry"]] == [made["id"]], query

    def test_a_transaction_is_carried_out_whole(self, server: Server, headers: dict[str, str]) -> None:
        patient = {"resourceType": "Patient", "name": [{"family": "Whole"}]}
        weight = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
            "subject": {"reference": "urn:uuid:6f1f9a34-9a0c-4c52-8f8a-2e3d2f7d1c11"},
            "valueQuantity": {"value": 70.50, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
        }
        entries = [
            {"fullUrl": "urn:uuid:6f1f9a34-9a0c-4c52-8f8a-2e3d2f7d1c11", "resource": patient, "request": {"method": "POST", "url": "Patient"}},
            {"resource": weight, "request": {"method": "POST", "url": "Observation"}},
        ]
        done = send(server, headers, "/fhir", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
        id = done["entry"][0]["response"]["location"].split("/")[1]
        query = f"/fhir/Observation?patient={id}&value-quantity=gt70&_include=Observation:patient"
        found = json.loads(server.ask("GET", query, headers=headers).body)
        assert [entry["search"]["mode"] for entry in found["entry"]] == ["match", "include"]

    def test_a_refused_transaction_leaves_nothing(self, server: Server, headers: dict[str, str]) -> None:
        entries = [
            {"resource": {"resourceType": "Patient", "name": [{"family": "Half"}]}, "request": {"method": "POST", "url": "Patient"}},
            {"resource": {"resourceType": "Patient", "birthDate": "never"}, "request": {"method": "POST", "url": "Patient"}},
        ]
        body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()
        assert server.ask("POST", "/fhir", body, headers).status == 422
        assert "entry" not in json.loads(server.ask("GET", "/fhir/Patient?name=half", headers=headers).body)

    def test_people_sign_in(self, server: Server) -> None:
        session = server.sign_in("pg15-admin", "administrator")
        assert server.ask("GET", "/admin/people", headers={"Cookie": session}).status == 200


class TestWithAnOwnerApart:
    """The house gives two users: the owner of the tables, and one for daily work who owns nothing."""

    @pytest.fixture
    def apart(self, url: str, tmp_path_factory: pytest.TempPathFactory) -> Installation:
        with psycopg.connect(url, autocommit=True) as superuser:
            superuser.execute("create role clinic_owner login")
            superuser.execute("create role clinic_app login")
            superuser.execute("create database clinic owner clinic_owner")
        owner, daily = (url.replace("openward@", f"{name}@").replace("/hospital", "/clinic") for name in ("clinic_owner", "clinic_app"))
        return Installation(tmp_path_factory.mktemp("apart") / "data", database=daily, settings={"OPENWARD_DATABASE_OWNER_URL": owner})

    def test_everything_works_and_the_trail_can_only_be_added_to(self, apart: Installation) -> None:
        with apart.serving() as server:
            headers = {"Authorization": f"Bearer {apart.token()}", "Content-Type": "application/fhir+json"}
            send(server, headers, "/fhir/Patient", {"resourceType": "Patient", "name": [{"family": "Apart"}]})
            assert json.loads(server.ask("GET", "/health").body)["status"] == "ok"
            said = apart.openward("check").stdout
        assert "append-only by role: the database user can only add" in said
        assert apart.openward("audit", "verify").returncode == 0
        with psycopg.connect(apart.database, autocommit=True) as daily, pytest.raises(psycopg.errors.InsufficientPrivilege):
            daily.execute("delete from audit.entry")
