"""Making the demo clinic in a real record: all of it once, on from where it stopped, and never in a record people use."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from openward.access.actor import Actor
from openward.accounts.actions import make_user
from openward.demo import clinic, loading
from openward.demo.errors import AnotherDemo, InUse
from openward.demo.models import Instance
from openward.record import open_store
from tests.demo.conftest import QUICK_HASHES
from tests.demo.making import NOW, TODAY

pytestmark = pytest.mark.django_db

WATCHER = Actor.system("watch the demo clinic", tenant=1)


@pytest.fixture(autouse=True)
def quick_and_apart(settings: Settings, tmp_path: Path) -> None:
    settings.OPENWARD_DATA = tmp_path
    settings.PASSWORD_HASHERS = QUICK_HASHES


class Heard:
    """Progress as the command line would show it."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int, str]] = []

    def __call__(self, done: int, total: int, note: str = "", /) -> None:
        self.steps.append((done, total, note))


def _build(patients: int = 3, seed: int = 7) -> Heard:
    heard = Heard()
    clinic.build(patients=patients, seed=seed, today=TODAY, progress=heard, now=NOW)
    return heard


def _count(type: str) -> int:
    return open_store(WATCHER).search(type, {"_count": 0, "_total": "accurate"}).total or 0


def test_progress_ends_when_all_is_done() -> None:
    done, total, _ = _build().steps[-1]
    assert done == total == 3 + len(clinic.STEPS)


def test_the_same_clinic_again_adds_nothing_and_says_so() -> None:
    _build()
    before = _count("Observation")
    assert [step[2] for step in _build().steps] == ["the demo clinic is there already"]
    assert _count("Observation") == before > 0


def test_an_interrupted_build_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "RESOURCES_A_BATCH", 1)

    def stop(done: int, total: int, note: str = "", /) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        clinic.build(patients=4, seed=7, today=TODAY, progress=stop, now=NOW)
    assert _count("Patient") == 2
    assert [step[0] for step in _build(patients=4).steps][:2] == [3, 4]
    assert Instance.objects.get().is_complete


def test_another_clinic_is_refused_in_the_same_record() -> None:
    Instance.objects.create(tenant=1, seed=7, patients=3, made_for=TODAY, made_at=NOW)
    with pytest.raises(AnotherDemo):
        _build(seed=8)


def test_a_record_with_people_is_never_made_a_demo() -> None:
    make_user(sign_in="dr.real", password="correct-horse-9", role="clinician", name="Dr. Real")  # noqa: S106
    with pytest.raises(InUse):
        _build()
    assert not Instance.objects.exists()


def test_a_record_with_patients_is_never_made_a_demo() -> None:
    open_store(WATCHER).create({"resourceType": "Patient", "name": [{"family": "Real"}]})
    with pytest.raises(InUse):
        _build()
