from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openward.fhir.loading import Report, load
from openward.fhir.store import Store
from tests.fhir.house import House

ADA = "11111111-1111-4111-8111-111111111111"
PULSE = "22222222-2222-4222-8222-222222222222"
CLINIC = "33333333-3333-4333-8333-333333333333"


def bundle(*resources: dict[str, Any], kind: str = "transaction") -> dict[str, Any]:
    entries = [
        {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}
        for resource in resources
    ]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def ada(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": ADA, **more}


def pulse(subject: str = f"urn:uuid:{ADA}") -> dict[str, Any]:
    return {"resourceType": "Observation", "id": PULSE, "status": "final", "code": {"text": "pulse"}, "subject": {"reference": subject}}


@pytest.fixture
def imported(store: Store, tmp_path: Path) -> Callable[..., Report]:
    """Write the files and import their folder; text, bytes, or something to write as JSON."""

    def run(**files: Any) -> Report:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            (tmp_path / name.replace("__", ".")).write_bytes(data)
        return load([tmp_path], lambda: store)

    return run


class TestBundles:
    def test_urns_become_the_ids(self, store: Store, imported: Callable[..., Report]) -> None:
        report = imported(ada__json=bundle(ada(), pulse()))
        assert (report.created, report.refused) == (2, [])
        assert store.read("Observation", PULSE).data["subject"]["reference"] == f"Patient/{ADA}"

    def test_the_same_again_adds_nothing(self, house: House, imported: Callable[..., Report]) -> None:
        imported(ada__json=bundle(ada(), pulse()))
        again = imported()
        assert (again.known, again.written) == (1, 0)
        assert house.count("fhir.body") == 2

    def test_the_same_resources_in_another_file_add_nothing(self, house: House, imported: Callable[..., Report]) -> None:
        imported(ada__json=bundle(ada(), pulse()))
        again = imported(b__json=bundle(pulse(), ada()))
        assert (again.known, again.unchanged, again.written) == (1, 2, 0)
        assert house.count("fhir.body") == 2

    def test_what_is_there_with_other_content_is_kept_and_said(self, store: Store, imported: Callable[..., Report]) -> None:
        imported(a__json=bundle(ada(gender="female")))
        report = imported(b__json=bundle(ada(gender="male")))
        assert report.kept == 1
        assert store.read("Patient", ADA).data["gender"] == "female"

    def test_an_organization_of_many_bundles_is_stored_once(self, house: House, imported: Callable[..., Report]) -> None:
        clinic = {"resourceType": "Organization", "id": CLINIC, "name": "Clinic"}
        imported(a__json=bundle(clinic, ada()), b__json=bundle(clinic, pulse(f"Patient/{ADA}")))
        assert house.count("fhir.current") == 3

    def test_if_none_exist_doubles_nothing(self, house: House, imported: Callable[..., Report]) -> None:
        clinic = {"resourceType": "Organization", "id": CLINIC, "identifier": [{"system": "urn:npi", "value": "1"}], "name": "Clinic"}
        sent = bundle(clinic)
        sent["entry"][0]["request"]["ifNoneExist"] = "identifier=urn:npi|1"
        imported(a__json=sent)
        imported(b__json={**sent, "id": "other"})
        assert house.count("fhir.current") == 1

    def test_entries_that_name_nothing_get_the_same_id_every_time(self, house: House, imported: Callable[..., Report]) -> None:
        entry = {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}}
        imported(a__json={"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
        house.connections[0].execute("truncate fhir.import_ledger")
        assert imported().unchanged == 1

    def test_a_collection_goes_in_under_its_own_ids(self, store: Store, imported: Callable[..., Report]) -> None:
        imported(a__json=bundle(ada(), pulse(), kind="collection"))
        assert store.read("Observation", PULSE).data["subject"]["reference"] == f"Patient/{ADA}"


class TestDamage:
    @pytest.mark.parametrize(
        ("damaged", "reason"),
        [
            (b'{"resourceType": "Bundle", "type"', "not well-formed JSON"),
            (b"", "not well-formed JSON"),
            (bundle(ada(), {**pulse(), "status": "nonsense"}), "Bundle.entry[1].resource.status"),
            (bundle(ada(), pulse("Patient/nobody")), "Patient/nobody does not exist"),
            ({"resourceType": "Pasient", "id": "1"}, "is not a FHIR R4 resource type"),
            ({"resourceType": "Bundle", "type": "message", "entry": []}, "not something to import"),
        ],
    )
    def test_a_damaged_file_is_refused_whole_and_the_rest_goes_in(
        self, house: House, imported: Callable[..., Report], damaged: Any, reason: str
    ) -> None:
        good = {"resourceType": "Organization", "id": CLINIC, "name": "Clinic"}
        report = imported(a__json=damaged, b__json=good)
        assert [refusal.name for refusal in report.refused] == ["a.json"]
        assert reason in report.refused[0].reason
        assert house.count("fhir.current") == 1

    def test_a_cut_archive_is_refused_by_name(self, imported: Callable[..., Report]) -> None:
        whole = gzip.compress(json.dumps(bundle(ada())).encode())
        report = imported(a__json__gz=whole[:-12])
        assert [refusal.name for refusal in report.refused] == ["a.json.gz"]

    def test_a_bad_line_of_ndjson_is_refused_by_number_and_the_others_go_in(self, imported: Callable[..., Report]) -> None:
        lines = [json.dumps(ada()), '{"resourceType": "Patient", "id": "x", "gender": "f"}', "{", json.dumps(pulse())]
        report = imported(a__ndjson="\n".join(lines).encode())
        assert report.created == 2
        assert [refusal.name for refusal in report.refused] == ["a.ndjson line 2", "a.ndjson line 3"]
        assert not any("Bundle" in refusal.reason for refusal in report.refused)  # of which the file has none


class TestForms:
    def test_packed_files_and_archives_are_read_where_they_are(self, house: House, store: Store, tmp_path: Path) -> None:
        with tarfile.open(tmp_path / "all.tar.xz", "w:xz") as archive:
            for name, content in (
                ("in/ada.json", bundle(ada())),
                ("in/readme.txt", "no"),
                ("../evil.json", {"resourceType": "Patient", "id": "evil"}),
            ):
                data = json.dumps(content).encode()
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        (tmp_path / "more.ndjson.gz").write_bytes(gzip.compress(json.dumps(pulse(f"Patient/{ADA}")).encode()))
        report = load([tmp_path], lambda: store)
        assert (report.created, report.refused) == (3, [])
        assert not (tmp_path.parent / "evil.json").exists()

    def test_ndjson_updates_what_has_changed(self, store: Store, imported: Callable[..., Report]) -> None:
        imported(a__ndjson=json.dumps(ada(gender="female")).encode())
        report = imported(a__ndjson=json.dumps(ada(gender="male")).encode())
        assert (report.updated, store.read("Patient", ADA).data["gender"]) == (1, "male")

    def test_progress_ends_at_the_total(self, store: Store, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_text(json.dumps(bundle(ada())))
        told: list[tuple[int, int]] = []
        load([tmp_path], lambda: store, lambda done, total, note: told.append((done, total)))
        assert told[-1][0] == told[-1][1] == (tmp_path / "a.json").stat().st_size

    def test_the_report_is_for_people(self, imported: Callable[..., Report]) -> None:
        said = str(imported(a__json=bundle(ada()), b__json=b"{"))
        assert "1 resources created" in said
        assert "b.json: " in said


class TestSynthea:
    def test_all_of_synthea_goes_in_and_nothing_twice(self, house: House, store: Store, outside_data: Callable[[str], Path]) -> None:
        archives = [outside_data("synthea")]
        first, again = load(archives, lambda: store), load(archives, lambda: store)
        assert first.refused == []
        assert first.created > 30_000
        assert (again.known, again.written) == (first.documents, 0)
        assert house.count("fhir.current") == first.created
