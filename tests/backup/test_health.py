"""What health says of backups and drills, and what the jobs by the clock do."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from openward.backup import here, jobs, runs
from openward.backup.errors import AlreadyRunning, NothingThere
from openward.backup.health import backup, restore_drill
from openward.backup.models import Run
from openward.record.health import findings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_use(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation with real patients, three days old, on the embedded database."""
    settings.OPENWARD_DEMO = False
    monkeypatch.delenv("OPENWARD_DATABASE_URL", raising=False)
    with connection.cursor() as cursor:
        cursor.execute("update django_migrations set applied = now() - interval '3 days'")


def ran(kind: str, *, hours: float = 1, trouble: str = "") -> None:
    at = timezone.now() - dt.timedelta(hours=hours)
    Run.objects.create(kind=kind, started_at=at, seconds=41, reached=at, facts=["500 rows read"], trouble=trouble)


class TestHealth:
    def test_without_a_backup_says_what_that_means(self) -> None:
        assert "a lost disk loses the record" in str(backup())

    def test_is_well_with_one_and_asks_for_a_drill(self) -> None:
        ran("backup")
        assert backup() is None
        assert "No backup was proved yet" in str(restore_drill())

    def test_shows_date_and_duration_of_the_drill(self) -> None:
        ran("backup")
        ran("drill")
        note = next(one.note for one in findings() if one.name == "restore-drill")
        assert "in 41 seconds: 500 rows read" in note
        assert f"{timezone.now():%Y-}" in note

    @pytest.mark.parametrize(("kind", "check"), [("backup", backup), ("drill", restore_drill)])
    def test_says_when_the_last_is_more_than_48_hours_old(self, kind: str, check: object) -> None:
        ran("backup")
        Run.objects.filter(kind=kind).delete()
        ran(kind, hours=49)
        assert "more than 48 hours ago" in str(check())  # type: ignore[operator]

    def test_says_that_the_last_one_failed_though_one_before_was_good(self) -> None:
        ran("backup", hours=2)
        ran("backup", hours=1, trouble="No space left on device.")
        assert backup() == "The last backup failed: No space left on device."

    @pytest.mark.parametrize("why", ["demo", "new", "other database"])
    def test_is_excused_where_no_backup_is_to_be_expected(self, settings: Settings, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
        if why == "demo":
            settings.OPENWARD_DEMO = True
        elif why == "new":
            with connection.cursor() as cursor:
                cursor.execute("update django_migrations set applied = now()")
        else:
            monkeypatch.setenv("OPENWARD_DATABASE_URL", "postgresql://host/db")
        assert (backup(), restore_drill()) == (None, None)


class TestByTheClock:
    def test_nothing_is_done_until_a_place_is_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(here, "make", lambda **_: pytest.fail("a backup was made"))
        jobs.make()
        jobs.drill()

    def test_what_goes_wrong_is_a_line_and_not_a_failed_job(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.OPENWARD_BACKUPS = "/srv/backups"

        def fails(**_: object) -> None:
            raise NothingThere(place="/srv/backups")

        monkeypatch.setattr(here, "make", fails)
        jobs.make()
        jobs.drill()
        assert list(Run.objects.order_by("id").values_list("kind", "trouble")) == [
            ("backup", "There is no finished backup in /srv/backups."),
            ("drill", "There is no finished backup in /srv/backups."),
        ]

    def test_one_that_runs_already_is_left_to_it(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.OPENWARD_BACKUPS = "/srv/backups"

        def busy(**_: object) -> None:
            raise AlreadyRunning

        monkeypatch.setattr(here, "make", busy)
        jobs.make()
        assert not Run.objects.exists()

    def test_lines_are_kept_for_ninety_days(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from openward.backup.making import Made
        from openward.backup.series import Mark

        ran("backup", hours=24 * 91)
        made = Made("site", "series", Mark(1, timezone.now().isoformat(), "", ""), True, 3, 1.5)
        monkeypatch.setattr(here, "make", lambda **_: made)
        runs.backup()
        assert [run.facts for run in Run.objects.all()] == [["base and 3 log segments"]]
