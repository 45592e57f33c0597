"""Making the demo clinic in a real record: all of it once, on from where it stopped, and never in a record people use."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import SettingsWrapper

from openward.access.actor import Actor
from openward.accounts.actions import check_sign_in, make_user
from openward.accounts.models import User
from openward.demo import clinic, loading
from openward.demo.content.staff import DEMO_PASSWORD, PERSONAS
from openward.demo.errors import AnotherDemo, InUse
from openward.demo.models import Instance, Persona
from openward.demo.personas import sign_ins
from openward.record import open_store
from tests.demo.making import NOW, TODAY

pytestmark = pytest.mark.django_db

WATCHER = Actor.system("watch the demo clinic", tenant=1)


@pytest.fixture(autouse=True)
def quick_passwords(settings: SettingsWrapper) -> None:
    """Argon2 takes its time by design; a dozen people would take seconds in every test."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


class Heard:
    """Progress as the command line would show it."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int, str]] = []

    def __call__(self, done: int, total: int, note: str = "", /) -> None:
        self.steps.append((done, total, note))


def _build(patients: int = 6, seed: int = 7) -> Heard:
    heard = Heard()
    clinic.build(patients=patients, seed=seed, today=TODAY, progress=heard, now=NOW)
    return heard


def _count(type: str) -> int:
    return open_store(WATCHER).search(type, {"_count": 0, "_total": "accurate"}).total or 0


def test_all_patients_are_there_with_what_belongs_to_them() -> None:
    _build()
    assert _count("Patient") == 6
    assert _count("Location") > 10
    assert _count("Encounter") > 6


def test_progress_ends_at_the_last_patient() -> None:
    assert _build().steps[-1][:2] == (6, 6)


def test_the_same_clinic_again_adds_nothing_and_says_so() -> None:
    _build()
    before = _count("Observation")
    assert _build().steps == [(6, 6, "is there already")]
    assert _count("Observation") == before


def test_an_interrupted_build_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "RESOURCES_A_BATCH", 1)

    def stop(done: int, total: int, note: str = "", /) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        clinic.build(patients=6, seed=7, today=TODAY, progress=stop, now=NOW)
    assert _count("Patient") == 3
    assert [step[0] for step in _build().steps] == [4, 5, 6]
    assert Instance.objects.get().is_complete


def test_another_clinic_is_refused_in_the_same_record() -> None:
    _build()
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


def test_everyone_can_sign_in_with_the_demo_password() -> None:
    _build(patients=40)
    assert all(check_sign_in(sign_in=persona.username, password=DEMO_PASSWORD) for persona in PERSONAS[:3])
    assert User.objects.filter(role="patient").count() == 3


def test_clinicians_are_the_practitioners_of_the_clinic() -> None:
    _build()
    reference = User.objects.get(sign_in="clinician").reference
    assert open_store(WATCHER).read("Practitioner", reference.removeprefix("Practitioner/")).data["name"][0]["family"] == "Lindqvist"


def test_there_is_a_persona_for_every_role() -> None:
    _build(patients=40)
    roles = set(Persona.objects.values_list("role", flat=True))
    assert roles == {"front-desk", "nurse", "clinician", "biller", "it-agent", "manager", "privacy-officer", "administrator", "patient"}


def test_the_sign_ins_printed_name_every_role_once() -> None:
    _build(patients=40)
    assert DEMO_PASSWORD in sign_ins()
    assert len(sign_ins().splitlines()) == 10


def test_without_a_demo_clinic_nothing_is_printed() -> None:
    assert sign_ins() == ""
