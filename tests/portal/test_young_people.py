"""What a young person may keep to themselves is on no page of who looks after them: not in the words of a note, a reason, a report or a message either."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from openward.accounts.models import User
from openward.record import open_store
from tests import cast
from tests.access.people import condition, encounter, house
from tests.access.test_proxies import CHILD, child, leave

pytestmark = pytest.mark.django_db
CHLAMYDIA, ASTHMA = "A56.8", "J45.909"
RELEASED = {"tag": [{"system": "urn:openward:tag", "code": "released"}]}
LOINC = "http://loinc.org"


@pytest.fixture
def parent() -> User:
    house()
    return User.objects.create_user(sign_in="mum@example.org", password=None, role="patient", name="Mum", reference=f"Patient/{cast.PATIENT_ID}")


@pytest.fixture
def teen(parent: User) -> User:
    child(15)
    return User.objects.create_user(sign_in="kid@example.org", password=None, role="patient", name="Kim Kid", reference=f"Patient/{CHILD}")


@pytest.fixture
def mums(parent: User, teen: User) -> Client:
    leave(parent)
    return opened(parent, switched=True)


@pytest.fixture
def kims(teen: User) -> Client:
    return opened(teen)


def opened(user: User, *, switched: bool = False) -> Client:
    client = Client()
    client.force_login(user)
    if switched:
        client.post("/portal/family/switch", {"patient": f"Patient/{CHILD}"})
    return client


def visit(id: str, code: str, reason: str, words: str) -> None:
    """A finished visit with a diagnosis and a signed note."""
    store = open_store(cast.system())
    found = condition(f"found-{id}", code, CHILD, encounter={"reference": f"Encounter/{id}"})
    store.update({**encounter(id, CHILD), "reasonCode": [{"text": reason}]})
    store.update(found)
    store.update(
        {
            "resourceType": "Composition", "id": f"note-{id}", "status": "final", "title": "Visit note", "date": "2026-11-02T09:30:00Z",
            "type": {"coding": [{"system": LOINC, "code": "11506-3"}]}, "subject": {"reference": f"Patient/{CHILD}"},
            "encounter": {"reference": f"Encounter/{id}"}, "author": [{"reference": f"Practitioner/{cast.PRACTITIONER_ID}"}],
            "section": [{"title": "Plan", "text": {"status": "additional", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{words}</div>'}}],
        }
    )  # fmt: skip


def page(client: Client, path: str) -> str:
    answer = client.get(f"/portal/{path}")
    assert answer.status_code == 200
    return answer.content.decode()


class TestTheNoteOfAVisit:
    """A note is words, and words carry no code by which a rule could label them: it goes with what was found at the visit."""

    @pytest.fixture(autouse=True)
    def visits(self, teen: User) -> None:
        visit("clinic", CHLAMYDIA, "Wants a test", "Doxycycline for chlamydia.")
        visit("wheeze", ASTHMA, "Wheezing", "Albuterol before sports.")

    def test_about_what_is_confidential_is_not_shown_to_a_parent(self, mums: Client) -> None:
        shown = page(mums, "visits/clinic")
        assert "chlamydia" not in shown.lower()
        assert "Wants a test" not in shown

    def test_is_not_said_to_be_unsigned_where_it_is_kept_back(self, mums: Client) -> None:
        assert "not signed yet" not in page(mums, "visits/clinic")

    def test_about_anything_else_is_shown(self, mums: Client) -> None:
        assert "Albuterol before sports." in page(mums, "visits/wheeze")

    def test_is_the_young_persons_own_to_read(self, kims: Client) -> None:
        shown = page(kims, "visits/clinic")
        assert "Doxycycline for chlamydia." in shown
        assert "Wants a test" in shown

    def test_of_a_small_child_is_the_parents_to_read(self, mums: Client) -> None:
        child(6)
        assert "Doxycycline for chlamydia." in page(mums, "visits/clinic")


class TestAReport:
    def test_of_values_kept_back_is_kept_back_with_its_words(self, mums: Client, kims: Client) -> None:
        store = open_store(cast.system())
        value: dict[str, Any] = {
            "resourceType": "Observation", "id": "value", "meta": {**RELEASED, "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "STD"}]},
            "status": "final", "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}],
            "code": {"text": "Swab"}, "subject": {"reference": f"Patient/{CHILD}"}, "valueString": "positive", "effectiveDateTime": "2026-11-02",
        }  # fmt: skip
        store.update(value)
        store.update(
            {
                "resourceType": "DiagnosticReport", "id": "report", "meta": RELEASED, "status": "final", "code": {"text": "Swab panel"},
                "subject": {"reference": f"Patient/{CHILD}"}, "effectiveDateTime": "2026-11-02", "result": [{"reference": "Observation/value"}],
                "conclusion": "Please take the tablets.",
            }
        )  # fmt: skip
        for path in ("results", ""):
            assert "Swab panel" not in page(mums, path)
            assert "take the tablets" not in page(mums, path)
        assert mums.get("/portal/results/report").status_code == 404
        assert "Please take the tablets." in page(kims, "results/report")


class TestAMessage:
    @pytest.fixture
    def written(self, kims: Client) -> str:
        kims.post("/portal/messages/write", {"topic": "Medication or refill", "text": "Can I get the pill?"})
        root = open_store(cast.system()).search("Communication", {"patient": CHILD}).resources[0].id
        return str(root)

    def test_the_young_person_wrote_is_theirs(self, kims: Client, mums: Client, written: str) -> None:
        assert "Can I get the pill?" in page(kims, f"messages/{written}")
        assert mums.get(f"/portal/messages/{written}").status_code == 404
        assert mums.post(f"/portal/messages/{written}", {"text": "What pill?"}).status_code == 404
        assert written not in page(mums, "messages")

    @pytest.fixture
    def answered(self, written: str) -> str:
        """The id of the practice's answer."""
        answer = open_store(cast.system()).create(
            {
                "resourceType": "Communication", "status": "completed", "subject": {"reference": f"Patient/{CHILD}"}, "sent": "2030-01-01T00:00:00Z",
                "sender": {"reference": f"Practitioner/{cast.PRACTITIONER_ID}", "display": "Dr Sample"}, "payload": [{"contentString": "Yes."}],
                "partOf": [{"reference": f"Communication/{written}"}],
            }
        )  # fmt: skip
        return str(answer.id)

    def test_answered_is_not_announced_to_a_parent(self, mums: Client, kims: Client, answered: str) -> None:
        assert "The practice wrote to you" in page(kims, "")
        assert "The practice wrote to you" not in page(mums, "")

    def test_opens_by_its_first_message_and_not_by_the_answer(self, mums: Client, kims: Client, written: str, answered: str) -> None:
        for client in (mums, kims):
            assert client.get(f"/portal/messages/{answered}").status_code == 404
        assert "Yes." in page(kims, f"messages/{written}")

    def test_a_parent_wrote_is_the_parents_too(self, mums: Client) -> None:
        mums.post("/portal/messages/write", {"topic": "Appointment", "text": "May we come later?"})
        root = open_store(cast.system()).search("Communication", {"patient": CHILD}).resources[0].id
        assert "May we come later?" in page(mums, f"messages/{root}")

    def test_of_a_small_child_is_the_parents_to_read(self, mums: Client, written: str) -> None:
        child(6)
        assert "Can I get the pill?" in page(mums, f"messages/{written}")

    def test_is_promised_to_be_theirs_before_they_write(self, kims: Client, mums: Client) -> None:
        assert "do not see what you write here" in page(kims, "messages/write")
        assert "do not see what you write here" not in page(mums, "messages/write")
