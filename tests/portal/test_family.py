"""Whoever looks after others writes, books and pays in the record they see before them, and in no other."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from openward.access.known import changing
from openward.access.models import ProxyGrant
from openward.accounts.models import User
from openward.fhir.ids import key
from openward.record import open_store
from tests.scheduling.conftest import Clinic

TYPED = "My child has had a rash since Monday."


def leave(user: User, patient: str) -> ProxyGrant:
    areas = ["health", "appointments", "messages", "bills"]
    with changing():
        return ProxyGrant.objects.create(
            tenant=1, user_id=user.id, patient=key("Patient", patient), reference=f"Patient/{patient}", kind="guardian", areas=areas, given_by="desk"
        )


def end(grant: ProxyGrant) -> None:
    with changing():
        ProxyGrant.objects.filter(pk=grant.pk).update(until=timezone.now() - dt.timedelta(seconds=1))


def messages(clinic: Clinic, patient: str) -> int:
    return len(open_store(clinic.desk).search("Communication", {"patient": patient}).resources)


@pytest.fixture
def grant(clinic: Clinic, ada: User) -> ProxyGrant:
    return leave(ada, clinic.ben)


@pytest.fixture
def for_ben(portal: Client, clinic: Clinic, grant: ProxyGrant) -> Client:
    """Ada's portal, switched to Ben's record."""
    portal.post("/portal/family/switch", {"patient": f"Patient/{clinic.ben}"})
    return portal


@pytest.mark.parametrize("path", ["messages/write", "book/{service}/{osei}"])
def test_a_form_says_in_whose_record_it_was_opened(for_ben: Client, clinic: Clinic, path: str) -> None:
    time = f"{clinic.osei}|{clinic.facility}|{clinic.at('09:00').isoformat()}"
    page = for_ben.get("/portal/" + path.format(service=clinic.service, osei=clinic.osei), {"time": time}).content.decode()
    assert f'name="_whose" value="Patient/{clinic.ben}"' in page


class TestAFormOfAnotherRecord:
    """Two windows, or a leave that ended while someone typed: what was meant for one must never be done in the other's name."""

    def test_is_not_sent_in_the_record_one_switched_to_meanwhile(self, for_ben: Client, clinic: Clinic) -> None:
        for_ben.post("/portal/family/switch", {"patient": ""})
        answer = for_ben.post("/portal/messages/write", {"topic": "Something else", "text": TYPED, "_whose": f"Patient/{clinic.ben}"})
        assert answer.status_code == 409
        assert messages(clinic, clinic.ada) == messages(clinic, clinic.ben) == 0

    def test_is_not_sent_as_ones_own_when_the_leave_has_ended(self, for_ben: Client, clinic: Clinic, grant: ProxyGrant) -> None:
        end(grant)
        for_ben.post("/portal/messages/write", {"topic": "Something else", "text": TYPED, "_whose": f"Patient/{clinic.ben}"})
        assert messages(clinic, clinic.ada) == 0

    def test_books_for_nobody_else(self, for_ben: Client, clinic: Clinic) -> None:
        for_ben.post("/portal/family/switch", {"patient": ""})
        time = f"{clinic.osei}|{clinic.facility}|{clinic.at('09:00').isoformat()}"
        for_ben.post(f"/portal/book/{clinic.service}/{clinic.osei}", {"time": time, "_whose": f"Patient/{clinic.ben}"})
        assert open_store(clinic.desk).search("Appointment", {}).resources == []

    def test_comes_back_with_what_was_typed(self, for_ben: Client) -> None:
        answer = for_ben.post("/portal/messages/write", {"topic": "Something else", "text": TYPED, "_whose": "Patient/someone-else"})
        assert TYPED in answer.content.decode()

    def test_can_be_sent_after_switching_back(self, for_ben: Client, clinic: Clinic) -> None:
        sent = {"topic": "Something else", "text": TYPED, "_whose": f"Patient/{clinic.ben}"}
        for_ben.post("/portal/family/switch", {"patient": ""})
        for_ben.post("/portal/messages/write", sent)
        for_ben.post("/portal/family/switch", {"patient": f"Patient/{clinic.ben}"})
        assert for_ben.post("/portal/messages/write", sent).status_code == 303
        assert messages(clinic, clinic.ben) == 1


def test_what_another_wrote_in_the_same_conversation_stands_under_their_name(for_ben: Client, clinic: Clinic) -> None:
    """A mother's message is not the child's: each sees `You` on their own only."""
    for_ben.post("/portal/messages/write", {"topic": "Something else", "text": TYPED})
    root = open_store(clinic.desk).search("Communication", {"patient": clinic.ben}).resources[0].id
    assert "Ada Okafor" not in for_ben.get(f"/portal/messages/{root}").content.decode().split('class="thread"')[1].split("</ol>")[0]
    ben = Client()
    ben.force_login(User.objects.create_user(sign_in="ben@example.org", password=None, role="patient", name="Ben", reference=f"Patient/{clinic.ben}"))
    assert "Ada Okafor" in ben.get(f"/portal/messages/{root}").content.decode()


class TestALeaveForAppointmentsAlone:
    """What they were not given leave to see is not said not to be there: a carer who reads that nothing is prescribed may act on it."""

    @pytest.fixture
    def helper(self, for_ben: Client, grant: ProxyGrant) -> Client:
        with changing():
            ProxyGrant.objects.filter(pk=grant.pk).update(areas=["appointments"])
        return for_ben

    @pytest.mark.parametrize(
        ("path", "claim"),
        [("medications", "No medications"), ("immunizations", "No immunizations"), ("results", "No results"), ("visits", "No visits yet")],
    )
    def test_says_that_nothing_can_be_shown(self, helper: Client, path: str, claim: str) -> None:
        page = helper.get(f"/portal/{path}").content.decode()
        assert "Nothing can be shown here" in page
        assert claim not in page

    def test_prints_no_sheet_that_says_there_are_none(self, helper: Client) -> None:
        assert helper.get("/portal/immunizations.pdf").status_code == 404

    @pytest.mark.parametrize("path", ["medications", "visits"])
    def test_leads_to_no_page_they_may_not_open(self, helper: Client, path: str) -> None:
        assert "/portal/messages/write" not in helper.get(f"/portal/{path}").content.decode()


class TestALeaveThatEnded:
    def test_is_told_once(self, for_ben: Client, grant: ProxyGrant) -> None:
        end(grant)
        assert "no longer look after" in for_ben.get("/portal/").content.decode()
        assert "no longer look after" not in for_ben.get("/portal/").content.decode()

    def test_leaves_a_carer_without_a_record_a_page_to_stand_on(self, clinic: Clinic) -> None:
        client = Client()
        client.force_login(User.objects.create_user(sign_in="aunt@example.org", password=None, role="patient", name="Aunt"))
        answer = client.get("/portal/", follow=True)
        assert answer.status_code == 200
        assert "ask the practice" in answer.content.decode()
