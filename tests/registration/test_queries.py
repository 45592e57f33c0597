"""What registration's pages read."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from openward.chart.queries import banner as chart_banner
from openward.fhir.resources import Patient
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


def allergic(patient: str, text: str, **more: object) -> None:
    clinical = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]}
    code = {"text": text} if text else {"coding": [{"system": "http://snomed.info/sct", "code": "716186003", "display": "No known allergy"}]}
    told = {"resourceType": "AllergyIntolerance", "patient": {"reference": f"Patient/{patient}"}, "code": code, "clinicalStatus": clinical}
    with unit_of_work(by=cast.system()) as work:
        work.store.create({**told, **more})


def test_the_banner_at_the_desk_says_of_allergies_what_the_chart_says(okafors: list[str]) -> None:
    """A reaction that was severe made it severe in the chart and not at the desk; what was refuted was still shown here."""
    ada = okafors[0]
    allergic(ada, "Latex", reaction=[{"manifestation": [{"text": "shock"}], "severity": "severe"}])
    verification = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
    allergic(ada, "Nuts", verificationStatus={"coding": [{"system": verification, "code": "refuted"}]})
    store = open_store(DESK)
    assert queries.banner(store, store.read(Patient, ada)).allergy_text == "Latex (severe)" == chart_banner(store, ada).allergy_text


def test_no_known_allergy_from_elsewhere_is_none_at_the_desk_too(okafors: list[str]) -> None:
    ada = okafors[0]
    allergic(ada, "", recordedDate="2026-11-03T10:00:00Z", recorder={"display": "Dr Elsewhere"})
    store = open_store(DESK)
    told = queries.banner(store, store.read(Patient, ada)).allergy_text
    assert told == "No known allergies — confirmed 03-Nov-2026 by Dr Elsewhere" == chart_banner(store, ada).allergy_text
