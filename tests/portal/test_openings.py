"""A patient sees who opened their record, in plain words, and nothing of anybody else's."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from openward.access.actor import Actor
from openward.audit.models import AuditEvent
from openward.fhir.ids import key
from openward.fhir.protocols import Event
from openward.privacy.suspensions.actions import resume, suspend
from openward.record import open_store
from openward.record.connection import connection as record_connection
from openward.record.work import AUDITOR
from tests import cast
from tests.scheduling.conftest import Clinic

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def today(clinic: Clinic, morning: time_machine.Traveller) -> None:
    """The trail has the database's own clock, which no test moves: the page's is set by it."""
    with connection.cursor() as cursor:
        cursor.execute("select now()")
        morning.move_to(cursor.fetchone()[0])


def page(portal: Client, query: str = "") -> str:
    answer = portal.get(f"/portal/who-opened{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_whoever_looked_is_named_with_role_and_what_they_looked_at(clinic: Clinic, portal: Client) -> None:
    nurse = open_store(cast.staff("nurse", name="Nell Night"))
    nurse.read("Patient", clinic.ada)
    nurse.search("Immunization", {"patient": clinic.ada})
    shown = page(portal)
    assert "<b>Nell Night</b>" in shown
    assert "Nurse" in shown
    assert "looked at your name and contact details" in shown


def test_what_was_refused_and_what_was_another_patients_is_not_there(clinic: Clinic, portal: Client) -> None:
    open_store(cast.staff("nurse", name="Ben's Nurse")).read("Patient", clinic.ben)
    assert "Ben&#x27;s Nurse" not in page(portal)


def test_their_own_looks_are_theirs(portal: Client, by_ada: Actor) -> None:
    open_store(by_ada).read("Patient", by_ada.reference_id)
    assert "<b>You</b>" in page(portal)


def test_a_program_and_the_house_itself_are_called_what_they_are(clinic: Clinic, portal: Client) -> None:
    open_store(cast.client(name="lab-link")).read("Patient", clinic.ada)
    open_store(cast.system("nightly checks")).read("Patient", clinic.ada)
    shown = page(portal)
    assert "Connected program" in shown
    assert "Automatic work" in shown


def test_what_was_given_out_is_told_but_while_an_agency_asked_that_it_is_not(clinic: Clinic, portal: Client) -> None:
    patient, day = key("Patient", clinic.ada), timezone.localdate()
    given = Event("disclosure", "Patient", patient, patients=[patient], detail="County Sheriff | Notes | Asked")
    AUDITOR.record(record_connection(), 1, cast.staff("privacy-officer", name="Pia Officer"), [given])
    assert "gave out information" in page(portal)
    officer = cast.staff("privacy-officer")
    held = suspend(patient=patient, agency="County sheriff", stated="A case is open", in_writing=False, since=day, until=day, by=officer)
    assert "gave out information" not in page(portal)
    resume(suspension=held.id, by=officer)
    assert "gave out information" in page(portal)


def test_earlier_days_are_a_page_of_their_own(clinic: Clinic, portal: Client) -> None:
    open_store(cast.staff("nurse", name="Nell Night")).read("Patient", clinic.ada)
    long_ago = timezone.localdate() - dt.timedelta(days=300)
    assert "Nobody opened your record" in page(portal, f"?until={long_ago}")


@pytest.mark.parametrize("until", ["yesterday", "9999-12-31", "0001-01-01", "2026-13-01", ""])
def test_a_day_that_makes_no_sense_does_no_harm(portal: Client, until: str) -> None:
    page(portal, f"?until={until}")


def test_looking_is_on_the_trail_itself(portal: Client, by_ada: Actor) -> None:
    page(portal)
    assert AuditEvent.objects.filter(interaction="audit-review", actor=by_ada.id).count() == 1


def test_a_day_is_named_once_and_as_text(clinic: Clinic, portal: Client) -> None:
    open_store(cast.staff("nurse", name="Nell Night")).read("Patient", clinic.ada)
    assert "&lt;time" not in page(portal)
    assert '="<time' not in page(portal)
