"""Emergency access: for who names the patient, for an hour, told to the privacy officer, and reviewed."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from openward.access import known
from openward.access.actor import Actor
from openward.access.known import forget
from openward.access.models import Opening
from openward.accounts.models import User
from openward.audit.models import AuditEvent
from openward.fhir.errors import Forbidden, NotFound
from openward.fhir.ids import key
from openward.fhir.resources import Patient
from openward.outbox.models import Message
from openward.privacy.breakglass import actions
from openward.record import open_store
from tests import cast
from tests.access.people import HYPERTENSION, OPIOIDS, condition, house, labelled, seen

pytestmark = pytest.mark.django_db
BORN = "1980-01-02"
WORDS = "Found unconscious at the bus stop"


@pytest.fixture
def closed() -> Patient:
    """A very restricted patient with a problem of their own."""
    store = house()
    made = store.update({**store.read(Patient, cast.OTHER_PATIENT_ID).data, **labelled("V")})
    store.update(condition("pressure", HYPERTENSION, cast.OTHER_PATIENT_ID))
    store.update(condition("opioids", OPIOIDS, cast.OTHER_PATIENT_ID))
    return made  # type: ignore[return-value]


@pytest.fixture
def nurse(client: Client) -> User:
    made = User.objects.create_user(sign_in="nell@example.org", password=None, role="nurse", name="Nell Night")
    client.force_login(made)
    return made


@pytest.fixture
def officer() -> User:
    return User.objects.create_user(sign_in="pia@example.org", password=None, role="privacy-officer", name="Pia Officer")


def number_of(patient: Patient) -> str:
    return next(str(one.value) for one in patient.identifier)


def asked(patient: Patient, **more: str) -> dict[str, str]:
    return {"number": number_of(patient), "birth_date": BORN, "reason": "emergency", "words": WORDS, **more}


def opened_by(by: Actor, patient: Patient) -> Opening:
    return actions.open_record(number=number_of(patient), birth_date=dt.date.fromisoformat(BORN), reason="emergency", words=WORDS, by=by)


def an_opening(by: User, **facts: Any) -> Opening:
    """As if they had broken the glass of the restricted patient a minute ago."""
    now = timezone.now()
    usual = {"patient": key("Patient", cast.OTHER_PATIENT_ID), "since": now - dt.timedelta(minutes=1), "until": now + dt.timedelta(minutes=59)}
    who = {"tenant": 1, "actor": by.actor().id, "actor_name": by.name, "actor_role": by.role}
    return Opening.objects.create(reference=f"Patient/{cast.OTHER_PATIENT_ID}", reason="emergency", words=WORDS, **who | usual | facts)


class TestOpening:
    def test_opens_the_record_and_everything_in_it_and_nothing_else(self, client: Client, nurse: User, closed: Patient) -> None:
        assert seen(nurse.actor()) == set()
        answer = client.post("/privacy/emergency", asked(closed))
        assert answer.status_code in (302, 303)
        assert seen(nurse.actor()) == {"pressure", "opioids"}
        assert open_store(nurse.actor()).read(Patient, closed.id).id == closed.id
        open_store(cast.system()).update(condition("elsewhere", OPIOIDS, cast.PATIENT_ID))
        assert "elsewhere" not in seen(nurse.actor())

    def test_needs_number_and_birth_date_and_keeps_the_try(self, client: Client, nurse: User, closed: Patient) -> None:
        page = client.post("/privacy/emergency", asked(closed, birth_date="1980-01-03"))
        assert page.status_code == 422
        assert "No patient has this number" in page.content.decode()
        assert AuditEvent.objects.filter(interaction="break-glass", outcome=4).count() == 1
        assert not Opening.objects.exists()

    def test_is_refused_after_ten_wrong_tries(self, client: Client, nurse: User, closed: Patient) -> None:
        for _ in range(actions.TRIES_AN_HOUR):
            client.post("/privacy/emergency", asked(closed, number="OW-999999"))
        assert "Too many tries" in client.post("/privacy/emergency", asked(closed)).content.decode()

    def test_needs_a_reason_in_words(self, client: Client, nurse: User, closed: Patient) -> None:
        assert client.post("/privacy/emergency", asked(closed, words="x")).status_code == 422

    def test_of_the_same_record_twice_is_one(self, client: Client, nurse: User, closed: Patient) -> None:
        for _ in range(2):
            client.post("/privacy/emergency", asked(closed))
        assert Opening.objects.count() == 1

    def test_is_no_key_for_a_role_without_it(self, client: Client, closed: Patient) -> None:
        client.force_login(User.objects.create_user(sign_in="f@example.org", password=None, role="front-desk", name="F"))
        assert client.post("/privacy/emergency", asked(closed)).status_code == 404

    def test_is_no_key_either_for_who_asks_past_the_page(self, closed: Patient) -> None:
        with pytest.raises(Forbidden):
            opened_by(cast.staff("front-desk"), closed)
        assert not Opening.objects.exists()

    def test_of_more_records_than_anyone_may_have_open_at_once_is_refused(self, nurse: User, closed: Patient) -> None:
        for number in range(actions.AT_ONCE):
            an_opening(nurse, patient=uuid.UUID(int=number))
        with pytest.raises(actions.TooManyOpen):
            opened_by(nurse.actor(), closed)
        assert Opening.objects.count() == actions.AT_ONCE

    def test_of_a_record_that_went_into_another_is_not_given(self, nurse: User, closed: Patient) -> None:
        open_store(cast.system()).update({**closed.data, "active": False})
        with pytest.raises(actions.NobodyFound):
            opened_by(nurse.actor(), closed)

    def test_is_shown_on_every_page(self, client: Client, nurse: User, closed: Patient) -> None:
        client.post("/privacy/emergency", asked(closed))
        assert "Emergency access is open" in client.get("/privacy/emergency").content.decode()

    def test_is_on_the_trail_with_the_patient(self, client: Client, nurse: User, closed: Patient) -> None:
        client.post("/privacy/emergency", asked(closed))
        assert AuditEvent.objects.get(interaction="break-glass").whose

    def test_is_told_to_the_privacy_officer_without_the_patient(self, client: Client, nurse: User, closed: Patient, officer: User) -> None:
        client.post("/privacy/emergency", asked(closed))
        message = Message.objects.get(kind="break-glass")
        assert message.to == officer.sign_in
        assert "Nell Night" in message.body
        assert not any(word in message.body for word in ("Example", number_of(closed), WORDS, str(closed.id)))

    def test_is_told_to_no_officer_whose_sign_in_was_ended(self, client: Client, nurse: User, closed: Patient, officer: User) -> None:
        User.objects.filter(pk=officer.pk).update(is_active=False)
        client.post("/privacy/emergency", asked(closed))
        assert not Message.objects.filter(kind="break-glass").exists()


class TestItsEnd:
    def test_is_an_hour_away(self, client: Client, nurse: User, closed: Patient) -> None:
        client.post("/privacy/emergency", asked(closed))
        opening = Opening.objects.get()
        assert opening.until - opening.since == dt.timedelta(hours=1)

    def test_is_not_passed_by_what_is_remembered(self, nurse: User, closed: Patient) -> None:
        an_opening(nurse, until=timezone.now() + dt.timedelta(seconds=2))
        forget()
        assert seen(nurse.actor()) == {"pressure", "opioids"}
        remembered = [
            until - time.monotonic() for place, (_, until, _) in known._kept.items() if place[0] == "standing" and nurse.actor().id in place[1]
        ]
        assert [seconds <= 2.0 for seconds in remembered] == [True]

    def test_is_on_the_trail(self, client: Client, nurse: User, closed: Patient) -> None:
        client.post("/privacy/emergency", asked(closed))
        client.post(f"/privacy/emergency/{Opening.objects.get().pk}/end")
        assert AuditEvent.objects.get(interaction="break-glass-end").whose == [Opening.objects.get().patient]

    def test_comes_after_an_hour(self, client: Client, nurse: User, closed: Patient) -> None:
        client.post("/privacy/emergency", asked(closed))
        Opening.objects.update(since=timezone.now() - dt.timedelta(hours=2), until=timezone.now() - dt.timedelta(seconds=1))
        forget()
        assert seen(nurse.actor()) == set()

    def test_comes_when_given_back(self, client: Client, nurse: User, closed: Patient) -> None:
        client.post("/privacy/emergency", asked(closed))
        client.post(f"/privacy/emergency/{Opening.objects.get().pk}/end")
        assert seen(nurse.actor()) == set()

    @pytest.mark.parametrize(
        "facts",
        [{"tenant": 2}, {"since": timezone.now() + dt.timedelta(minutes=30), "until": timezone.now() + dt.timedelta(hours=1)},
         {"verdict": "wrong", "reviewed_at": timezone.now()}],
        ids=["another practice's", "not begun", "found wrong"],
    )  # fmt: skip
    def test_is_there_from_the_beginning_where_it_never_held(self, nurse: User, closed: Patient, facts: dict[str, Any]) -> None:
        an_opening(nurse, **facts)
        forget()
        assert seen(nurse.actor()) == set()

    def test_is_not_another_ones_to_bring(self, client: Client, nurse: User, closed: Patient) -> None:
        client.post("/privacy/emergency", asked(closed))
        client.force_login(User.objects.create_user(sign_in="o@example.org", password=None, role="nurse", name="O"))
        assert client.post(f"/privacy/emergency/{Opening.objects.get().pk}/end").status_code == 404


class TestItsReview:
    @pytest.fixture(autouse=True)
    def opened(self, client: Client, nurse: User, closed: Patient, officer: User) -> None:
        client.post("/privacy/emergency", asked(closed))
        client.get("/")
        client.force_login(officer)

    def test_waits_in_the_queue(self, client: Client) -> None:
        page = client.get("/privacy/openings").content.decode()
        assert "Nell Night" in page
        assert "Open now" in page

    def test_shows_why_and_takes_a_finding(self, client: Client) -> None:
        opening = Opening.objects.get()
        assert WORDS in client.get(f"/privacy/openings/{opening.pk}").content.decode()
        client.post(f"/privacy/openings/{opening.pk}", {"verdict": "right", "finding": "Ambulance sheet agrees."})
        opening.refresh_from_db()
        assert (opening.verdict, opening.reviewed_by) == ("right", "Pia Officer")

    def test_that_finds_it_wrong_closes_it(self, client: Client, nurse: User) -> None:
        client.post(f"/privacy/openings/{Opening.objects.get().pk}", {"verdict": "wrong", "finding": "No such patient that night."})
        assert seen(nurse.actor()) == set()
        assert not Opening.objects.get().is_open

    def test_happens_once(self, client: Client) -> None:
        opening = Opening.objects.get()
        for finding in ("First finding", "Second finding"):
            page = client.post(f"/privacy/openings/{opening.pk}", {"verdict": "right", "finding": finding})
        assert page.status_code == 422
        assert Opening.objects.get().finding == "First finding"

    def test_is_on_the_trail(self, client: Client) -> None:
        client.post(f"/privacy/openings/{Opening.objects.get().pk}", {"verdict": "right", "finding": "Ambulance sheet agrees."})
        event = AuditEvent.objects.get(interaction="break-glass-review")
        assert (event.actor_name, event.whose) == ("Pia Officer", [Opening.objects.get().patient])

    def test_is_not_another_practices(self, client: Client, officer: User) -> None:
        Opening.objects.update(tenant=2)
        opening = Opening.objects.get()
        assert client.get(f"/privacy/openings/{opening.pk}").status_code == 404
        with pytest.raises(NotFound):
            actions.review(opening=str(opening.pk), verdict="right", finding="fine", by=officer.actor())
        assert client.get("/privacy/openings").content.decode().count("Nell Night") == 0

    def test_is_missed_on_the_health_page_after_a_week(self) -> None:
        from openward.privacy.breakglass.health import reviewed_in_time

        assert reviewed_in_time() is None
        Opening.objects.update(since=timezone.now() - dt.timedelta(days=8))
        assert "1 openings" in (reviewed_in_time() or "")

    def test_is_missed_for_another_tenant_too(self) -> None:
        from openward.privacy.breakglass.health import reviewed_in_time

        Opening.objects.update(tenant=2, since=timezone.now() - dt.timedelta(days=8))
        assert "1 openings" in (reviewed_in_time() or "")

    def test_is_not_ones_own(self) -> None:
        opening = Opening.objects.get()
        with pytest.raises(actions.NotYourOwn):
            actions.review(opening=str(opening.pk), verdict="right", finding="fine", by=User.objects.get(sign_in="nell@example.org").actor())


def test_nobody_else_is_named_to_who_may_not_see_them(closed: Patient) -> None:
    with pytest.raises(NotFound):
        open_store(cast.staff("nurse")).read(Patient, closed.id)
