"""What registration's pages read."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from openward.record import open_store, unit_of_work
from openward.registration import queries
from tests import cast

pytestmark = pytest.mark.django_db
DESK = cast.staff("front-desk")


def booked(patient: str, days: int, status: str = "booked") -> None:
    start = timezone.now() + dt.timedelta(days=days)
    appointment = {
        "resourceType": "Appointment",
        "status": status,
        "start": start.isoformat(timespec="seconds"),
        "end": (start + dt.timedelta(minutes=20)).isoformat(timespec="seconds"),
        "participant": [{"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"}],
        "description": f"in {days}",
    }
    with unit_of_work(by=cast.system()) as work:
        work.store.create(appointment)


@pytest.fixture
def okafors() -> list[str]:
    with unit_of_work(by=cast.system()) as work:
        made = [work.store.create({"resourceType": "Patient", "name": [{"family": "Okafor", "given": [given]}]}) for given in ("Ada", "Ben")]
    return [str(one.id) for one in made]


@pytest.mark.parametrize("most", [200, 2])
def test_the_finder_brings_the_next_appointment_of_each(okafors: list[str], most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MOST_BOOKED", most)
    ada, ben = okafors
    for days in (9, 2, 30, -5):
        booked(ada, days)
    booked(ada, 1, "cancelled")
    booked(ben, 4)
    found = queries.find(open_store(DESK), "okafor")
    expected = {ada: "in 2", ben: "in 4"}
    assert {one.patient.id: one.upcoming.description for one in found if one.upcoming} == expected
