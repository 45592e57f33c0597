"""`openward check --deploy`: each thing that is unsafe is said, with what to do; nothing is said when all is safe."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from openward.accounts.actions import make_user
from openward.accounts.models import User
from openward.backup import here
from openward.backup.models import Run
from openward.backup.series import installation_digest
from openward.keys import resealing
from openward.server import readiness
from openward.server.audits import how_it_stands
from openward.server.readiness import unsafe
from tests.installation import Installation

pytestmark = pytest.mark.django_db


@pytest.fixture
def safe(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """An installation as it should be."""
    data, keys = tmp_path / "data", tmp_path / "keys"
    for folder in (data, keys):
        folder.mkdir(mode=0o711)
    for path in (keys / "outer.key", data / "secret.key", data / "seal.key"):
        path.touch(mode=0o600)
    settings.OPENWARD_DATA, settings.OPENWARD_KEK_FILES = data, [keys / "outer.key"]
    settings.SESSION_COOKIE_SECURE, settings.OPENWARD_PUBLIC_URL = True, "https://clinic.example"
    settings.OPENWARD_LIVE_URL = "https://clinic.example"
    settings.ALLOWED_HOSTS = ["clinic.example"]
    settings.DEBUG = settings.OPENWARD_DEMO = False
    settings.OPENWARD_MFA_ROLES, settings.OPENWARD_BACKUPS = frozenset(["staff"]), str(tmp_path / "backups")
    settings.OPENWARD_PRIVATE_TARGETS, settings.OPENWARD_AUDIT_ANCHORS = [], "file,syslog:log.example:514"
    settings.OPENWARD_CHANNELS = dict.fromkeys(("email", "sms", "letter"), "clinic.Gateway")
    settings.OPENWARD_CARD_PROCESSOR = "clinic.Cards"
    for name in [name for name in os.environ if name.startswith("OPENWARD_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPENWARD_PROXIES", "10.0.0.5")
    monkeypatch.setattr(readiness, "_same_disk", lambda *_: False)
    monkeypatch.setattr(readiness, "how_it_stands", lambda: "append-only by role")
    make_user(sign_in="boss", password="correct-horse-battery-7", role="administrator", name="Bo")
    for kind in Run.Kind:
        Run.objects.create(kind=kind, seconds=1)
    return settings


def said() -> list[str]:
    """Without what health finds, which depends on the machine of the test and has its own."""
    return [one.todo for one in unsafe() if one.about != "health"]


def test_nothing_is_said_when_all_is_safe(safe: Settings) -> None:
    assert said() == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SESSION_COOKIE_SECURE", False, "OPENWARD_HTTPS=1"),
        ("OPENWARD_PUBLIC_URL", "http://clinic.example", "OPENWARD_PUBLIC_URL to the https address"),
        ("ALLOWED_HOSTS", ["*"], "any host name"),
        ("ALLOWED_HOSTS", [".example", "clinic.example"], "any host name"),
        ("ALLOWED_HOSTS", ["localhost"], "clinic.example, from OPENWARD_PUBLIC_URL, is not in OPENWARD_HOSTS"),
        ("DEBUG", True, "take OPENWARD_DEBUG away"),
        ("OPENWARD_MFA_ROLES", frozenset(["clinican"]), "all other staff sign in with a password alone"),
        ("OPENWARD_AUDIT_ANCHORS", "file", "file,syslog:HOST:PORT"),
        ("OPENWARD_AUDIT_ANCHORS", "", "file,syslog:HOST:PORT"),
        ("OPENWARD_DEMO", True, "take OPENWARD_DEMO away"),
        ("OPENWARD_MFA_ROLES", frozenset(), "OPENWARD_MFA_ROLES=staff"),
        ("OPENWARD_MFA_ROLES", frozenset(["none"]), "OPENWARD_MFA_ROLES=staff"),
        ("OPENWARD_IDLE_SECONDS", 7200, "OPENWARD_SESSION_MINUTES"),
        ("SECRET_KEY", "changeme", "OPENWARD_SECRET_KEY is short or plain"),
        ("SECRET_KEY", "a" * 50, "OPENWARD_SECRET_KEY is short or plain"),
        ("OPENWARD_LIVE_URL", "", "set OPENWARD_LIVE_URL to the https address"),
        ("OPENWARD_LIVE_URL", "http://127.0.0.1:8001", "set OPENWARD_LIVE_URL to the https address"),
        ("OPENWARD_CHANNELS", {"email": "clinic.Gateway"}, "Messages by sms, letter reach nobody"),
        ("OPENWARD_CARD_PROCESSOR", "", "which moves no money"),
        ("OPENWARD_BACKUPS", "", "No place for backups is set"),
        ("OPENWARD_PRIVATE_TARGETS", ["10.0.0.0/8"], "private network 10.0.0.0/8"),
    ],
)
def test_an_unsafe_setting_is_said_with_what_to_do(safe: Settings, name: str, value: object, words: str) -> None:
    setattr(safe, name, value)
    assert [one for one in said() if words in one] == said() != []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("OPENWARD_HTTP", "OPENWARD_HTTP is no setting, so that it sets nothing: is OPENWARD_HTTPS meant?"),
        ("OPENWARD_COLOUR_OF_THE_DOOR", "OPENWARD_COLOUR_OF_THE_DOOR is no setting, so that it sets nothing; take it away."),
        ("OPENWARD_DATABASE_OWNER_URL", "OPENWARD_DATABASE_OWNER_URL sets nothing without OPENWARD_DATABASE_URL: the embedded database is used."),
    ],
)
def test_a_setting_that_sets_nothing_is_said(safe: Settings, monkeypatch: pytest.MonkeyPatch, name: str, words: str) -> None:
    monkeypatch.setenv(name, "1")
    assert said() == [words]


def test_that_no_proxy_is_named_is_said(safe: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENWARD_PROXIES")
    assert ["No proxy is named" in one for one in said()] == [True]


def test_that_the_owner_of_the_tables_does_the_daily_work_is_said(safe: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "how_it_stands", how_it_stands)  # the user of the tests owns its database
    assert ["OPENWARD_DATABASE_OWNER_URL" in one for one in said()] == [True]


def test_that_nobody_can_administer_it_is_said(safe: Settings) -> None:
    User.objects.all().delete()
    assert ["openward administrator new" in one for one in said()] == [True]
    make_user(sign_in="invited", password=None, role="administrator", name="Ivy")
    assert ["openward administrator new" in one for one in said()] == [True]


def test_an_outer_key_beside_the_data_is_said(safe: Settings) -> None:
    safe.OPENWARD_KEK_FILES = [safe.OPENWARD_DATA / "outer.key"]
    assert ["lies beside the data" in one for one in said()] == [True]


@pytest.mark.parametrize("name", ["secret.key", "seal.key", "../keys/outer.key"])
def test_a_key_that_others_can_read_is_said_with_its_path(safe: Settings, name: str) -> None:
    (safe.OPENWARD_DATA / name).chmod(0o640)
    (words,) = said()
    assert words.endswith(f"chmod 600 {safe.OPENWARD_DATA / name}" if ".." not in name else "outer.key")


def test_a_data_folder_that_others_can_look_into_is_said(safe: Settings) -> None:
    safe.OPENWARD_DATA.chmod(0o755)
    assert said() == [f"Other users of this machine can look into the data folder: chmod 711 {safe.OPENWARD_DATA}"]


@pytest.mark.parametrize(
    ("kind", "words"), [("backup", "There is no backup of the last 48 hours"), ("drill", "No backup was proved in the last 48 hours")]
)
def test_an_old_backup_and_an_old_drill_are_said(safe: Settings, kind: str, words: str) -> None:
    Run.objects.filter(kind=kind).update(started_at=timezone.now() - dt.timedelta(hours=49))
    assert [words in one for one in said()] == [True]


def test_backups_on_the_disk_of_the_data_are_said(safe: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(readiness, "how_it_stands", lambda: "append-only by role")
    for name in [name for name in os.environ if name.startswith("OPENWARD_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPENWARD_PROXIES", "10.0.0.5")
    assert ["a lost disk loses both" in one for one in said()] == [True]
    assert here.folder().name == "backups"


@pytest.mark.parametrize(
    ("url", "is_said"),
    [
        ("postgresql://u:secret@db.example/openward", True),
        ("postgresql://u:secret@db.example/openward?sslmode=prefer", True),
        ("postgresql://u:secret@db.example/openward?sslmode=verify-full", False),
        ("postgresql://u:secret@127.0.0.1/openward", False),
        ("postgresql:///openward?host=/run/postgresql", False),
    ],
)
def test_a_database_that_is_reached_in_clear_is_said_without_its_password(
    safe: Settings, monkeypatch: pytest.MonkeyPatch, url: str, is_said: bool
) -> None:
    monkeypatch.setenv("OPENWARD_DATABASE_URL", url)
    assert any("may be in clear" in one for one in said()) == is_said
    assert "secret" not in str(said())


def test_data_of_the_demo_is_said(safe: Settings) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select exists (select from demo_instance)")
        assert cursor.fetchone() == (False,)
        cursor.execute("select column_name, data_type from information_schema.columns where table_name = 'demo_instance' and column_default is null")
        values = {"integer": "1", "bigint": "1", "smallint": "1", "date": "now()", "timestamp with time zone": "now()", "boolean": "true"}
        columns = {name: values.get(kind, "''") for name, kind in cursor.fetchall() if name != "id"}
        cursor.execute(f"insert into demo_instance ({', '.join(columns)}) values ({', '.join(columns.values())})")
    assert ["sign-ins are known to everyone" in one for one in said()] == [True]


def test_the_command_lists_it_and_its_exit_status_says_so(installation: Installation) -> None:
    done = installation.openward("check", "--deploy")
    assert done.returncode == 1, done.stderr
    assert "transport    HTTPS is off" in done.stdout
    assert done.stdout.strip().endswith("things are not safe yet.")


class TestBackupsOfBeforeTheRecordWasSealed:
    @pytest.fixture
    def walked(self, safe: Settings) -> dt.datetime:
        """Something that stood in clear was sealed a while ago; one series is older, one newer, one another installation's."""
        until = timezone.now() - dt.timedelta(days=3)
        with connection.cursor() as cursor:
            cursor.execute(resealing.MAKE)
            cursor.execute("update fhir.sealing_walk set clear_until = %s", [until])
            cursor.execute("select system_identifier::text from pg_control_system()")
            mine = installation_digest(cursor.fetchone()[0])
        for whose, days in ((mine, 5), (mine, 1), ("another", 5)):
            begun = timezone.now() - dt.timedelta(days=days)
            header = here.folder() / whose / f"{begun:%Y%m%dT%H%M%S%f}Z-{days}" / "series.json"
            header.parent.mkdir(parents=True)
            header.write_text("{}")
        return until

    def test_are_said_by_name(self, walked: dt.datetime) -> None:
        (todo,) = said()
        assert "1 series of backups were begun before" in todo
        assert "Z-5" in todo
        assert "Z-1" not in todo
        assert "another" not in todo

    def test_are_not_said_once_they_are_gone(self, walked: dt.datetime) -> None:
        shutil.rmtree(here.folder())
        assert said() == []

    def test_are_not_said_of_a_record_that_was_always_sealed(self, walked: dt.datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute("update fhir.sealing_walk set clear_until = null")
        assert said() == []
