"""The words of ICD-10-CM as a file that processes share."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest

from openward.chart import diagnoses
from openward.chart.diagnosis_index import Damaged, Diagnosis, Words, keep, mapped, opened, packed

ENTRIES = [("I10", "Essential (primary) hypertension", 1), ("E11", "Type 2 diabetes mellitus", 0), ("E11.9", "Ménière’s, for the letters’ sake", 1)]
WORDS = {"type": array("I", [1]), "hypertension": array("I", [0]), "ménière": array("I", [2]), "2": array("I", [1, 2])}


@pytest.fixture(params=["in memory", "from a file"])
def words(request: pytest.FixtureRequest, tmp_path: Path) -> Words:
    data = packed(ENTRIES, WORDS)
    if request.param == "in memory":
        return opened(data)
    keep(tmp_path / "there" / "some.words", data)
    return mapped(tmp_path / "there" / "some.words")


def test_what_was_packed_is_what_is_read(words: Words) -> None:
    assert [words.entry(place) for place in range(3)] == [Diagnosis(code, name, bool(billable)) for code, name, billable in ENTRIES]
    assert {word: array("I", words.where(number)) for number, word in enumerate(words.words)} == WORDS


def test_words_and_codes_stand_sorted(words: Words) -> None:
    assert list(words.words) == sorted(WORDS)
    assert words.bare[0:3] == ["E11", "E119", "I10"]


@pytest.mark.parametrize(("bare", "place"), [("I10", 0), ("E11", 1), ("E119", 2), ("E1", None), ("ZZZ", None), ("", None)])
def test_a_code_is_found_by_its_letters(words: Words, bare: str, place: int | None) -> None:
    assert words.place_of(bare) == place


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[:-1], lambda data: data[: len(data) // 2], lambda data: b"x" * 100 + b"\n", lambda data: b"{}\n"]
)
def test_a_file_that_is_not_whole_is_refused(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "some.words"
    path.write_bytes(damage(packed(ENTRIES, WORDS)))
    with pytest.raises(Damaged):
        mapped(path)


@pytest.fixture
def not_set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnoses, "BESIDE", tmp_path / "program")


def test_what_was_made_at_set_up_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path / diagnoses.FILE, packed(ENTRIES, WORDS))
    monkeypatch.setattr(diagnoses, "BESIDE", tmp_path)
    monkeypatch.setattr(diagnoses, "cache_folder", tmp_path / "data")
    assert diagnoses._words().place_of("I10") == 0
    assert not (tmp_path / "data").exists()


@pytest.mark.usefixtures("not_set_up")
def test_a_damaged_file_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def run(command: list[str], **how: object) -> None:
        asked.append(Path(command[-1]))
        keep(asked[-1], packed(ENTRIES, WORDS))

    monkeypatch.setattr(diagnoses, "cache_folder", tmp_path)
    monkeypatch.setattr(diagnoses.subprocess, "run", run)
    diagnoses._words()
    asked[0].write_bytes(b"half")
    assert diagnoses._words().place_of("I10") == 0
    diagnoses._words()
    assert len(asked) == 2


@pytest.mark.usefixtures("not_set_up")
def test_where_no_file_can_be_kept_the_words_are_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(diagnoses, "cache_folder", tmp_path / "file" / "no folder")
    monkeypatch.setattr(diagnoses, "made", lambda: packed(ENTRIES, WORDS))
    monkeypatch.setattr(diagnoses.subprocess, "run", lambda command, **how: keep(Path(command[-1]), b""))
    assert diagnoses._words().place_of("E119") == 2
    assert "own memory" in caplog.text
