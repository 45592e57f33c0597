"""The other commands, run as a person runs them: `token`, `import`, `check`, and what each says when it cannot."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from openward.cli import main
from openward.cluster import EmbeddedCluster
from openward.server import commands
from tests.installation import Installation, Server


@pytest.fixture
def here(served: Server) -> Installation:
    return served.installation


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [{"request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}, "resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def person(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": str(uuid4()), "name": [{"family": "Imported"}], **more}


@pytest.mark.parametrize("command", [("backup",), ("drill",), ("audit", "verify"), ("audit", "seal"), ("keys", "list"), ("keys", "rotate"), ("reindex",),
     ("sign-anew",), ("administrator", "recover", "x"), ("ig", "list"), ("ig", "remove", "x"), ("terminology", "list")])  # fmt: skip
def test_a_folder_without_an_installation_is_not_proven_backed_up_or_rotated_as_an_empty_one(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name mistyped in a nightly script would be a success for years."""
    monkeypatch.delenv("OPENWARD_DATABASE_URL", raising=False)
    monkeypatch.setenv("OPENWARD_DATA", "")
    assert main([*command, "--data", str(tmp_path / "mistyped")]) == 1
    assert f"There is no Openward in {tmp_path / 'mistyped'}" in capsys.readouterr().err
    assert not (tmp_path / "mistyped").exists()


