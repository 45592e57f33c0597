"""The nightly report flags look-ups of oneself, family, coworkers and VIPs, and says why."""

from __future__ import annotations

import datetime as dt
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client
from django.utils import timezone

from openward.access.models import Flag, Opening
from openward.accounts.models import User
from openward.fhir.ids import key
from openward.fhir.resources import Patient
from openward.privacy.models import Reported
from openward.privacy.snooping.jobs import examined_daily, flag_lookups
from openward.privacy.snooping.kinship import is_same, may_be_family, named, person
from openward.privacy.snooping.report import TooMuch, report
from openward.record import open_store
from tests import cast
from tests.access.people import encounter, labelled

pytestmark = pytest.mark.django_db
HOME = {"line": ["12 Elm St"], "city": "Albany", "postalCode": "12207"}
PHONE = {"system": "phone", "value": "(518) 555-0100"}
NURSE = "0199c1f0-0000-7000-8000-00000000d0c9"


def resource(type: str, id: str, family: str, given: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": type, "id": id, "name": [{"family": family, "given": [given]}], **more}


@pytest.fixture
def doctor() -> User:
    store = open_store(cast.system())
    store.update(resource("Practitioner", cast.PRACTITIONER_ID, "Sample", "Sam", birthDate="1970-01-01", telecom=[PHONE], address=[HOME]))
    store.update(resource("Practitioner", NURSE, "Night", "Nell", birthDate="1980-05-05"))
    User.objects.create_user(sign_in="nell", password=None, role="nurse", name="Nell Night", reference=f"Practitioner/{NURSE}")
    return User.objects.create_user(
        sign_in="sam", password=None, role="clinician", name="Sam Sample", reference=f"Practitioner/{cast.PRACTITIONER_ID}"
    )


def patient(**more: Any) -> Patient:
    """Someone the doctor has seen, so that only what `more` says can be a reason."""
    facts = {"family": "Example", "given": "Ada", "birthDate": "1990-02-03"} | more
    made = open_store(cast.system()).update(resource("Patient", cast.PATIENT_ID, facts.pop("family"), facts.pop("given"), **facts))
    open_store(cast.system()).update(encounter("visit"))
    return made  # type: ignore[return-value]


def reasons(doctor: User) -> list[str]:
    open_store(doctor.actor()).read(Patient, cast.PATIENT_ID)
    report(1, timezone.localdate())
    found = Flag.objects.first()
    return list(found.reasons) if found else []


class TestALookUp:
    def test_of_an_ordinary_patient_in_ones_care_is_not_flagged(self, doctor: User) -> None:
        patient()
        assert reasons(doctor) == []

    def test_of_oneself_is(self, doctor: User) -> None:
        patient(family="Sample", given="Sam", birthDate="1970-01-01")
        assert reasons(doctor) == ["self"]

    def test_of_a_relative_is(self, doctor: User) -> None:
        patient(family="Sample", address=[HOME])
        assert reasons(doctor) == ["family"]

    def test_of_a_coworker_is(self, doctor: User) -> None:
        patient(family="Night", given="Nell", birthDate="1980-05-05")
        assert reasons(doctor) == ["coworker"]

    def test_of_a_vip_is(self, doctor: User) -> None:
        patient(**labelled("CEL"))
        assert reasons(doctor) == ["vip"]

    def test_of_a_patient_not_in_ones_care_is(self, doctor: User) -> None:
        open_store(cast.system()).update(resource("Patient", cast.PATIENT_ID, "Example", "Ada"))
        assert reasons(doctor) == ["no-care"]

    def test_by_emergency_access_is(self, doctor: User) -> None:
        who = {"actor": doctor.actor().id, "actor_name": doctor.name, "actor_role": doctor.role, "reason": "emergency", "words": "Found at the stop"}
        whose = {"patient": key("Patient", cast.PATIENT_ID), "reference": f"Patient/{cast.PATIENT_ID}"}
        patient()
        Opening.objects.create(tenant=1, until=timezone.now() + dt.timedelta(minutes=59), **who, **whose)
        assert reasons(doctor) == ["emergency"]

    def test_of_oneself_in_the_portal_is_not(self, doctor: User) -> None:
        patient(**labelled("CEL"))
        open_store(cast.patient()).read(Patient, cast.PATIENT_ID)
        assert report(1, timezone.localdate()) == 0


class TestTheReport:
    def test_counts_a_day_once_however_often_it_runs(self, doctor: User) -> None:
        patient(**labelled("CEL"))
        reasons(doctor)
        reasons(doctor)
        assert Flag.objects.get().times == 2

    def test_leaves_what_was_examined(self, doctor: User) -> None:
        patient(**labelled("CEL"))
        reasons(doctor)
        Flag.objects.update(finding="was on duty", examined_at=timezone.now())
        reasons(doctor)
        assert Flag.objects.get().finding == "was on duty"

    def test_runs_by_night_for_the_day_before(self, doctor: User) -> None:
        patient(**labelled("CEL"))
        open_store(doctor.actor()).read(Patient, cast.PATIENT_ID)
        flag_lookups()
        assert not Flag.objects.exists()
        assert report(1, timezone.localdate()) == 1
        assert report(1, timezone.localdate() - dt.timedelta(days=1)) == 0

    def test_makes_up_for_the_nights_the_program_did_not_run(self, doctor: User) -> None:
        patient(**labelled("CEL"))
        open_store(doctor.actor()).read(Patient, cast.PATIENT_ID)
        today = timezone.localdate()
        Reported.objects.create(tenant=1, day=today - dt.timedelta(days=1), flagged=0)
        with freeze(today + dt.timedelta(days=4)):
            flag_lookups()
        assert Flag.objects.get().day == today
        assert Reported.objects.count() == 5

    def test_goes_through_no_day_twice(self, doctor: User) -> None:
        flag_lookups()
        flag_lookups()
        assert [one.day for one in Reported.objects.all()] == [timezone.localdate() - dt.timedelta(days=1)]

    def test_of_a_day_with_too_much_fails_and_the_other_days_are_done(self, doctor: User, monkeypatch: pytest.MonkeyPatch) -> None:
        patient(**labelled("CEL"))
        open_store(doctor.actor()).read(Patient, cast.PATIENT_ID)
        today = timezone.localdate()
        Reported.objects.create(tenant=1, day=today - dt.timedelta(days=1), flagged=0)
        monkeypatch.setattr("openward.privacy.snooping.report.MOST", 0)
        with freeze(today + dt.timedelta(days=2)), pytest.raises(TooMuch):
            flag_lookups()
        assert set(Reported.objects.values_list("day", flat=True)) == {today - dt.timedelta(days=1), today + dt.timedelta(days=1)}

    @pytest.mark.parametrize(("days", "is_well"), [(1, True), (3, True), (4, False)])
    def test_that_is_late_is_told_to_whoever_watches(self, doctor: User, days: int, is_well: bool) -> None:
        Reported.objects.create(tenant=1, day=timezone.localdate() - dt.timedelta(days=days), flagged=0)
        assert (examined_daily() is None) == is_well

    def test_that_never_was_is_not_late(self) -> None:
        assert examined_daily() is None


def freeze(day: dt.date) -> Any:
    return patch("openward.privacy.snooping.jobs.timezone.localdate", return_value=day)


class TestTheOfficer:
    @pytest.fixture
    def officer(self, client: Client, doctor: User) -> Client:
        patient(**labelled("CEL"))
        reasons(doctor)
        client.force_login(User.objects.create_user(sign_in="pia", password=None, role="privacy-officer", name="Pia Officer"))
        return client

    def test_sees_who_and_why(self, officer: Client) -> None:
        page = officer.get("/privacy/lookups").content.decode()
        assert "Sam Sample" in page
        assert "A VIP" in page
        assert "EXAMPLE" in page

    def test_keeps_what_was_found(self, officer: Client) -> None:
        flag = Flag.objects.get()
        officer.post(f"/privacy/lookups/{flag.pk}", {"finding": "On duty that day."})
        flag.refresh_from_db()
        assert (flag.finding, flag.examined_by) == ("On duty that day.", "Pia Officer")
        assert "Sam Sample" not in officer.get("/privacy/lookups").content.decode()
        assert "On duty" in officer.get("/privacy/lookups?state=all").content.decode()

    def test_finds_it_once(self, officer: Client) -> None:
        flag = Flag.objects.get()
        officer.post(f"/privacy/lookups/{flag.pk}", {"finding": "On duty that day."})
        assert officer.post(f"/privacy/lookups/{flag.pk}", {"finding": "Another one."}).status_code == 422


class TestKinship:
    def test_takes_more_than_a_name(self) -> None:
        assert not is_same(named("Sam Sample"), person(resource("Patient", "x", "Sample", "Sam", birthDate="1970-01-01")))
        assert not may_be_family(person(resource("Practitioner", "x", "Smith", "A")), person(resource("Patient", "y", "Smith", "B")))

    def test_knows_a_mail_address(self) -> None:
        theirs = person(resource("Patient", "x", "Sample", "Sam", telecom=[{"system": "email", "value": "Sam@Example.org"}]))
        assert is_same(named("Sam Sample", mails=frozenset({"sam@example.org"})), theirs)

    def test_reads_a_phone_however_it_is_written(self) -> None:
        one, other = (
            person({"name": [{"family": "A"}], "telecom": [PHONE]}),
            person({"name": [{"family": "A"}], "telecom": [{"system": "phone", "value": "+1 518 555 0100"}]}),
        )
        assert may_be_family(one, other)
