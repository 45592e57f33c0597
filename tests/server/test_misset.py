"""A setting that cannot be meant is told in a sentence before anything starts; none is taken for off, or met later as a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from openward.cli import main
from openward.cluster import EmbeddedCluster
from openward.server.misset import require_settings
from openward.troubles import WrongSettings
from tests.installation import Installation

WRONG = {
    "OPENWARD_HTTPS": ("maybe", "is 1 or 0, not 'maybe'"),
    "OPENWARD_DEBUG": ("2", "is 1 or 0, not '2'"),
    "OPENWARD_SESSION_MINUTES": ("-5", "is a whole number, 1 or more, not '-5'"),
    "OPENWARD_LOCK_MINUTES": ("a quarter", "is a whole number, 0 or more"),
    "OPENWARD_EXPORTS_AT_ONCE": ("", "is a whole number"),
    "OPENWARD_RESERVE_MB": ("9" * 30, "is a whole number"),
    "OPENWARD_TIME_ZONE": ("Mars/Base", "is an IANA name"),
    "OPENWARD_PUBLIC_URL": ("clinic.example", "is an address that begins with https://"),
    "OPENWARD_HOSTS": (",", "is one host name or several"),
    "OPENWARD_PROXIES": ("999.1.1.1", "is addresses or networks"),
    "OPENWARD_PRIVATE_TARGETS": ("inside", "is addresses or networks"),
    "OPENWARD_AUDIT_ANCHORS": ("ftp:x", "is file, syslog:/dev/log"),
    "OPENWARD_VALIDATE_PROFILES": ("all", "is off, versioned or declared"),
    "OPENWARD_MFA_ROLES": ("stafff", "is staff, none, or roles"),
    "OPENWARD_BREACHED_PASSWORDS": ("/no/such/list", "is a file or a folder that is there"),
    "OPENWARD_CHANNELS": ("emial=openward.Class", "is email=package.Class"),
    "OPENWARD_CARD_PROCESSOR": ("no_such_package.Class", "is package.Class of a package that is installed"),
    "OPENWARD_BACKUP_STORE": ("bucket", "is package.Class of a package that is installed"),
    "OPENWARD_ORIGINS": ("clinic.example", "is origins such as https://clinic.example"),
    "OPENWARD_LIVE_URL": ("clinic.example:8001", "is an address that begins with https://"),
    "OPENWARD_SHARED_BUFFERS": ("lots", "is an amount of memory"),
}


@pytest.mark.parametrize(("name", "value", "words"), [(name, *told) for name, told in WRONG.items()])
def test_it_is_told_by_its_name(name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSettings, match=f"{name} {words}"):
        require_settings()


def test_all_of_them_are_told_at_once_and_nothing_was_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENWARD_DATA", "")
    monkeypatch.setenv("OPENWARD_HTTPS", "ja")
    monkeypatch.setenv("OPENWARD_TIME_ZONE", "Nowhere")
    for command in ("serve", "check", "demo"):
        assert main([command, "--data", str(tmp_path / "new")]) == 1
        told = capsys.readouterr().err
        assert ("OPENWARD_HTTPS" in told, "OPENWARD_TIME_ZONE" in told, "Traceback" in told) == (True, True, False)
    assert not (tmp_path / "new").exists()


def test_what_is_meant_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    meant = {
        "HTTPS": "Yes",
        "MFA_ROLES": "clinician, own-locum, none",
        "CHANNELS": "email=openward.outbox.channels.FolderChannel, sms = openward.outbox.channels.FolderChannel",
        "BACKUP_STORE": "openward.backup.s3.Bucket",
        "ORIGINS": "https://clinic.example, https://www.clinic.example:8443",
        "LIVE_URL": "https://live.clinic.example",
        "TIME_ZONE": "America/Los_Angeles",
        "PUBLIC_URL": "https://clinic.example:8443",
        "HOSTS": "*",
        "PROXIES": "10.0.0.5, ::1/128",
    }
    for name, value in {**meant, "AUDIT_ANCHORS": "file,syslog:/dev/log,https://log.example/a", "SHARED_BUFFERS": "64MB"}.items():
        monkeypatch.setenv(f"OPENWARD_{name}", value)
    require_settings()


def test_what_only_the_settings_know_is_told_in_one_line(tmp_path: Path) -> None:
    done = Installation(tmp_path / "data", settings={"OPENWARD_SIGN_IN_ELSEWHERE": "/no/such.json"}).openward("check")
    assert (done.returncode, "Traceback" in done.stderr, "OPENWARD_SIGN_IN_ELSEWHERE" in done.stderr) == (1, False, True)
    assert not EmbeddedCluster(tmp_path / "data").is_running()
