from __future__ import annotations

import os
from pathlib import Path

import pytest

from openward.billing import actions, health, jobs
from openward.billing.clearinghouse import MAX_BYTES, FolderClearinghouse, clearinghouse
from openward.billing.models import RefusedFile, Submission
from tests.billing.clinic import PAID_IN_PART, Clinic, answer, file_of


@pytest.fixture
def arrivals(data_folder: Path) -> Path:
    folder = data_folder / "clearinghouse" / "in"
    folder.mkdir(parents=True)
    return folder


def drop(folder: Path, name: str, data: bytes, *, age: float = 10) -> Path:
    file = folder / name
    file.write_bytes(data)
    then = file.stat().st_mtime - age
    os.utime(file, (then, then))
    return file


class TestTheJob:
    def test_a_dropped_file_is_posted_and_put_away(self, clinic: Clinic, arrivals: Path) -> None:
        claim = clinic.sent()
        drop(arrivals, "era.835", file_of(answer(claim, *PAID_IN_PART)))
        jobs.collect_remittances()
        assert clinic.state(claim) == "paid"
        assert (arrivals / "posted" / "era.835").exists()

    def test_a_truncated_file_is_put_beside_its_reason(self, clinic: Clinic, arrivals: Path) -> None:
        drop(arrivals, "era.835", file_of(answer(clinic.sent(), *PAID_IN_PART))[:-50])
        jobs.collect_remittances()
        assert "byte" in (arrivals / "refused" / "era.835.reason.txt").read_text()

    def test_a_file_still_being_copied_is_left_alone(self, clinic: Clinic, arrivals: Path) -> None:
        drop(arrivals, "era.835", b"ISA*", age=0)
        drop(arrivals, "other.835.part", b"ISA*")
        jobs.collect_remittances()
        assert sorted(file.name for file in arrivals.iterdir()) == ["era.835", "other.835.part"]

    def test_a_file_that_breaks_the_job_does_not_hold_up_the_others_and_is_not_lost(
        self, clinic: Clinic, arrivals: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        claim = clinic.sent()
        drop(arrivals, "a.835", b"boom", age=20)
        drop(arrivals, "b.835", file_of(answer(claim, *PAID_IN_PART)))
        take = actions.remittances.take_file

        def breaks(**arguments: object) -> object:
            if arguments["name"] == "a.835":
                raise OSError("disk")
            return take(**arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(actions.remittances, "take_file", breaks)
        with pytest.raises(OSError, match="disk"):
            jobs.collect_remittances()
        assert clinic.state(claim) == "paid"
        assert (arrivals / "a.835").exists()

    def test_a_file_that_cannot_be_read_does_not_hold_up_the_others(self, clinic: Clinic, arrivals: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        claim = clinic.sent()
        drop(arrivals, "a.835", b"somebody else's", age=20)
        drop(arrivals, "b.835", file_of(answer(claim, *PAID_IN_PART)))
        read = Path.read_bytes

        def locked(file: Path) -> bytes:
            if file.name == "a.835":
                raise PermissionError(13, "Permission denied")
            return read(file)

        monkeypatch.setattr(Path, "read_bytes", locked)
        with pytest.raises(PermissionError):
            jobs.collect_remittances()
        assert clinic.state(claim) == "paid"

    def test_a_file_taken_away_meanwhile_is_nobodys(self, clinic: Clinic, arrivals: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        gone = drop(arrivals, "a.835", b"ISA*")
        listed = clearinghouse().files()
        gone.unlink()
        monkeypatch.setattr(FolderClearinghouse, "files", lambda self: listed)
        jobs.collect_remittances()
        assert not RefusedFile.objects.exists()

    def test_a_file_too_large_to_read_is_refused_without_being_read(self, clinic: Clinic, arrivals: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        drop(arrivals, "huge.835", b"")
        os.truncate(arrivals / "huge.835", MAX_BYTES + 1)
        os.utime(arrivals / "huge.835", (1, 1))
        monkeypatch.setattr(Path, "read_bytes", lambda file: pytest.fail("read"))
        jobs.collect_remittances()
        assert (arrivals / "refused" / "huge.835.reason.txt").read_text() == "The file is larger than 50 MB.\n"
        assert RefusedFile.objects.get().name == "huge.835"

    def test_a_name_that_is_no_text_is_posted_like_any_other(self, clinic: Clinic, arrivals: Path) -> None:
        claim = clinic.sent()
        drop(arrivals, os.fsdecode(b"era\xff.835"), file_of(answer(claim, *PAID_IN_PART)))
        jobs.collect_remittances()
        assert clinic.state(claim) == "paid"

    def test_the_same_name_twice_keeps_both(self, clinic: Clinic, arrivals: Path) -> None:
        claim = clinic.sent()
        for trace in ("T1", "T2"):
            drop(arrivals, "era.835", file_of(answer(claim, *PAID_IN_PART), trace=trace))
            jobs.collect_remittances()
        assert len(list((arrivals / "posted").iterdir())) == 2


class TestHealth:
    def test_all_is_well_at_first(self, clinic: Clinic) -> None:
        assert [health.ledger_balances(), health.folder_moves(), health.payments_finish()] == [None, None, None]

    def test_a_file_nobody_takes_is_a_trouble(self, clinic: Clinic, arrivals: Path) -> None:
        drop(arrivals, "era.835", b"x", age=600)
        assert "1 remittance file" in str(health.folder_moves())

    def test_a_claim_file_that_never_left_is_a_trouble(self, clinic: Clinic) -> None:
        clinic.sent()
        Submission.objects.update(made_at="2020-01-01T00:00:00Z")
        assert "not handed over" in str(health.folder_moves())


class TestSending:
    def test_the_same_file_twice_is_one_file(self, data_folder: Path, settings: object) -> None:
        house = clearinghouse()
        house.send("a.837", b"one")
        house.send("a.837", b"one")
        assert [file.name for file in house.out.iterdir()] == ["a.837"]

    def test_nobody_sees_half_a_file(self, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        house = clearinghouse()

        def full(*_: object) -> None:
            raise OSError("no space left")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space"):
            house.send("a.837", b"one")
        assert not [file for file in house.out.iterdir() if not file.name.startswith(".")]
