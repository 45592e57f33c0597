"""The privacy officer reads who opened a record; looking is itself on the trail, and the trail cannot be changed."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from openward.accounts.models import User
from openward.audit.models import AuditEvent
from openward.fhir.resources import HumanName, Patient
from openward.privacy.views import _harmless
from openward.record import open_store
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(client: Client) -> Client:
    store = open_store(cast.system())
    store.update(Patient(id=cast.PATIENT_ID, name=[HumanName(family="Example", given=["Ada"])], birthDate="1985-03-27"))
    open_store(cast.staff("nurse", name="Nell Night")).read(Patient, cast.PATIENT_ID)
    client.force_login(User.objects.create_user(sign_in="p@example.org", password=None, role="privacy-officer", name="Pia Officer"))
    return client


class TestThePrivacyOfficer:
    def test_reads_who_opened_a_record(self, officer: Client) -> None:
        page = officer.get(f"/privacy/patients/{cast.PATIENT_ID}").content.decode()
        assert "Nell Night" in page
        assert "opened Patient" in page

    def test_reads_what_a_person_did(self, officer: Client) -> None:
        assert "EXAMPLE" in officer.get("/privacy/people/user:nurse").content.decode()

    def test_is_on_the_trail_too(self, officer: Client) -> None:
        officer.get(f"/privacy/patients/{cast.PATIENT_ID}")
        assert AuditEvent.objects.filter(interaction="audit-review", actor_name="Pia Officer").count() == 1

    def test_finds_a_patient_without_putting_the_name_in_an_address(self, officer: Client) -> None:
        page = officer.post("/privacy/", {"text": "examp"})
        assert f"/privacy/patients/{cast.PATIENT_ID}" in page.content.decode()

    def test_takes_the_trail_home_as_a_file(self, officer: Client) -> None:
        answer = officer.get(f"/privacy/patients/{cast.PATIENT_ID}?format=csv")
        assert answer["Content-Type"].startswith("text/csv")
        assert "Nell Night" in answer.content.decode()

    def test_sees_what_was_refused(self, officer: Client) -> None:
        from openward.fhir.errors import FhirError

        with pytest.raises(FhirError):
            open_store(cast.staff("it-agent", name="Ines Tech")).read(Patient, cast.PATIENT_ID)
        assert "Ines Tech" in officer.get("/privacy/").content.decode()

    def test_is_told_when_the_days_are_the_wrong_way_round(self, officer: Client) -> None:
        page = officer.get(f"/privacy/patients/{cast.PATIENT_ID}?since=2026-02-02&until=2026-01-01")
        assert "before the first" in page.content.decode()


CHANGES = [
    "update audit.entry set outcome = 0",
    "delete from audit.entry",
    "truncate audit.entry",
    "update audit.agent set actor = 'x'",
    "delete from audit.agent",
    "truncate audit.agent",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_the_trail_refuses_to_be_changed(officer: Client, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(cell: str) -> None:
    assert _harmless(cell) == f"'{cell}"
