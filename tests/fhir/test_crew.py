from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openward.fhir.crew import Footprint, ProcessEnded
from openward.fhir.loading import Report, load
from openward.fhir.reading import LINES
from openward.fhir.store import Store
from tests.fhir.house import House
from tests.fhir.test_loading import bundle

PROCESSES = 3


def patient(number: int, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": f"patient-{number:03}", **more}


def pulse(number: int) -> dict[str, Any]:
    subject = {"reference": f"Patient/patient-{number:03}"}
    return {"resourceType": "Observation", "id": f"pulse-{number:03}", "status": "final", "code": {"text": "pulse"}, "subject": subject}


def clinic(name: str) -> dict[str, Any]:
    return {"resourceType": "Organization", "id": "clinic", "name": name}


@pytest.fixture
def together(house: House, tmp_path: Path) -> Callable[..., Report]:
    """Import the files, named in their order, by several processes at once."""

    def run(*files: Any, **options: Any) -> Report:
        for number, content in enumerate(files):
            ending, text = ("ndjson", content) if isinstance(content, str) else ("json", json.dumps(content))
            (tmp_path / f"{number:03}.{ending}").write_text(text)
        return load([tmp_path], options.get("open_store", house.store), processes=PROCESSES)

    return run


def as_collection(resource: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}]}


class TestTogether:
    def test_many_bundles_go_in_and_nothing_twice(self, house: House, together: Callable[..., Report]) -> None:
        files = [bundle(patient(number), pulse(number)) for number in range(40)]
        first, again = together(*files), together()
        assert (first.documents, first.created, first.refused) == (40, 80, [])
        assert (again.known, again.written) == (40, 0)
        assert house.count("fhir.current") == 80

    def test_a_bundle_may_point_at_what_the_one_before_it_brings(self, together: Callable[..., Report]) -> None:
        report = together(*(file for number in range(20) for file in (bundle(patient(number)), bundle(pulse(number)))))
        assert (report.created, report.refused) == (40, [])

    def test_what_points_at_a_later_bundle_is_refused_as_by_one_process(self, together: Callable[..., Report]) -> None:
        report = together(*(file for number in range(10) for file in (bundle(pulse(number)), bundle(patient(number)))))
        assert [refusal.name for refusal in report.refused] == [f"{number:03}.json" for number in range(0, 20, 2)]

    def test_of_what_many_bundles_bring_the_first_stays(self, store: Store, together: Callable[..., Report]) -> None:
        report = together(*(bundle(clinic(f"Clinic {number}"), patient(number)) for number in range(20)))
        assert (report.kept, report.created) == (19, 21)
        assert store.read("Organization", "clinic").data["name"] == "Clinic 0"

    def test_of_what_many_files_say_anew_the_last_stays(self, store: Store, together: Callable[..., Report]) -> None:
        together(*(as_collection(clinic(f"Clinic {number}")) for number in range(20)))
        stored = store.read("Organization", "clinic").data
        assert (stored["name"], stored["meta"]["versionId"]) == ("Clinic 19", "20")

    def test_nothing_is_left_out_when_all_processes_are_done_at_once(self, house: House, tmp_path: Path) -> None:
        for number in range(8):
            (tmp_path / f"{number}.json").write_text(json.dumps(bundle(patient(number))))
        report = load([tmp_path], house.store, lambda done, total, note: time.sleep(0.1), processes=PROCESSES)
        assert (report.documents, report.created) == (8, 8)

    def test_lines_of_one_file_keep_their_order(self, store: Store, together: Callable[..., Report]) -> None:
        lines = [patient(number % LINES, birthDate=f"{1900 + number // LINES}") for number in range(3 * LINES)]
        report = together("\n".join(map(json.dumps, lines)))
        assert (report.created, report.updated, report.refused) == (LINES, 2 * LINES, [])
        assert store.read("Patient", "patient-001").data["birthDate"] == "1902"

    def test_conditions_see_what_came_before(self, house: House, together: Callable[..., Report]) -> None:
        def conditional(number: int) -> dict[str, Any]:
            sent = bundle({**clinic(f"Clinic {number}"), "id": f"clinic-{number}", "identifier": [{"system": "urn:npi", "value": "1"}]})
            sent["entry"][0]["request"]["ifNoneExist"] = "identifier=urn:npi|1"
            return sent

        together(*map(conditional, range(12)))
        assert house.count("fhir.current") == 1

    def test_a_damaged_bundle_is_refused_whole_and_the_rest_goes_in(self, house: House, together: Callable[..., Report]) -> None:
        report = together(bundle(patient(1), pulse(2)), bundle(patient(3)), bundle({**patient(4), "gender": "f"}), bundle(patient(5)))
        assert [refusal.name for refusal in report.refused] == ["000.json", "002.json"]
        assert house.count("fhir.current") == 2


class TestEnds:
    def test_a_killed_process_is_said_and_the_next_import_completes(self, house: House, together: Callable[..., Report]) -> None:
        parent = os.getpid()

        def killed() -> Store:
            if os.getpid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)
            return house.store()

        files = [bundle(patient(number)) for number in range(6)]
        with pytest.raises(ProcessEnded):
            together(*files, open_store=killed)
        assert multiprocessing.active_children() == []
        together()
        assert house.count("fhir.current") == 6

    def test_no_process_is_left_when_the_reader_gives_up(self, house: House, tmp_path: Path) -> None:
        def give_up(done: int, total: int, note: str) -> None:
            raise KeyboardInterrupt

        (tmp_path / "a.json").write_text(json.dumps(bundle(patient(1))))
        with pytest.raises(KeyboardInterrupt):
            load([tmp_path], house.store, give_up, processes=PROCESSES)
        assert multiprocessing.active_children() == []


class TestFootprints:
    A, B = frozenset({"Patient/a"}), frozenset({"Patient/b"})

    @pytest.mark.parametrize(
        ("earlier", "later", "must_wait"),
        [
            (Footprint(gives=A), Footprint(gives=B), False),
            (Footprint(gives=A), Footprint(gives=A), True),
            (Footprint(gives=A), Footprint(needs=A), True),
            (Footprint(needs=A), Footprint(gives=A), True),
            (Footprint(needs=A), Footprint(needs=A), False),
            (Footprint(sets=A), Footprint(needs=A), True),
            (Footprint(needs=A), Footprint(sets=A), True),
            (Footprint(alone=True), Footprint(gives=B), True),
            (Footprint(gives=A), Footprint(alone=True), True),
        ],
    )
    def test_what_touches_the_same_waits(self, earlier: Footprint, later: Footprint, must_wait: bool) -> None:
        assert later.follows(earlier, set()) is must_wait

    def test_giving_what_is_there_already_changes_nothing(self) -> None:
        assert not Footprint(gives=self.A, needs=self.A).follows(Footprint(gives=self.A), set(self.A))
