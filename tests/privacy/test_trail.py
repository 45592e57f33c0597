"""The privacy officer reads who opened a record; looking is itself on the trail, and the trail cannot be changed."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from openward.access.actor import Actor
from openward.accounts.models import User
from openward.audit.auditor import AUDITOR
from openward.audit.models import AuditEvent
from openward.fhir.ids import key
from openward.fhir.protocols import Event
from openward.fhir.resources import HumanName, Patient
from openward.record import open_store
from openward.record.connection import connection as wire
from openward.web.papers import harmless
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
        assert "opened name and contact details" in page

    def test_follows_a_program_whatever_its_name_is(self, officer: Client) -> None:
        lab = Actor("client:Lab/North ?#%", "Lab/North ?#%", "client", 1)
        AUDITOR.record(wire(), 1, lab, [Event("search", "Observation")])
        page = officer.get("/privacy/events").content.decode()
        (there,) = re.findall(r'href="(/privacy/people/client[^"]*)"', page)
        assert "looked through results and vital signs" in officer.get(there).content.decode()

    def test_reads_roles_as_people_say_them(self, officer: Client) -> None:
        page = officer.get(f"/privacy/patients/{cast.PATIENT_ID}").content.decode()
        assert "<td>Nurse</td>" in page
        assert ">nurse<" not in page

    def test_reads_what_a_person_did(self, officer: Client) -> None:
        assert "EXAMPLE" in officer.get("/privacy/people/user:nurse").content.decode()

    def test_is_on_the_trail_too(self, officer: Client) -> None:
        officer.get(f"/privacy/patients/{cast.PATIENT_ID}")
        assert AuditEvent.objects.filter(interaction="audit-review", actor_name="Pia Officer").count() == 1

    @pytest.mark.parametrize(
        "path", ["/privacy/events", "/privacy/people/user:nurse", "/privacy/events?format=csv", "/privacy/people/user:nurse?format=csv"]
    )
    def test_is_on_the_trail_wherever_they_look(self, officer: Client, path: str) -> None:
        assert officer.get(path).status_code == 200
        assert AuditEvent.objects.filter(interaction="audit-review", actor_name="Pia Officer").count() == 1

    @pytest.mark.parametrize("path", [f"/privacy/patients/{cast.PATIENT_ID}", "/privacy/people/user:nurse", "/privacy/events", "/privacy/"])
    def test_reads_nothing_of_another_practice(self, officer: Client, path: str) -> None:
        far = replace(cast.staff("nurse", name="Faye Far"), tenant=2)
        AUDITOR.record(wire(), 2, far, [Event("read", "Patient", key("Patient", cast.PATIENT_ID), patients=[key("Patient", cast.PATIENT_ID)])])
        AUDITOR.record(wire(), 2, far, [Event("read", "Patient", outcome=4)])
        page = officer.get(path).content.decode()
        assert ("Faye Far" in page, "Pia Officer" in page or "Nell Night" in page or path == "/privacy/") == (False, True)

    def test_finds_a_patient_without_putting_the_name_in_an_address(self, officer: Client) -> None:
        page = officer.post("/privacy/", {"text": "examp"})
        assert f"/privacy/patients/{cast.PATIENT_ID}" in page.content.decode()

    def test_takes_the_trail_home_as_a_file(self, officer: Client) -> None:
        answer = officer.get(f"/privacy/patients/{cast.PATIENT_ID}?format=csv")
        assert answer["Content-Type"].startswith("text/csv")
        assert "Nell Night" in b"".join(answer.streaming_content).decode()

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
    assert harmless(cell) == f"'{cell}"


class TestLists:
    @pytest.mark.parametrize(
        ("kind", "there"),
        [("", True), ("opened", True), ("changed", False), ("exported", False), ("refused", False), ("emergency", False), ("x", True)],
    )
    def test_are_narrowed_by_what_was_done(self, officer: Client, kind: str, there: bool) -> None:
        page = officer.get(f"/privacy/people/user:nurse?kind={kind}").content.decode()
        assert ("opened name and contact details" in page) is there

    def test_go_page_by_page_and_lose_nothing(self, officer: Client) -> None:
        nurse = open_store(cast.staff("nurse", name="Nell Night"))
        for _ in range(120):
            nurse.read(Patient, cast.PATIENT_ID)
        import re
        from html import unescape

        path, seen = f"/privacy/patients/{cast.PATIENT_ID}?kind=opened", 0
        while path:
            page = officer.get(path).content.decode()
            seen += page.count("opened name and contact details")
            following = re.search(r'rel="next" href="([^"]+)"', page)
            path = f"/privacy/patients/{cast.PATIENT_ID}{unescape(following[1])}" if following else ""
        assert seen >= 121

    def test_are_turned_round_by_their_head(self, officer: Client) -> None:
        open_store(cast.staff("clinician", name="Carl Care")).read(Patient, cast.PATIENT_ID)
        newest, oldest = (officer.get(f"/privacy/events?kind=opened{sort}").content.decode() for sort in ("", "&sort=when"))
        assert newest.index("Carl Care") < newest.index("Nell Night")
        assert oldest.index("Nell Night") < oldest.index("Carl Care")

    @pytest.mark.parametrize("after", ["x", "1~2~3", "2026-01-01T00:00:00+00:00~1~99999999999999999999", "~~"])
    def test_take_a_place_that_makes_no_sense_for_the_beginning(self, officer: Client, after: str) -> None:
        assert officer.get(f"/privacy/events?after={after}").status_code == 200

    def test_are_a_file_too(self, officer: Client) -> None:
        lines = b"".join(officer.get("/privacy/events?format=csv&kind=opened").streaming_content).decode().splitlines()
        assert any("Nell Night" in line for line in lines[1:])
        assert lines[0].startswith("When,")


class TestDisclosures:
    def test_that_someone_writes_down_stand_in_the_accounting(self, officer: Client) -> None:
        from openward.privacy.accounting import accounting_words

        words = {"given_on": timezone.localdate(), "to": "County | court", "what": "Visit notes", "why": "Court order"}
        assert officer.post(f"/privacy/patients/{cast.PATIENT_ID}/disclose", words).status_code == 303
        open_store(cast.client(name="registry")).read(Patient, cast.PATIENT_ID)
        person = open_store(cast.system()).read(Patient, cast.PATIENT_ID)
        rows = accounting_words(person, 1, timezone.localdate())["rows"]
        assert ["County / court", "Visit notes", "Court order"] in [row[1:] for row in rows]
        assert "Program registry" in [row[1] for row in rows]
        assert len(rows) == 2  # the nurse's look was treatment

    def test_are_accounted_for_on_the_day_they_were_made_and_not_written_down(self, officer: Client) -> None:
        """45 CFR 164.528(b)(2)(i) asks for the date of the disclosure, and (a)(1) for six years of them."""
        from openward.privacy.accounting import accounting_words
        from openward.web.display import day

        today = timezone.localdate()
        for days in (30, 365 * 5 + 300, 365 * 7):
            words = {"given_on": today - dt.timedelta(days=days), "to": f"{days}", "what": "Visit notes", "why": "Court order"}
            assert officer.post(f"/privacy/patients/{cast.PATIENT_ID}/disclose", words).status_code == 303
        person = open_store(cast.system()).read(Patient, cast.PATIENT_ID)
        rows = accounting_words(person, 1, today)["rows"]
        assert [row[:2] for row in rows] == [[day(today - dt.timedelta(days=days)), f"{days}"] for days in (365 * 5 + 300, 30)]

    def test_of_a_day_to_come_are_not_taken(self, officer: Client) -> None:
        words = {"given_on": timezone.localdate() + dt.timedelta(days=1), "to": "Court", "what": "Visit notes", "why": "Court order"}
        assert officer.post(f"/privacy/patients/{cast.PATIENT_ID}/disclose", words).status_code == 422

    def test_without_a_reason_are_not_taken(self, officer: Client) -> None:
        answer = officer.post(f"/privacy/patients/{cast.PATIENT_ID}/disclose", {"given_on": timezone.localdate(), "to": "Court"})
        assert answer.status_code == 422
        assert not AuditEvent.objects.filter(interaction="disclosure").exists()

    def test_are_accounted_for_as_a_pdf_and_that_is_a_print(self, officer: Client) -> None:
        answer = officer.get(f"/privacy/patients/{cast.PATIENT_ID}/accounting.pdf")
        assert answer.content.startswith(b"%PDF")
        assert AuditEvent.objects.filter(interaction="print").count() == 1
