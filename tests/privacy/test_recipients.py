"""To whom the letters about a breach go, whom bulk files touched, and when the press is told. 45 CFR 164.404, 164.406"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from openward.access.actor import Actor
from openward.accounts.models import User
from openward.audit.auditor import AUDITOR
from openward.audit.models import Affected, Breach, BreachStep
from openward.fhir.ids import key
from openward.fhir.protocols import Event
from openward.fhir.resources import Patient
from openward.outbox.models import Message
from openward.privacy.accounting import accounting_words
from openward.privacy.breaches import actions, residents
from openward.privacy.breaches.recipients import recipients
from openward.record import open_store
from openward.record.connection import connection
from tests import cast

pytestmark = pytest.mark.django_db

TODAY = dt.date(2026, 11, 22)
HOME = {"line": ["1 Sample St"], "city": "Springfield", "state": "IL", "postalCode": "62701"}
KIN = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0131", "code": "N"}]}
MOTHER = {"relationship": [KIN], "name": {"family": "Example", "given": ["Mina"]}, "address": {"line": ["9 Kin Rd"], "city": "Peoria"}}
OFFICER = cast.staff("privacy-officer", name="Pia Officer")


def person(id: str = cast.PATIENT_ID, **more: Any) -> None:
    made = {"resourceType": "Patient", "id": id, "name": [{"family": "Example", "given": ["Ada"]}], "birthDate": "1980-02-03", "address": [HOME]}
    open_store(cast.system()).update(made | more)


def recipient(**more: Any) -> Any:
    person(**more)
    return recipients(open_store(OFFICER), [cast.PATIENT_ID], TODAY)[cast.PATIENT_ID]


class TestALetter:
    def test_goes_to_the_person_by_the_name_people_say(self) -> None:
        found = recipient()
        assert (found.to, found.called) == ("Ada Example, 1 Sample St, Springfield, IL 62701", "Ada Example")

    def test_of_a_minor_goes_to_the_parent_or_guardian(self) -> None:
        found = recipient(birthDate="2015-05-05")
        assert found.to == "Parent or guardian of Ada Example, 1 Sample St, Springfield, IL 62701"
        assert found.called == "parent or guardian of Ada Example"

    def test_of_a_minor_goes_to_the_guardian_who_is_written_down(self) -> None:
        assert recipient(birthDate="2015-05-05", contact=[MOTHER]).to == "Mina Example (parent or guardian of Ada Example), 9 Kin Rd, Peoria"

    def test_on_the_day_one_comes_of_age_goes_to_oneself(self) -> None:
        assert recipient(birthDate="2008-11-22").called == "Ada Example"
        assert recipient(birthDate="2008-11-23").called == "parent or guardian of Ada Example"

    @pytest.mark.parametrize("died", [{"deceasedBoolean": True}, {"deceasedDateTime": "2026-10-01"}])
    def test_of_someone_who_died_goes_to_the_next_of_kin(self, died: dict[str, Any]) -> None:
        assert recipient(**died, contact=[MOTHER]).to == "Mina Example (next of kin of Ada Example), 9 Kin Rd, Peoria"

    def test_of_someone_who_died_does_not_go_to_their_own_address(self) -> None:
        found = recipient(deceasedBoolean=True)
        assert (found.to, found.why_not) == ("", "Has died; no address of the next of kin")

    @pytest.mark.parametrize("gone", [{"use": "old"}, {"period": {"end": "2020-01-01"}}, {"period": {"end": "2026"}, "use": "old"}])
    def test_does_not_go_where_they_have_moved_away_from(self, gone: dict[str, Any]) -> None:
        before = {"line": ["7 Former Ln"], "city": "Dayton", **gone}
        assert recipient(address=[before, HOME]).to.endswith("1 Sample St, Springfield, IL 62701")
        assert recipient(address=[before]).why_not == "No address"


@pytest.fixture
def merged() -> Breach:
    """Two records of one person, one of them merged into the other; a nurse looked into both."""
    second = {"other": {"reference": f"Patient/{cast.PATIENT_ID}"}, "type": "replaced-by"}
    person()
    person(cast.OTHER_PATIENT_ID, address=[{"line": ["7 Former Ln"]}], active=False, link=[second])
    return breach("user:nurse", read(cast.PATIENT_ID), read(cast.OTHER_PATIENT_ID))


def read(id: str) -> Event:
    return Event("read", "Patient", key("Patient", id), patients=[key("Patient", id)])


def breach(suspect: str, *events: Event) -> Breach:
    AUDITOR.record(connection(), 1, Actor(suspect, "Nell Night", "nurse", 1, role="nurse"), list(events))
    now = timezone.now()
    return actions.open_breach(
        title="Curious", discovered_on=now.date(), suspect=suspect, since=now - dt.timedelta(days=1), until=now + dt.timedelta(days=1), by=OFFICER
    )


def test_of_two_records_of_one_person_one_letter_goes_to_where_they_live_now(merged: Breach) -> None:
    assert actions.write_letters(breach=merged.pk, title="Notice", body="Dear {name}", by=OFFICER) == 1
    assert Message.objects.get(kind="breach-letter").to == "Ada Example, 1 Sample St, Springfield, IL 62701"
    assert merged.affected.filter(letter__isnull=True).count() == 0


def test_a_record_found_later_of_someone_who_has_a_letter_makes_no_second_one(merged: Breach) -> None:
    late = merged.affected.get(patient=UUID(cast.OTHER_PATIENT_ID))
    late.delete()
    actions.write_letters(breach=merged.pk, title="Notice", body="Dear {name}", by=OFFICER)
    actions.gather(breach=merged, by=OFFICER)
    actions.write_letters(breach=merged.pk, title="Notice", body="Dear {name}", by=OFFICER)
    assert Message.objects.filter(kind="breach-letter").count() == 1


def test_the_page_says_why_no_letter_goes(client: Client, merged: Breach) -> None:
    person(deceasedBoolean=True)
    client.force_login(User.objects.create_user(sign_in="pia", password=None, role="privacy-officer", name="Pia Officer"))
    assert "no address of the next of kin" in client.get(f"/privacy/breaches/{merged.pk}").content.decode()


class TestBulkFiles:
    """A program that takes a bulk file sees everyone in it, though the trail names nobody: 45 CFR 164.402(2) presumes the breach."""

    @pytest.fixture
    def taken(self) -> Event:
        person()
        person(cast.OTHER_PATIENT_ID)
        return Event("export", "Patient", detail="file 1 taken: 2 resources of 2 patients")

    def test_touch_everyone_in_them(self, taken: Event) -> None:
        found = breach("client:warehouse", taken)
        assert set(Affected.objects.filter(breach=found).values_list("patient", "times", "types")) == {
            (UUID(cast.PATIENT_ID), 1, "Patient"),
            (UUID(cast.OTHER_PATIENT_ID), 1, "Patient"),
        }

    def test_of_another_account_touch_nobody(self, taken: Event) -> None:
        AUDITOR.record(connection(), 1, Actor("client:other", "Other", "nobody", 1), [taken])
        assert not breach("client:warehouse").affected.exists()

    def test_that_were_made_and_not_taken_touch_nobody(self, taken: Event) -> None:
        assert not breach("client:warehouse", Event("export", "Patient", detail="2 resources of 2 patients written")).affected.exists()

    def test_count_with_what_was_opened(self, taken: Event) -> None:
        found = breach("client:warehouse", taken, read(cast.PATIENT_ID))
        assert found.affected.get(patient=UUID(cast.PATIENT_ID)).times == 2

    @pytest.mark.parametrize(("people", "words"), [(2, "in a bulk file"), (1, "perhaps: a bulk file of 1 patients")])
    def test_stand_in_the_accounting_of_each(self, taken: Event, people: int, words: str) -> None:
        """45 CFR 164.528: what programs took is told, and whether it is certain."""
        breach("client:warehouse", Event("export", "Patient", detail=f"file 1 taken: 2 resources of {people} patients"))
        patient = open_store(OFFICER).read(Patient, cast.PATIENT_ID)
        (row,) = accounting_words(patient, 1, timezone.localdate())["rows"]
        assert row[1:] == ["Program Nell Night", f"name and contact details, {words}", "treatment"]

    def test_of_what_one_has_nothing_of_are_not_in_ones_accounting(self, taken: Event) -> None:
        breach("client:warehouse", Event("export", "Condition", detail="file 1 taken: 0 resources of 0 patients"))
        assert accounting_words(open_store(OFFICER).read(Patient, cast.PATIENT_ID), 1, timezone.localdate())["rows"] == []

    def test_of_fewer_than_have_such_data_are_told_in_the_log(self, taken: Event) -> None:
        found = breach("client:warehouse", Event("export", "Patient", detail="file 1 taken: 1 resources of 1 patients"))
        assert found.affected.count() == 2
        assert BreachStep.objects.filter(breach=found, words__contains="of 1 people was taken").exists()


def test_the_press_is_told_of_more_than_so_many_in_one_state(monkeypatch: pytest.MonkeyPatch) -> None:
    person()
    person(cast.OTHER_PATIENT_ID, address=[{**HOME, "state": "il"}])
    found = breach("user:nurse", read(cast.PATIENT_ID), read(cast.OTHER_PATIENT_ID))
    monkeypatch.setattr(residents, "MORE_THAN", 2)
    assert residents.pressed(found) == []
    monkeypatch.setattr(residents, "MORE_THAN", 1)
    assert residents.pressed(found) == [("IL", 2)]


class TestTheSuspect:
    @pytest.fixture
    def officer(self, client: Client) -> Client:
        client.force_login(User.objects.create_user(sign_in="pia", password=None, role="privacy-officer", name="Pia Officer"))
        return client

    def told(self, suspect: str) -> dict[str, object]:
        today = timezone.localdate()
        return {"title": "Curious nurse", "discovered_on": today, "suspect": suspect, "first": today, "last": today}

    def test_who_is_nobody_is_refused_and_not_looked_for_in_vain(self, officer: Client) -> None:
        assert officer.post("/privacy/breaches/open", self.told("user:nurze")).status_code == 422
        assert not Breach.objects.exists()

    def test_may_be_named_as_they_sign_in(self, officer: Client) -> None:
        nell = User.objects.create_user(sign_in="nell", password=None, role="nurse", name="Nell Night")
        officer.post("/privacy/breaches/open", self.told("nell"))
        assert Breach.objects.get().suspect == f"user:{nell.id}"
