"""A problem is reported from any page, worked in one queue and answered where it was reported. No patient data goes with it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from openward.accounts.models import User
from openward.fhir.errors import NotFound
from openward.record.health import CHECKS, health_check
from openward.servicedesk import queries
from openward.servicedesk.actions import ANONYMOUS_PER_HOUR, Context, IllegalTransition, TooManyReports, answer, open_ticket
from openward.servicedesk.jobs import watch_health
from openward.servicedesk.models import Ticket
from openward.servicedesk.views import page_name
from tests import cast

pytestmark = pytest.mark.django_db
NURSE, AGENT = cast.staff("nurse"), cast.staff("it-agent", name="Ines Tech")


def reported(title: str = "The printer is silent", **more: object) -> Ticket:
    asked = {"title": title, "words": "", "impact": 2, "context": Context(), "by": NURSE}
    return open_ticket(**{**asked, **more})  # type: ignore[arg-type]


class TestATicket:
    def test_gets_the_next_number(self) -> None:
        assert reported().number + 1 == reported().number

    def test_is_seen_by_its_reporter_and_agents_only(self) -> None:
        ticket = reported()
        assert queries.ticket(NURSE, ticket.number) == ticket
        assert queries.ticket(AGENT, ticket.number) == ticket
        with pytest.raises(NotFound):
            queries.ticket(cast.staff("biller"), ticket.number)

    def test_goes_to_the_agent_who_answers_first(self) -> None:
        ticket = answer(ticket=reported(), words="On my way", by=AGENT, state="working")
        assert (ticket.agent_name, ticket.state) == ("Ines Tech", "working")

    def test_hides_notes_for_agents_from_the_reporter(self) -> None:
        ticket = reported()
        answer(ticket=ticket, words="She pulled the plug", by=AGENT, internal=True)
        assert [entry.words for entry in queries.entries(NURSE, ticket)] == []
        assert [entry.words for entry in queries.entries(AGENT, ticket)] == ["She pulled the plug"]

    def test_goes_back_to_work_when_the_reporter_answers_a_resolved_one(self) -> None:
        ticket = answer(ticket=reported(), words="Done", by=AGENT, state="resolved")
        again = answer(ticket=ticket, words="Still silent", by=NURSE)
        assert (again.state, again.resolved_at) == ("working", None)

    def test_moves_only_as_declared(self) -> None:
        with pytest.raises(IllegalTransition):
            answer(ticket=answer(ticket=reported(), words="", by=AGENT, state="resolved"), words="", by=AGENT, state="waiting")

    def test_that_stops_work_comes_first_in_the_queue(self) -> None:
        small, big = reported(impact=3), reported("Nobody can sign in", impact=1)
        assert list(queries.queue(AGENT)) == [big, small]


class TestTwoAgentsAtOnce:
    """Each has the ticket open. What the second saves is not done to a ticket that is another by now, and is not lost either."""

    def agent(self, name: str) -> tuple[Client, User]:
        user = User.objects.create_user(sign_in=f"{name}@example.org", password=None, role="it-agent", name=name)
        client = Client()
        client.force_login(user)
        return client, user

    def test_a_resolved_ticket_is_not_reopened_by_who_did_not_see_it_resolved(self) -> None:
        ticket = reported()
        (ines, _), (omar, _) = self.agent("Ines"), self.agent("Omar")
        there = reverse("servicedesk:ticket", kwargs={"number": ticket.number})
        ines.post(there, {"words": "New toner, prints again.", "state": "resolved", "seen": 0})
        answer = omar.post(there, {"words": "I will look tomorrow.", "state": "working", "seen": 0})
        page = answer.content.decode()
        ticket.refresh_from_db()
        assert (answer.status_code, ticket.state) == (422, "resolved")
        for words in ("Someone else was here meanwhile", "New toner, prints again.", "I will look tomorrow.", 'name="seen" value="1"'):
            assert words in page

    def test_a_ticket_of_somebody_who_is_away_is_taken_over(self) -> None:
        ticket = reported()
        (ines, _), (omar, user) = self.agent("Ines"), self.agent("Omar")
        there = reverse("servicedesk:ticket", kwargs={"number": ticket.number})
        ines.post(there, {"words": "Mine", "state": "working", "seen": 0})
        assert "I take it over" not in ines.get(there).content.decode()
        assert "I take it over" in omar.get(there).content.decode()
        omar.post(there, {"take": "on", "seen": 1})
        ticket.refresh_from_db()
        assert (ticket.agent, ticket.agent_name) == (f"user:{user.pk}", "Omar")
        assert "Omar took it over." in ines.get(there).content.decode()

    def test_a_reporter_takes_nothing_over(self) -> None:
        ticket = reported()
        answer(ticket=ticket, words="Mine", by=AGENT)
        answer(ticket=ticket, words="Well?", by=NURSE, take=True)
        ticket.refresh_from_db()
        assert ticket.agent_name == "Ines Tech"


class TestAPatientsReport:
    """That somebody is a patient is patient data, and the service desk sees none."""

    @pytest.fixture
    def pat(self) -> User:
        return User.objects.create_user(
            sign_in="p@example.org", password=None, role="patient", name="Pat Example", reference=f"Patient/{cast.PATIENT_ID}"
        )

    def test_tells_the_desk_no_name(self, pat: User, client: Client) -> None:
        ticket = answer(ticket=reported(by=pat.actor()), words="It still does not open", by=pat.actor())
        client.force_login(User.objects.create_user(sign_in="it@example.org", password=None, role="it-agent", name="Ines"))
        for path in (reverse("servicedesk:queue"), reverse("servicedesk:ticket", kwargs={"number": ticket.number}), "/"):
            page = client.get(path).content.decode()
            assert "Pat Example" not in page
            assert "A patient" in page

    def test_is_their_own_to_follow(self, pat: User, client: Client) -> None:
        ticket = answer(ticket=reported(by=pat.actor()), words="It still does not open", by=pat.actor())
        client.force_login(pat)
        assert client.get(reverse("servicedesk:ticket", kwargs={"number": ticket.number})).content.decode().count("You<") == 2


class TestAReport:
    def test_is_found_again_by_a_patient_too(self, client: Client) -> None:
        user = User.objects.create_user(sign_in="p@example.org", password=None, role="patient", name="Pat", reference=f"Patient/{cast.PATIENT_ID}")
        client.force_login(user)
        assert reverse("servicedesk:mine") in client.get(reverse("servicedesk:report")).content.decode()

    def test_carries_the_name_of_the_page_and_no_id(self) -> None:
        address = (
            reverse("registration:patient", kwargs={"patient": cast.PATIENT_ID})
            if "registration:patient" in _names()
            else f"/chart/{cast.PATIENT_ID}/"
        )
        assert cast.PATIENT_ID not in page_name(address)

    def test_of_an_address_that_is_none_carries_nothing(self) -> None:
        assert page_name("/no/such/page?name=Ada") == ""

    def test_comes_from_people_who_are_not_signed_in_too(self, client: Client) -> None:
        sent = client.post(reverse("servicedesk:report"), {"title": "I cannot sign in", "impact": 1, "contact": "extension 12"})
        assert sent.status_code == 200
        assert Ticket.objects.get().reporter == "nobody"

    def test_floods_are_held_back(self) -> None:
        for _ in range(ANONYMOUS_PER_HOUR):
            reported(by=None)
        with pytest.raises(TooManyReports):
            reported(by=None)

    def test_without_words_says_what_is_missing(self, client: Client) -> None:
        sent = client.post(reverse("servicedesk:report"), {"impact": 2})
        assert sent.status_code == 422
        assert Ticket.objects.count() == 0

    def test_is_answered_where_it_was_reported(self, client: Client) -> None:
        nurse = User.objects.create_user(sign_in="n@example.org", password=None, role="nurse", name="Nell")
        ticket = reported(by=nurse.actor())
        answer(ticket=ticket, words="A new printer comes today", by=AGENT)
        client.force_login(nurse)
        assert "A new printer comes today" in client.get(reverse("servicedesk:ticket", kwargs={"number": ticket.number})).content.decode()


class TestWhatIsUnhealthy:
    @pytest.fixture
    def trouble(self) -> list[str]:
        sick: list[str] = ["The lab feed is silent."]
        health_check("test-feed", title="Test feed")(lambda: sick[0] if sick else None)
        yield sick
        del CHECKS["test-feed"]

    def test_opens_one_incident_and_closes_it_when_well_again(self, trouble: list[str]) -> None:
        watch_health()
        watch_health()
        incident = Ticket.objects.get(source="health:test-feed")
        assert incident.words == "The lab feed is silent."
        trouble.clear()
        watch_health()
        incident.refresh_from_db()
        assert incident.state == "resolved"


def _names() -> set[str]:
    from openward.web.pages import PAGES

    return set(PAGES)
