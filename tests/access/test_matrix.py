"""The matrix of docs/access.md is what the doors answer today, and its sharpest lines are said here once more by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openward.access.actor import Actor
from openward.access.policy import AccessPolicy
from openward.fhir.definitions import RESOURCE_TYPES
from openward.fhir.errors import FhirError, NotFound
from openward.record import open_store
from openward.record.jobs import JOBS
from tests import cast
from tests.access import doors, matrix, papers, queues
from tests.access.people import HYPERTENSION, condition
from tests.billing.clinic import Clinic
from tests.billing.conftest import clinic, data_folder  # noqa: F401 - the clinic is the billing tests' own

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> dict[str, Actor | None]:
    matrix.grant_proxies()
    return matrix.cast_of_the_matrix()


@pytest.mark.parametrize("title", matrix.SECTIONS)
def test_the_page_says_what_the_doors_answer(title: str, tmp_path: Path, settings: Any) -> None:
    assert matrix.documented(title) == matrix.told(title, tmp_path, settings), "write it anew: pytest tests/access/matrix.py"


def test_every_operation_has_its_door() -> None:
    """One that is new is called here too before it is let out: say in tests/access/doors.py how, and by what it shows whose data it gave."""
    assert doors.registered() ^ doors.DOORS.keys() == set()


def test_every_job_has_its_way_into_the_queue() -> None:
    ways = [*queues.by_the_clock(), *queues.BY_WHOM, *queues.BY_ANOTHER]
    assert sorted(ways) == sorted(JOBS)


def test_everything_that_leaves_a_page_is_asked_for(clinic: Clinic) -> None:  # noqa: F811 - the fixture of that name
    assert papers.that_leave() ^ papers.desk(clinic).papers.keys() == set()


def test_an_expired_proxy_passes_no_door(people: dict[str, Actor | None]) -> None:
    late = people["expired proxy"]
    assert [type for type in RESOURCE_TYPES if matrix.letters(late, type)] == []


def test_nobody_who_is_staff_exports(people: dict[str, Actor | None]) -> None:
    policy = AccessPolicy()
    staff = [actor for actor in people.values() if actor is not None and actor.kind != "client"]
    assert [actor.id for actor in staff for type in RESOURCE_TYPES if policy.where(actor, "export", type) is not None] == []


@pytest.mark.parametrize("name", ["it-agent", "administrator"])
def test_who_keeps_the_machines_sees_no_patient(people: dict[str, Actor | None], name: str) -> None:
    actor = people[name]
    assert not matrix.letters(actor, "Patient")
    assert not matrix.letters(actor, "Observation")


class TestAtTheStoreItself:
    """The same of real resources: the own patient's, and another's, by every interaction with one resource."""

    @pytest.fixture(autouse=True)
    def record(self, people: dict[str, Actor | None]) -> None:
        store = open_store(cast.system())
        store.update({"resourceType": "Patient", "id": cast.OTHER_PATIENT_ID, "name": [{"family": "Other"}]})
        store.update(condition("mine", HYPERTENSION, cast.PATIENT_ID))
        store.update(condition("others", HYPERTENSION, cast.OTHER_PATIENT_ID))

    @pytest.mark.parametrize(
        ("name", "mine", "others"),
        [
            ("clinician", True, True),
            ("nurse", True, True),
            ("biller", True, True),
            ("front-desk", False, False),
            ("manager", False, False),
            ("privacy-officer", False, False),
            ("it-agent", False, False),
            ("administrator", False, False),
            ("patient", True, False),
            ("proxy", True, False),
            ("expired proxy", False, False),
            ("system client", True, True),
            ("narrow client", False, False),
        ],
    )
    def test_reads_are_as_the_matrix_says(self, people: dict[str, Actor | None], name: str, mine: bool, others: bool) -> None:
        for id, expected in (("mine", mine), ("others", others)):
            assert self.every_way(people[name], id) == {expected}, (name, id)

    def every_way(self, actor: Actor | None, id: str) -> set[bool]:
        store = open_store(actor)  # type: ignore[arg-type]
        ways = (
            lambda: bool(store.read("Condition", id)),
            lambda: bool(store.vread("Condition", id, 1)),
            lambda: bool(store.history("Condition", id).versions),
            lambda: bool(store.search("Condition", {"_id": id}).resources),
            lambda: store.search("Condition", {"_id": id, "_total": "accurate", "_count": 0}).total == 1,
            lambda: any(version.id == id for version in store.history("Condition").versions),
            lambda: any(version.id == id for version in store.history().versions),
        )
        return {self.passes(way) for way in ways}

    def passes(self, way: object) -> bool:
        try:
            return bool(way())  # type: ignore[operator]
        except FhirError:
            return False

    def test_nobody_has_no_store(self) -> None:
        with pytest.raises((TypeError, AttributeError)):
            open_store(None)  # type: ignore[arg-type]

    def test_a_refused_read_says_what_a_missing_one_says(self, people: dict[str, Actor | None]) -> None:
        texts = set()
        for id in ("others", "no-such-id"):
            with pytest.raises(NotFound) as refused:
                open_store(people["patient"]).read("Condition", id)  # type: ignore[arg-type]
            texts.add(str(refused.value).replace(id, "ID"))
        assert len(texts) == 1
