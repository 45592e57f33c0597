"""Releases come in whole, once, and go on after a kill."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openward.fhir.store import Store
from openward.fhir.terminology import Terminology
from openward.fhir.terminology.loading import load as loading
from openward.fhir.terminology.loading.listing import here, lacking
from openward.fhir.terminology.loading.load import Loaded, LoadingAlready, NothingToLoad, VersionUnknown, found, load
from openward.fhir.terminology.loading.sources import UnreadableRelease
from tests.fhir.house import House
from tests.fhir.terminology.loading import releases

SNOMED = "http://snomed.info/sct"
US_2026 = f"{SNOMED}/731000124108/version/20260301"
TABLES = ("concept", "designation", "concept_property", "concept_parent", "terminology_load", "terminology_staged", "canonical")


def ignore(done: int, total: int, note: str) -> None:
    """Progress nobody watches."""


@pytest.fixture
def take(house: House) -> Callable[..., list[Loaded]]:
    connection = house.connect()

    def take(*paths: Path, version: str | None = None) -> list[Loaded]:
        return load(connection, found(list(paths), version), ignore)

    return take


def content(house: House) -> dict[str, list[Any]]:
    """Everything that is in the tables, times aside."""
    rows = {}
    for table in TABLES[:4]:
        columns = "tenant, cs, code, display, definition, inactive, abstract" if table == "concept" else "*"
        rows[table] = sorted(house.connections[0].execute(f"select {columns} from fhir.{table}").fetchall(), key=str)
    return rows


class TestSnomed:
    def test_concepts_have_their_preferred_names_and_their_place(self, take: Any, terminology: Terminology, tmp_path: Path) -> None:
        [loaded] = take(releases.snomed(tmp_path, retired=["900006"], attributes=[("900005", "900006", "363698007")]))
        assert loaded == Loaded("SNOMED CT", SNOMED, US_2026, 6, "loaded")
        assert terminology.display(SNOMED, "900005") == "Otter"
        assert [terminology.display(SNOMED, "900005", language) for language in ("en", "en-US", "de")] == ["Otter"] * 3
        assert terminology.subsumes(SNOMED, "900002", "900005") == "subsumes"
        assert sorted(terminology.above(SNOMED, "900005") or ()) == ["900001", "900002", "900003", "900004", "900005"]
        system = terminology.catalogue.system(SNOMED)
        assert system is not None
        concept = system.find("900006")
        assert concept is not None
        assert concept.inactive
        assert [(one.value, one.use and one.use[2]) for one in concept.designations] == [
            ("Cage (thing)", "Fully specified name"), ("Cage, so called", "Synonym"), ("Cage", "Synonym"),
        ]  # fmt: skip
        assert ("363698007", "900006") in [(one.code, one.value) for one in system.properties("900005")]

    def test_the_value_sets_that_lacked_it_now_decide(self, take: Any, terminology: Terminology, tmp_path: Path) -> None:
        everything = "http://hl7.org/fhir/ValueSet/substance-code"
        assert terminology.member(everything, SNOMED, "105590001") is None
        take(releases.snomed(tmp_path, {"105590001": ("Substance", ()), "900010": ("Salt", ("105590001",)), "900011": ("Idea", ())}))
        answers = [terminology.member(everything, SNOMED, code) for code in ("105590001", "900010", "900011", "900012")]
        assert answers == [True, True, False, False]

    def test_a_newer_version_stands_beside_the_old(self, take: Any, terminology: Terminology, tmp_path: Path) -> None:
        take(releases.snomed(tmp_path / "old"))
        take(releases.snomed(tmp_path / "new", {"900001": ("Zoo thing", ())}, date="20260901"))
        assert terminology.display(SNOMED, "900001") == "Zoo thing"
        assert terminology.validate_code(SNOMED, "900005").result is False
        assert terminology.validate_code(SNOMED, "900005", version=US_2026).result is True


class TestTheOthers:
    def test_loinc_with_its_axes_parts_and_answers(self, take: Any, terminology: Terminology, tmp_path: Path) -> None:
        [loaded] = take(releases.loinc(tmp_path))
        assert (loaded.version, loaded.concepts) == ("2.91", 7)
        system = terminology.catalogue.system("http://loinc.org")
        assert system is not None
        concept = system.find("99001-1")
        assert concept is not None
        assert (concept.display, concept.definition) == ("Unobtainium [Mass/volume] in Serum", 'Says "how much",\nover two lines.')
        assert {(one.code, one.value) for one in system.properties("99001-1")} >= {("CLASSTYPE", "1"), ("SCALE_TYP", "Qn")}
        assert list(system.ancestors("99001-1")) == ["LP99001-8", "LP99000-0"]
        assert ("answer-list", "LL9901-1") in [(one.code, one.value) for one in system.properties("99002-9")]
        assert [one.value for one in concept.designations] == ["Unob", "UNB", "Unobt SerPl-mCnc"]

    def test_us_core_laboratory_codes_decide_once_loinc_is_here(self, take: Any, terminology: Terminology, tmp_path: Path) -> None:
        take(releases.loinc(tmp_path))
        laboratory = "http://hl7.org/fhir/us/core/ValueSet/us-core-laboratory-test-codes"
        assert [terminology.member(laboratory, "http://loinc.org", code) for code in ("99001-1", "99002-9")] == [True, False]

    def test_rxnorm_with_its_relations(self, take: Any, terminology: Terminology, tmp_path: Path) -> None:
        [loaded] = take(releases.rxnorm(tmp_path))
        system = terminology.catalogue.system(loaded.url)
        assert system is not None
        assert (loaded.version, loaded.concepts) == ("20260302", 3)
        tablet, old = system.find("9900002"), system.find("9900003")
        assert tablet is not None
        assert old is not None
        assert (tablet.display, old.inactive) == ("placebonium 5 MG Oral Tablet", True)
        assert [one.value for one in tablet.designations] == ["placebonium 5 milligram tablet"]
        assert sorted((one.code, one.value) for one in system.properties("9900002")) == [
            ("RXN_STRENGTH", "5 MG"), ("TTY", "SCD"), ("has_ingredient", "9900001"),
        ]  # fmt: skip

    def test_cpt_below_its_licence(self, take: Any, terminology: Terminology, tmp_path: Path) -> None:
        [loaded] = take(releases.cpt(tmp_path))
        assert (loaded.version, loaded.concepts) == ("2026", 2)
        assert terminology.display(loaded.url, "0999x") == "Looking at a dragon, each 15 minutes"

    def test_icd_10_cm_finds_its_parents(self, take: Any, terminology: Terminology, tmp_path: Path) -> None:
        [loaded] = take(releases.icd10cm(tmp_path))
        assert (loaded.version, loaded.concepts) == ("2027", 4)
        assert terminology.above(loaded.url, "X99.1XXA") == ["X99.1XXA", "X99.1", "X99"]
        assert terminology.validate_code(loaded.url, "E11.65").result is False  # the one that ships is older

    def test_hcpcs_texts_go_on_over_lines(self, take: Any, terminology: Terminology, tmp_path: Path) -> None:
        [loaded] = take(releases.hcpcs(tmp_path))
        assert loaded.concepts == 2
        assert terminology.display(loaded.url, "Z9901") == "Dragon saddle, with all that belongs to it and a text that goes on in the next line"

    def test_cvx_says_what_is_no_longer_given(self, take: Any, terminology: Terminology, tmp_path: Path) -> None:
        [loaded] = take(releases.cvx(tmp_path))
        system = terminology.catalogue.system(loaded.url)
        assert system is not None
        old = system.find("9902")
        assert old is not None
        assert old.inactive
        assert terminology.validate_code(loaded.url, "08").result is False

    def test_a_folder_of_several_is_taken_whole(self, take: Any, tmp_path: Path) -> None:
        for make in (releases.snomed, releases.loinc, releases.rxnorm, releases.cpt, releases.icd10cm, releases.hcpcs, releases.cvx):
            make(tmp_path)
        assert {one.title for one in take(tmp_path)} == {"SNOMED CT", "LOINC", "RxNorm", "CPT", "ICD-10-CM", "HCPCS Level II", "CVX"}


class TestKilledAndAgain:
    def test_the_same_release_again_changes_nothing(self, take: Any, house: House, tmp_path: Path) -> None:
        folder = releases.snomed(tmp_path)
        take(folder)
        before = content(house)
        assert [one.outcome for one in take(folder)] == ["there"]
        assert content(house) == before

    @pytest.mark.parametrize("batches", [1, 2, 3, 5, 8, 13, 21])
    def test_killed_anywhere_it_goes_on_to_the_same_end(self, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batches: int) -> None:
        monkeypatch.setattr(loading, "BATCH", 2)
        folder = releases.snomed(tmp_path)
        connection = house.connect()
        load(connection, found([folder]), ignore)
        expected = content(house)
        _forget(house)
        calls = 0

        def killed(done: int, total: int, note: str) -> None:
            nonlocal calls
            calls += 1
            if calls == batches:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            load(connection, found([folder]), killed)
        assert [one.outcome for one in load(connection, found([folder]), ignore)] == ["resumed"]
        assert content(house) == expected

    def test_a_half_loaded_release_answers_nothing(self, house: House, terminology: Terminology, tmp_path: Path) -> None:
        def killed(done: int, total: int, note: str) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            load(house.connect(), found([releases.snomed(tmp_path)]), killed)
        assert terminology.knows_system(SNOMED) is False
        assert [one.where for one in here(house.connect(), 1) if one.url == SNOMED] == ["loading"]

    def test_a_corrected_file_of_the_same_version_replaces_it(self, take: Any, terminology: Terminology, tmp_path: Path) -> None:
        take(releases.snomed(tmp_path))
        [again] = take(releases.snomed(tmp_path, {"900001": ("Corrected", ())}))
        assert (again.outcome, again.concepts) == ("loaded", 1)
        assert terminology.display(SNOMED, "900001") == "Corrected"

    def test_two_at_once_are_refused(self, house: House, tmp_path: Path) -> None:
        other = house.connect()
        other.execute("select pg_advisory_lock(hashtextextended('openward terminology load', 0))")
        with pytest.raises(LoadingAlready):
            load(house.connect(), found([releases.snomed(tmp_path)]), ignore)

    def test_progress_grows_to_the_end(self, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(loading, "BATCH", 2)
        heard: list[tuple[int, int]] = []
        load(house.connect(), found([releases.snomed(tmp_path)]), lambda done, total, note: heard.append((done, total)))
        assert [done for done, _ in heard] == sorted(done for done, _ in heard)
        assert heard[-1][0] == heard[-1][1]


class TestGarbage:
    def test_nothing_known_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "holiday.txt").write_text("sun")
        with pytest.raises(NothingToLoad):
            found([tmp_path])

    def test_a_version_that_cannot_be_told_is_asked_for(self, tmp_path: Path) -> None:
        path = releases.write(tmp_path / "LONGULT.txt", [releases.tabs("99991", "Counting")])
        with pytest.raises(VersionUnknown, match="--version"):
            found([path])
        assert found([path], "2031")[0].version == "2031"

    def test_a_damaged_archive_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "Loinc_2.91.zip").write_bytes(b"PK\x03\x04 not really")
        with pytest.raises(UnreadableRelease, match="damaged"):
            found([tmp_path])

    def test_an_archive_cut_short_is_said(self, take: Any, tmp_path: Path) -> None:
        made = releases.loinc(tmp_path)
        with zipfile.ZipFile(made) as archive:
            offset = archive.getinfo("LoincTable/Loinc.csv").header_offset
        damaged = bytearray(made.read_bytes())
        damaged[offset + 80 : offset + 120] = bytes(40)
        made.write_bytes(bytes(damaged))
        with pytest.raises(UnreadableRelease):
            take(made)

    def test_a_missing_column_is_named(self, take: Any, tmp_path: Path) -> None:
        folder = releases.snomed(tmp_path)
        [path] = folder.rglob("sct2_Concept_*")
        path.write_text(path.read_text().replace("definitionStatusId", "other"))
        with pytest.raises(UnreadableRelease, match="definitionStatusId"):
            take(folder)

    def test_a_file_that_cannot_be_read_leaves_no_trace(self, take: Any, house: House, tmp_path: Path) -> None:
        self.test_a_missing_column_is_named(take, tmp_path)
        assert [one for one in here(house.connect(), 1) if one.url == SNOMED] == []

    def test_a_damaged_file_of_a_version_that_is_in_takes_nothing_away(self, take: Any, terminology: Terminology, tmp_path: Path) -> None:
        folder = releases.snomed(tmp_path)
        take(folder)
        known = terminology.display(SNOMED, "900001")
        [path] = folder.rglob("sct2_Description_*")
        path.write_text(path.read_text() + "123\t2026\n")
        with pytest.raises(UnreadableRelease):
            take(folder)
        assert (terminology.display(SNOMED, "900001"), known is not None) == (known, True)

    def test_a_line_with_too_few_fields_is_told_by_its_place(self, take: Any, house: House, tmp_path: Path) -> None:
        folder = releases.snomed(tmp_path)
        [path] = folder.rglob("sct2_Concept_*")
        path.write_text(path.read_text() + "123\t2026\n")
        with pytest.raises(UnreadableRelease, match="byte .* has 2 fields"):
            take(folder)

    def test_bytes_that_are_no_text_become_something_and_nothing_breaks(self, take: Any, tmp_path: Path) -> None:
        path = tmp_path / "cvx_20260301.txt"
        path.write_bytes(b"\xff\xfe\x00|a|b|c|Active\r\n9|caf\xe9|||Active\r\n\r\n|||\r\n")
        assert take(path)[0].concepts == 1


class TestTheList:
    def test_says_what_is_here_and_what_is_lacking(self, take: Any, store: Store, tmp_path: Path) -> None:
        before = {one.title for one in lacking(store.connection, 1)}
        take(releases.snomed(tmp_path))
        assert before == {"SNOMED CT", "LOINC", "RxNorm", "CPT", "CVX"}
        assert {one.title for one in lacking(store.connection, 1)} == before - {"SNOMED CT"}
        [line] = [one for one in here(store.connection, 1) if one.url == SNOMED]
        assert (line.version, line.concepts, line.where) == (US_2026, 6, "loaded")


def _forget(house: House) -> None:
    house.connections[0].execute(f"truncate {', '.join(f'fhir.{table}' for table in TABLES)}")
