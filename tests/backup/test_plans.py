"""Which backup gives which moment, and which is refused: tried on series that were written by hand, without a database."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from openward.backup.errors import (
    CannotWrite,
    NotEmpty,
    NothingThere,
    PieceBroken,
    PieceMissing,
    TooEarly,
    TooLate,
    TooOld,
    WhichInstallation,
)
from openward.backup.files import DataFiles, files_at, write_back
from openward.backup.places import Folder
from openward.backup.restoring import Plan, plan, require_empty
from openward.backup.series import Base, Mark, Series, StoredFile, after, installation_digest, new_series, segments
from openward.keys.errors import OuterKeyMissing
from openward.keys.outer import OuterKeys, outer_keys

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
OURS = installation_digest("1")


def minutes(number: float) -> dt.datetime:
    return NOON + dt.timedelta(minutes=number)


@pytest.fixture
def keys(tmp_path: Path) -> OuterKeys:
    return outer_keys([tmp_path / "outer.key"])


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "backups")


def written(place: Folder, keys: OuterKeys, begun: dt.datetime, *marks: dt.datetime, installation: str = OURS) -> Series:
    """A series with a base of two chunks that ended a minute after it was begun, and its marks."""
    series = new_series(place, installation, keys, begun)
    for number in (1, 2):
        series.put(f"base/{number:06d}", b"chunk")
    ended = (begun + dt.timedelta(minutes=1)).isoformat()
    series.put_base(Base(2, 10, ended, f"{1:024X}", "1", "0", "18", "host", "folder"))
    for number, moment in enumerate(marks, start=1):
        series.put_mark(Mark(number, moment.isoformat(), f"{number:024X}", series.digest_of_mark(number - 1)))
    return series


def chosen(place: Folder, keys: OuterKeys, at: dt.datetime | None = None, *, now: dt.datetime = NOON, installation: str = "") -> Plan:
    return plan(place, keys, at=at, now=now, installation=installation)


class TestTheMoment:
    def test_without_a_time_it_is_the_newest_mark_of_the_newest_series(self, place: Folder, keys: OuterKeys) -> None:
        written(place, keys, minutes(-60), minutes(-50))
        newest = written(place, keys, minutes(-30), minutes(-20), minutes(-10))
        found = chosen(place, keys)
        assert (found.series.id, found.mark.number, found.moment) == (newest.id, 2, minutes(-10))

    @pytest.mark.parametrize(("at", "mark", "earlier"), [(-25, 1, None), (-20, 1, None), (-19, 2, 1), (-10, 2, 1)])
    def test_is_reached_by_the_first_mark_at_or_after_it(self, place: Folder, keys: OuterKeys, at: int, mark: int, earlier: int | None) -> None:
        written(place, keys, minutes(-30), minutes(-20), minutes(-10))
        found = chosen(place, keys, minutes(at))
        assert (found.mark.number, found.earlier and found.earlier.number) == (mark, earlier)

    def test_between_two_bases_is_in_the_older_series(self, place: Folder, keys: OuterKeys) -> None:
        older = written(place, keys, minutes(-60), minutes(-50), minutes(-29))
        written(place, keys, minutes(-30), minutes(-29))
        assert chosen(place, keys, minutes(-29.5)).series.id == older.id

    def test_before_the_first_base_is_refused(self, place: Folder, keys: OuterKeys) -> None:
        written(place, keys, minutes(-30), minutes(-20))
        with pytest.raises(TooEarly, match="2026-11-22T11:31:00"):
            chosen(place, keys, minutes(-29.5))

    def test_after_the_last_mark_is_refused_and_never_guessed(self, place: Folder, keys: OuterKeys) -> None:
        written(place, keys, minutes(-30), minutes(-20))
        with pytest.raises(TooLate, match="2026-11-22T11:40:00"):
            chosen(place, keys, minutes(-19))

    def test_that_is_old_is_not_taken_for_the_newest(self, place: Folder, keys: OuterKeys) -> None:
        written(place, keys, minutes(-30), minutes(-20))
        later = NOON + dt.timedelta(hours=50)
        with pytest.raises(TooOld, match=r"50 hours old.*--at 2026-11-22T11:40:00"):
            chosen(place, keys, now=later)
        assert chosen(place, keys, minutes(-20), now=later).mark.number == 1


class TestWhatIsRefused:
    def test_an_empty_place(self, place: Folder, keys: OuterKeys) -> None:
        with pytest.raises(NothingThere):
            chosen(place, keys)

    def test_a_backup_that_was_never_finished(self, place: Folder, keys: OuterKeys) -> None:
        new_series(place, OURS, keys, NOON).put("base/000001", b"half")
        with pytest.raises(NothingThere):
            chosen(place, keys)

    def test_a_place_of_several_installations_until_one_is_named(self, place: Folder, keys: OuterKeys) -> None:
        written(place, keys, minutes(-30), minutes(-20))
        other = installation_digest("2")
        written(place, keys, minutes(-30), minutes(-10), installation=other)
        with pytest.raises(WhichInstallation, match=other):
            chosen(place, keys)
        assert chosen(place, keys, installation=OURS).moment == minutes(-20)

    def test_a_backup_under_another_outer_key(self, place: Folder, keys: OuterKeys, tmp_path: Path) -> None:
        written(place, keys, minutes(-30), minutes(-20))
        with pytest.raises(OuterKeyMissing, match=keys.first.id):
            chosen(place, outer_keys([tmp_path / "another.key"]))

    @pytest.mark.parametrize("name", ["base.json", "marks/000001", "series.json"])
    def test_a_piece_that_was_changed_by_its_name(self, place: Folder, keys: OuterKeys, name: str) -> None:
        series = written(place, keys, minutes(-30), minutes(-20))
        path = place.path / OURS / series.id / name
        content = bytearray(path.read_bytes())
        content[-10] ^= 1
        path.write_bytes(content)
        with pytest.raises(PieceBroken, match=name):
            chosen(place, keys)

    def test_a_piece_that_was_cut(self, place: Folder, keys: OuterKeys) -> None:
        series = written(place, keys, minutes(-30), minutes(-20))
        path = place.path / OURS / series.id / "base/000002"
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(PieceBroken, match="base/000002"):
            series.get("base/000002")

    def test_two_pieces_that_were_exchanged(self, place: Folder, keys: OuterKeys) -> None:
        series = written(place, keys, minutes(-30), minutes(-20))
        folder = place.path / OURS / series.id / "base"
        shutil.copy(folder / "000001", folder / "000002")
        with pytest.raises(PieceBroken, match="base/000002"):
            series.get("base/000002")

    def test_a_piece_of_an_older_backup_in_its_place(self, place: Folder, keys: OuterKeys) -> None:
        older = written(place, keys, minutes(-60), minutes(-50))
        newer = written(place, keys, minutes(-30), minutes(-20))
        shutil.copy(place.path / OURS / older.id / "base/000001", place.path / OURS / newer.id / "base/000001")
        with pytest.raises(PieceBroken, match="base/000001"):
            newer.get("base/000001")

    def test_a_whole_older_backup_under_a_newer_name(self, place: Folder, keys: OuterKeys) -> None:
        older = written(place, keys, minutes(-60), minutes(-50))
        (place.path / OURS / older.id).rename(place.path / OURS / "20261122T115500Z-ffff")
        with pytest.raises(PieceBroken, match=r"series\.json"):
            chosen(place, keys)

    def test_a_mark_taken_out_of_the_middle(self, place: Folder, keys: OuterKeys) -> None:
        series = written(place, keys, minutes(-30), minutes(-20), minutes(-15), minutes(-10))
        (place.path / OURS / series.id / "marks/000002").unlink()
        with pytest.raises(PieceMissing, match="marks/000002"):
            chosen(place, keys)


class TestAPlace:
    def test_that_is_full_keeps_what_was_there_and_no_half_piece(self, place: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        place.put("a/b", b"before")

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(CannotWrite, match=r"a/b.*No space left on device"):
            place.put("a/b", b"after")
        assert place.get("a/b") == b"before"
        assert [path.name for path in (place.path / "a").iterdir()] == ["b"]

    def test_shows_no_text_of_what_it_holds(self, place: Folder, keys: OuterKeys) -> None:
        series = new_series(place, OURS, keys, NOON)
        series.put("base/000001", b"Ada Okafor " * 1000)
        assert not [path for path in place.path.rglob("*") if path.is_file() and b"Okafor" in path.read_bytes()]


class TestTheTargetFolder:
    @pytest.mark.parametrize("name", ["postgres", "secret.key", "notes.txt"])
    def test_with_anything_in_it_is_refused(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).touch()
        with pytest.raises(NotEmpty, match=name):
            require_empty(tmp_path, ())

    def test_may_have_the_key_the_backups_and_the_rest_of_an_unfinished_restore(self, tmp_path: Path) -> None:
        for name in ("outer.key", "backups", ".restoring"):
            (tmp_path / name).mkdir()
        require_empty(tmp_path, (tmp_path / "outer.key", tmp_path / "backups"))


class TestSegments:
    def test_are_counted_over_the_end_of_a_log(self) -> None:
        assert list(segments("0000000200000001000000FE", "000000020000000200000001")) == [
            "0000000200000001000000FE",
            "0000000200000001000000FF",
            "000000020000000200000000",
            "000000020000000200000001",
        ]
        assert after("0000000100000000000000FF") == "000000010000000100000000"


class TestFiles:
    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        folder = tmp_path / "data"
        for name in ("outbox/email/1.txt", "postgres/base", "static/a.css", "cache/x", ".serve.lock", "secret.key", "outer.key", "backups/piece"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
        return folder

    def stored(self, data: Path, place: Folder, keys: OuterKeys, before: Mark | None = None) -> tuple[Series, list[StoredFile]]:
        series = new_series(place, OURS, keys, NOON)
        return series, DataFiles(data, (data / "outer.key", data / "backups")).stored(series, before)

    def test_are_the_folders_own_without_database_keys_locks_and_what_is_made_anew(self, data: Path, place: Folder, keys: OuterKeys) -> None:
        assert [one.path for one in self.stored(data, place, keys)[1]] == ["outbox/email/1.txt", "secret.key"]

    def test_come_back_with_content_mode_and_time(self, data: Path, place: Folder, keys: OuterKeys, tmp_path: Path) -> None:
        (data / "secret.key").chmod(0o600)
        series, files = self.stored(data, place, keys)
        assert write_back(series, files, tmp_path / "new") == 2
        restored, original = tmp_path / "new" / "secret.key", data / "secret.key"
        assert (restored.read_text(), restored.stat().st_mode, restored.stat().st_mtime_ns) == (
            "secret.key",
            original.stat().st_mode,
            original.stat().st_mtime_ns,
        )

    def test_that_did_not_change_are_not_stored_again(self, data: Path, place: Folder, keys: OuterKeys) -> None:
        series, files = self.stored(data, place, keys)
        before = len(series.names("files/"))
        again = DataFiles(data, (data / "outer.key", data / "backups")).stored(series, Mark(1, NOON.isoformat(), "", "", {}, files))
        assert (again, len(series.names("files/"))) == (files, before)

    def test_as_of_a_moment_have_what_was_taken_away_since_and_not_what_came_later(self) -> None:
        kept, gone, late = (StoredFile(name, 0o600, 0, changed, []) for name, changed in (("kept", 1), ("gone", 1), ("late", 9)))
        earlier, later = Mark(1, NOON.isoformat(), "", "", {}, [kept, gone]), Mark(2, NOON.isoformat(), "", "", {}, [kept, late])
        assert {one.path for one in files_at(5, earlier, later)} == {"kept", "gone"}

    def test_never_leave_the_folder(self, place: Folder, keys: OuterKeys, tmp_path: Path) -> None:
        series = new_series(place, OURS, keys, NOON)
        with pytest.raises(PieceBroken):
            write_back(series, [StoredFile("../outside", 0o600, 0, 1, [])], tmp_path / "new")
        assert not (tmp_path / "outside").exists()