@pytest.mark.parametrize("port", ["abc", "0", "65535", "-1", ""])
def test_a_port_that_is_none_is_said_to_be_none(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", f"--port={port}"])
    assert "a port is a number from 1 to 65534" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [("fhirpath", "Patient.name"), ("import",), ("ig", "install"), ("terminology", "load"), ("terminology", "load", "--version", "1")]
)
def test_a_file_that_is_not_there_is_named_and_nothing_is_made(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OPENWARD_DATABASE_URL", raising=False)
    monkeypatch.setenv("OPENWARD_DATA", "")
    assert main([*command, f"{tmp_path}/no.json", "--data", str(tmp_path / "data")]) == 1
    assert capsys.readouterr().err == f"openward: {tmp_path}/no.json: No such file or directory\n"
    assert not (tmp_path / "data").exists()


def test_a_folder_where_a_file_is_wanted_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fhirpath", "Patient.name", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"openward: {tmp_path}: Is a directory\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("token", "--scope", "system/*.rs", "--client", " "), "a name of 1 to 100 letters"),
        (("token", "--scope", "system/*.rs", "--client", "x" * 101), "a name of 1 to 100 letters"),
        (("token", "--scope", "system/*.rs", "--client", "a\x1b[2J"), "a name of 1 to 100 letters"),
        (("token", "--scope", "system/*.rs", "--client", "x", "--days", "99999999"), "at most 36500 days"),
        (("token", "--scope", "system/*.rs", "--client", "x", "--days", "x"), "a whole number above 0"),
        (("serve", "--workers", "-1"), "a whole number above 0"),
        (("audit", "accept-restore", "--reason", "  "), "say who decided it and why"),
        (("audit", "role", ""), "a name of 1 to 63 bytes"),
        (("audit", "role", "x" * 64), "a name of 1 to 63 bytes"),
    ],
)
def test_a_value_that_cannot_be_meant_is_said_to_be_none(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--data", "/nowhere"])
    assert (ended.value.code, said in capsys.readouterr().err) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_ended_stops_the_database_it_started(number: signal.Signals, installation: Installation) -> None:
    """`timeout`, systemd and a closed terminal end commands so; a database nobody stops would be left behind."""
    command = [sys.executable, "-c", STUCK, "check", "--data", str(installation.data)]
    with subprocess.Popen(command, env=installation.environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "open\n"
        running.send_signal(number)
        assert running.wait(60) == 128 + number
    assert not EmbeddedCluster(installation.data).is_running()


# Who runs the tests may have told their processes to outlive the terminal.
STUCK = """
import signal, sys, time
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from openward import cli
def stuck(*_):
    print("open", flush=True)
    time.sleep(60)
from openward.record import health
health.findings = stuck
sys.exit(cli.main(sys.argv[1:]))
"""


class TestAToken:
    def test_opens_the_rest_surface_to_its_scope_and_no_further(self, served: Server, here: Installation) -> None:
        headers = {"Authorization": f"Bearer {here.token('system/Patient.rs', client='reader')}"}
        assert served.ask("GET", "/fhir/Patient", headers=headers).status == 200
        assert served.ask("GET", "/fhir/Observation", headers=headers).status == 403

    def test_without_one_nothing_is_answered(self, served: Server) -> None:
        answer = served.ask("GET", "/fhir/Patient")
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")

    def test_with_a_wrong_one_nothing_is_answered(self, served: Server) -> None:
        assert served.ask("GET", "/fhir/Patient", headers={"Authorization": "Bearer no-such-token"}).status == 401

    def test_with_a_scope_that_does_not_exist_is_refused_in_a_sentence(self, here: Installation) -> None:
        made = here.openward("token", "--client", "x", "--scope", "everything")
        assert made.returncode == 1
        assert made.stderr.startswith("openward: Not a scope this server issues: everything.")


class TestImport:
    def test_what_is_imported_is_served(self, served: Server, here: Installation, tmp_path: Path) -> None:
        someone = person()
        (tmp_path / "one.json").write_text(json.dumps(bundle(someone)))
        assert "1 resources created" in here.openward("import", str(tmp_path)).stdout
        headers = {"Authorization": f"Bearer {here.token()}"}
        assert json.loads(served.ask("GET", f"/fhir/Patient/{someone['id']}", headers=headers).body)["name"] == someone["name"]

    def test_the_second_time_adds_nothing(self, here: Installation, tmp_path: Path) -> None:
        (tmp_path / "one.json").write_text(json.dumps(bundle(person())))
        here.openward("import", str(tmp_path))
        again = here.openward("import", str(tmp_path))
        assert again.returncode == 0
        assert "0 resources created" in again.stdout

    def test_a_damaged_bundle_is_refused_whole_and_the_rest_goes_in(self, served: Server, here: Installation, tmp_path: Path) -> None:
        sound, unsound, beside = person(), person(birthDate="2026-02-30"), person()
        (tmp_path / "a.json").write_text(json.dumps(bundle(beside, unsound)))
        (tmp_path / "b.json").write_text(json.dumps(bundle(sound)))
        done = here.openward("import", str(tmp_path))
        assert done.returncode == 1
        assert "1 refused" in done.stdout
        assert "a.json" in done.stdout
        headers = {"Authorization": f"Bearer {here.token()}"}
        found = [served.ask("GET", f"/fhir/Patient/{one['id']}", headers=headers).status for one in (sound, unsound, beside)]
        assert found == [200, 404, 404]

    def test_a_folder_with_nothing_in_it_is_no_success(self, here: Installation, tmp_path: Path) -> None:
        """It is the wrong one, or its disk is not mounted; a nightly script must not take that for done."""
        (tmp_path / "readme.txt").write_text("nothing for us")
        done = here.openward("import", str(tmp_path))
        assert (done.returncode, done.stdout) == (1, "")
        assert f"there is nothing to import in {tmp_path}" in done.stderr

    def test_a_path_that_is_not_there_is_said(self, here: Installation) -> None:
        done = here.openward("import", "/no/such/folder")
        assert done.returncode == 1
        assert done.stderr == "openward: /no/such/folder: No such file or directory\n"


class TestCheck:
    def test_says_how_everything_is(self, here: Installation) -> None:
        done = here.openward("check")
        assert done.returncode == 0
        assert "ok        Database" in done.stdout


class TestWhatCannotWork:
    @pytest.fixture
    def from_the_future(self, served: Server) -> Iterator[None]:
        """The schema as a later version would have left it."""
        with psycopg.connect(**EmbeddedCluster(served.installation.data).parameters(), autocommit=True) as connection:  # type: ignore[arg-type]
            connection.execute("insert into django_migrations (app, name, applied) values ('record', '9999_later', now())")
            yield
            connection.execute("delete from django_migrations where name = '9999_later'")

    @pytest.mark.usefixtures("from_the_future")
    def test_a_database_of_a_newer_version_is_left_alone(self, here: Installation) -> None:
        done = here.openward("check")
        assert done.returncode == 1
        assert done.stderr.startswith("openward: The database was last used by a newer Openward (it has record.9999_later).")

    def test_a_wrong_database_address_is_said_without_its_password(self, tmp_path: Path) -> None:
        done = Installation(tmp_path / "data", database="mysql://someone:secret@host/db").openward("check")
        assert done.returncode == 1
        assert "is not an address of a PostgreSQL database" in done.stderr
        assert "secret" not in done.stderr

    def test_a_folder_that_cannot_be_made_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        done = Installation(tmp_path / "file" / "data").openward("serve")
        assert done.returncode == 1
        assert "cannot be written by this user" in done.stderr


class TestReindex:
    def test_what_was_there_is_found_by_a_stored_search_parameter_in_every_process(self, served: Server, here: Installation) -> None:
        headers = {"Authorization": f"Bearer {here.token()}", "Content-Type": "application/fhir+json", "Prefer": "handling=strict"}
        someone = person(contact=[{"name": {"family": f"Kin{uuid4().hex}"}}])
        stored = {
            "resourceType": "SearchParameter",
            "id": str(uuid4()),
            "url": "urn:site:kin",
            "name": "Kin",
            "status": "active",
            "description": "Ours.",
        }
        stored |= {"code": "kin", "base": ["Patient"], "type": "string", "expression": "Patient.contact.name.family"}
        for resource in (someone, stored):
            path = f"/fhir/{resource['resourceType']}/{resource['id']}"
            assert served.ask("PUT", path, json.dumps(resource).encode(), headers).status == 201
        done = here.openward("reindex")
        assert (done.returncode, done.stdout.split()[:2]) == (0, ["active", "Patient.kin"])
        found, deadline = 0, time.monotonic() + 60
        while found < 20 and time.monotonic() < deadline:  # in a row, so that every process has been asked
            answer = served.ask("GET", f"/fhir/Patient?kin={someone['contact'][0]['name']['family']}", headers=headers)
            found = found + 1 if answer.status == 200 and someone["id"] in answer.text else 0
        assert found == 20
        assert served.ask("DELETE", f"/fhir/SearchParameter/{stored['id']}", headers=headers).status == 204

    def test_without_one_there_is_nothing_to_do(self, here: Installation) -> None:
        assert here.openward("reindex").stdout.strip() == "no search parameters were added"


class TestWhetherTheSchemaIsUpToDate:
    def test_it_is_when_every_migration_there_is_a_file_for_was_made(self, db: None) -> None:
        assert commands._is_up_to_date()

    def test_it_is_not_when_one_is_lacking(self, db: None) -> None:
        MigrationRecorder(connection).record_unapplied("record", "0001_initial")
        assert not commands._is_up_to_date()

    def test_it_is_not_when_a_newer_version_made_one_more(self, db: None) -> None:
        MigrationRecorder(connection).record_applied("record", "9999_later")
        assert not commands._is_up_to_date()
