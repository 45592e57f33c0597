"""`openward backup`, `restore` and `drill`, as an operator uses them; and what the health page says of them."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from openward.cluster import EmbeddedCluster
from tests.installation import Installation, prepared, scratch_folder

PATIENT = {"resourceType": "Patient", "id": "0199c1f0-0000-7000-8000-000000000001", "name": [{"family": "Before"}]}


@pytest.fixture(scope="module")
def kept() -> Iterator[Installation]:
    """An installation with a patient, backed up; its outer key lies apart."""
    with scratch_folder() as folder:
        data, apart = prepared(folder / "data"), folder / "apart" / "outer.key"
        apart.parent.mkdir()
        assert Installation(data).openward("keys", "list").returncode == 0  # makes the key, if nothing was sealed yet
        (data / "outer.key").rename(apart)
        made = Installation(data, settings={"OPENWARD_KEK_FILES": str(apart), "OPENWARD_BACKUPS": str(folder / "kept")})
        assert made.openward("backup").returncode == 0
        _import(made, PATIENT)
        yield made


def _import(installation: Installation, resource: dict[str, object]) -> None:
    path = installation.data.parent / "one.json"
    path.write_text(json.dumps(resource))
    done = installation.openward("import", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def family(installation: Installation) -> str:
    """The family name on record, read through the store."""
    cluster = EmbeddedCluster(installation.data)
    cluster.start()
    try:
        code = "from openward.access.actor import Actor\nfrom openward.record import open_store\nfrom openward.fhir.resources import Patient\n"
        code += f"print(open_store(Actor.system('test', tenant=1)).read(Patient, {PATIENT['id']!r}).name[0].family)"
        return installation.python(code).strip()
    finally:
        cluster.stop()


class TestARestore:
    def test_to_a_moment_between_brings_back_what_was_then(self, kept: Installation) -> None:
        moment = dt.datetime.now(dt.UTC)
        time.sleep(0.01)
        _import(kept, {**PATIENT, "name": [{"family": "After"}]})
        backed = kept.openward("backup")
        assert backed.returncode == 0, backed.stderr
        assert "It is in no backup" in backed.stdout
        there = replace(kept, data=kept.data.parent / "restored")
        done = there.openward("restore", "--at", moment.isoformat())
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"as of {moment.isoformat()}" in done.stdout
        assert (family(there), family(kept)) == ("Before", "After")
        assert (there.data / "secret.key").read_text() == (kept.data / "secret.key").read_text()
        assert not (there.data / "outer.key").exists()

    def test_into_a_folder_with_something_in_it_is_refused(self, kept: Installation) -> None:
        done = kept.openward("restore")
        assert done.returncode == 1
        assert "is not empty" in done.stderr
        assert family(kept) == "After"

    def test_without_the_outer_key_is_refused_and_none_is_made(self, kept: Installation) -> None:
        elsewhere = kept.data.parent / "absent.key"
        without = replace(kept, data=kept.data.parent / "without", settings={**kept.settings, "OPENWARD_KEK_FILES": str(elsewhere)})
        done = without.openward("restore")
        assert done.returncode == 1
        assert "absent.key is not there" in done.stderr
        assert not elsewhere.exists()

    @pytest.mark.parametrize("time", ["yesterday", "2026-11-22T12:00:00", "2026-13-45T00:00:00Z"])
    def test_to_a_time_that_is_none_is_wrongly_called(self, kept: Installation, time: str) -> None:
        done = replace(kept, data=kept.data.parent / "never").openward("restore", "--at", time)
        assert done.returncode == 2
        assert not (kept.data.parent / "never").exists()


class TestADrill:
    def test_proves_the_last_backup_and_leaves_nothing_behind(self, kept: Installation) -> None:
        done = kept.openward("drill")
        assert done.returncode == 0, done.stderr
        assert "resources read back, byte for byte" in done.stdout
        assert not (kept.data / ".drill").exists()
        assert "ok        Restore drill: Proved" in kept.openward("check").stdout

    def test_of_a_damaged_backup_fails_by_name_and_health_says_so(self, kept: Installation, tmp_path: Path) -> None:
        chunk = next(Path(kept.settings["OPENWARD_BACKUPS"]).glob("*/*/base/000001"))
        shutil.copy(chunk, tmp_path / "sound")
        chunk.write_bytes(b"\0" + chunk.read_bytes()[1:])
        try:
            done = kept.openward("drill")
            said = kept.openward("check").stdout
        finally:
            shutil.copy(tmp_path / "sound", chunk)
        assert done.returncode == 1
        assert "base/000001 was changed" in done.stderr
        assert "TROUBLE   Restore drill: The last restore drill failed" in said


class TestAnotherDatabase:
    @pytest.mark.parametrize("command", ["backup", "restore", "drill"])
    def test_is_backed_up_by_its_own_means_which_are_named(self, tmp_path: Path, command: str) -> None:
        other = Installation(tmp_path / "data", database="postgresql://someone:secret@db.example:5432/openward")
        done = other.openward(command)
        assert done.returncode == 1
        assert "pgBackRest" in done.stderr
        assert "secret" not in done.stderr
