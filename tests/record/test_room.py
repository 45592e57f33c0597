"""Before the disk is full, what is new is refused, so that what is stored can still be read."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg.errors
import pytest
from django.conf import LazySettings
from django.test import Client

from openward.accounts.models import User
from openward.fhir.failures import Full, as_fhir_error
from openward.fhir.resources import HumanName, Patient
from openward.record import open_store, room, unit_of_work
from openward.server.health import disk
from tests import cast

pytestmark = pytest.mark.django_db
MORE_THAN_THERE_IS = 2**62


@pytest.fixture
def full(settings: LazySettings) -> Iterator[None]:
    with unit_of_work(by=cast.staff("front-desk")) as work:
        work.store.create(Patient(name=[HumanName(family="Kept")]))
    settings.OPENWARD_RESERVE_BYTES = MORE_THAN_THERE_IS
    room._Disk.until = 0.0
    yield
    room._Disk.until = 0.0


@pytest.mark.usefixtures("full")
class TestAFullDisk:
    def test_takes_nothing_new(self) -> None:
        with pytest.raises(Full, match="nearly full"), unit_of_work(by=cast.staff("front-desk")) as work:
            work.store.create(Patient(name=[HumanName(family="Late")]))

    def test_can_be_read(self) -> None:
        assert open_store(cast.staff("front-desk")).search(Patient, {"family": "Kept", "_total": "accurate"}).total == 1

    def test_is_in_trouble_on_the_health_page(self) -> None:
        assert "nothing is stored" in (disk() or "")

    def test_tells_a_person_so(self, client: Client) -> None:
        client.force_login(User.objects.create_user(sign_in="desk@example", password=None, role="front-desk", name="Robin Diaz"))
        answer = client.post("/patients/new", {"family": "Late", "given": "Ada", "birth_date": "01-Jan-1980", "sex": "female"})
        assert "nearly full" in answer.content.decode()


def test_a_database_that_cannot_write_says_the_same() -> None:
    assert as_fhir_error(psycopg.errors.DiskFull()).status == 507
