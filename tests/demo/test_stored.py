"""What stands in the record after `openward demo`: people to sign in as, and money in every state that balances."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from django.db.models import Sum

from openward.access.actor import Actor
from openward.access.roles import ROLES
from openward.accounts.actions import check_sign_in
from openward.accounts.models import User
from openward.billing.models import ClaimRow, LedgerEntry, Payment, RemittanceItem, RemittanceRow, Statement, Submission
from openward.billing.queries.fees import fees_by_trigger
from openward.demo import clinic
from openward.demo.content.services import SERVICES
from openward.demo.content.staff import DEMO_PASSWORD, PERSONAS
from openward.demo.generation.clinic import clinic as generate
from openward.demo.models import Persona
from openward.demo.personas import sign_ins
from openward.fhir.profiles.validating import validate
from openward.fhir.resources import Encounter, Patient
from openward.record import open_store
from openward.servicedesk.models import Ticket
from tests.demo.conftest import PATIENTS
from tests.demo.making import NOW, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stored")]

WATCHER = Actor.system("watch the demo clinic", tenant=1)


def _count(type: str) -> int:
    return open_store(WATCHER).search(type, {"_count": 0, "_total": "accurate"}).total or 0


def test_all_patients_are_there_with_what_belongs_to_them() -> None:
    assert _count("Patient") == PATIENTS
    assert _count("Location") == 15
    assert _count("Encounter") > PATIENTS


@pytest.mark.parametrize(
    ("type", "profile"),
    [
        ("Patient", "patient"),
        ("Encounter", "encounter"),
        ("Practitioner", "practitioner"),
        ("PractitionerRole", "practitionerrole"),
        ("Location", "location"),
        ("Organization", "organization"),
        ("AllergyIntolerance", "allergyintolerance"),
        ("MedicationRequest", "medicationrequest"),
        ("Immunization", "immunization"),
        ("DiagnosticReport", "diagnosticreport-lab"),
        ("ServiceRequest", "servicerequest"),
        ("Coverage", "coverage"),
        ("DocumentReference", "documentreference"),
        ("RelatedPerson", "relatedperson"),
    ],
)
def test_what_outside_programs_read_keeps_us_core(type: str, profile: str) -> None:
    """https://hl7.org/fhir/us/core/STU6.1/"""
    found = open_store(WATCHER).search(type, {"_count": 30}).resources
    canonical = f"http://hl7.org/fhir/us/core/StructureDefinition/us-core-{profile}|6.1.0"
    assert found
    assert [issue for one in found for issue in validate(one.data, [canonical]) if issue.severity == "error"] == []


def test_every_patient_has_a_record_number() -> None:
    patients = open_store(WATCHER).search(Patient, {"_count": 100}).resources
    numbers = {entry.value for patient in patients for entry in patient.identifier if entry.system == "urn:openward:mrn"}
    assert len(numbers) == PATIENTS


def test_everyone_can_sign_in_with_the_demo_password() -> None:
    assert all(check_sign_in(sign_in=persona.username, password=DEMO_PASSWORD) for persona in PERSONAS)


def test_some_patients_have_a_door_of_their_own() -> None:
    assert User.objects.filter(role="patient", reference__startswith="Patient/").count() == 3


def test_clinicians_are_the_practitioners_of_the_clinic() -> None:
    reference = User.objects.get(sign_in="clinician").reference
    assert open_store(WATCHER).read("Practitioner", reference.removeprefix("Practitioner/")).data["name"][0]["family"] == "Lindqvist"


def test_there_is_a_persona_for_every_role() -> None:
    assert set(Persona.objects.values_list("role", flat=True)) == set(ROLES)


def test_the_sign_ins_printed_name_every_role_once() -> None:
    assert DEMO_PASSWORD in sign_ins()
    assert len(sign_ins().splitlines()) == len(ROLES) + 1


def test_claims_stand_in_every_state() -> None:
    assert set(ClaimRow.objects.values_list("state", flat=True)) == {"draft", "ready", "submitted", "accepted", "denied", "paid"}


def test_debits_equal_credits() -> None:
    entries = LedgerEntry.objects.aggregate(debits=Sum("debit"), credits=Sum("credit"))
    assert entries["debits"] == entries["credits"] > Decimal(1000)


def test_a_year_of_remittances_is_posted_without_a_question() -> None:
    assert Counter(RemittanceRow.objects.values_list("state", flat=True)).keys() == {"posted"}
    assert not RemittanceItem.objects.filter(state="unmatched").exists()


def test_an_835_waits_where_the_clearinghouse_leaves_it(stored: Path) -> None:
    assert list((stored / "in").glob("*.835"))


def test_patients_paid_and_some_got_statements() -> None:
    assert Payment.objects.filter(state="paid").count() > 5
    assert 0 < Statement.objects.count() <= 12
    assert Submission.objects.count() == 1


def test_every_step_again_adds_nothing() -> None:
    def counts() -> list[int]:
        return [model.objects.count() for model in (ClaimRow, LedgerEntry, RemittanceRow, Payment, Statement, Submission, Ticket)]

    before, actor, again = counts(), Actor.system("make the demo clinic", tenant=1), generate(PATIENTS, 7, TODAY, NOW)
    for _, step in clinic.STEPS:
        step(actor, again)
    assert counts() == before


def test_every_kind_of_visit_its_tests_and_vaccines_are_charged_by_themselves() -> None:
    assert {f"visit:{service.key}" for service in SERVICES} | {"order:laboratory", "immunization:*"} <= set(fees_by_trigger(1))


def test_the_service_desk_has_tickets_in_every_state() -> None:
    assert set(Ticket.objects.values_list("state", flat=True)) == {"new", "working", "waiting", "resolved"}


def _open_visits() -> list[Encounter]:
    return list(open_store(WATCHER).search(Encounter, {"status": "arrived,triaged,in-progress", "_count": 100}).resources)


def test_the_next_day_is_in_full_swing_again_and_yesterday_took_place() -> None:
    heard: list[str] = []
    yesterday = [("Encounter", str(visit.id)) for visit in _open_visits()]
    day = dt.timedelta(days=1)
    clinic.build(patients=PATIENTS, seed=7, today=TODAY + day, now=NOW + day, progress=lambda done, total, note="": heard.append(note))
    assert heard == ["the demo clinic is brought to today"]
    assert {"waiting", "roomed", "with-clinician"} <= {visit.extension_value("urn:openward:flow-state") for visit in _open_visits()}
    assert {visit.data["status"] for visit in open_store(WATCHER).read_many(yesterday)} == {"finished"}
