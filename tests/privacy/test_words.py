"""The privacy officer reads plain words in who saw what."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client

import openward
from openward.access.actor import Actor
from openward.accounts.models import User
from openward.audit.auditor import AUDITOR
from openward.fhir.protocols import Event
from openward.privacy.words import TYPES, VERBS, detail_words, type_words, verb_words
from openward.record.connection import connection

NOTED = re.compile(r'(?:\bnote\([^"\n]*?|\bEvent\(\s*|\b_noted\(by, )"([a-z]+(?:-[a-z]+)*)"')


def noted() -> set[str]:
    """Every name under which the program itself writes on the trail, as it stands in the sources; a timeline's events are others."""
    root = Path(openward.__file__).parent
    return {found for path in root.rglob("*.py") if path.name != "timeline.py" for found in NOTED.findall(path.read_text(encoding="utf-8"))}


def test_whatever_the_program_writes_on_the_trail_has_words() -> None:
    assert len(noted()) > 40
    assert noted() - set(VERBS) == set()


@pytest.mark.parametrize("type", ["Task", "ExplanationOfBenefit", "Binary", "ChargeItem", "PractitionerRole"])
def test_types_are_not_called_as_fhir_calls_them(type: str) -> None:
    assert type_words(type) == TYPES[type]
    assert type.lower() not in type_words(type).split()


def test_what_has_no_words_of_its_own_is_at_least_not_one_word() -> None:
    assert type_words("SupplyDelivery") == "supply delivery"
    assert verb_words("$find-matches") == "used “find matches” on"
    assert verb_words("some-new-thing") == "some new thing"


@pytest.mark.parametrize(
    ("detail", "outcome", "words"),
    [
        ("SlotTaken", 4, "the time was booked already"),
        ("NothingToClaim", 4, "nothing to claim"),
        ("password", 0, "password"),
        ("no patient with that number", 4, "no patient with that number"),
        ("Springfield", 0, "Springfield"),
        (None, 4, ""),
    ],
)
def test_a_refusal_says_why(detail: str | None, outcome: int, words: str) -> None:
    assert detail_words(detail, outcome) == words


@pytest.mark.django_db
def test_the_lists_have_no_names_of_the_programs_inside(client: Client) -> None:
    nurse = Actor("user:n", "Nell Night", "nurse", 1, role="nurse")
    AUDITOR.record(connection(), 1, nurse, [Event("read", "Task"), Event("create", "Appointment", outcome=4, detail="SlotTaken")])
    client.force_login(User.objects.create_user(sign_in="pia", password=None, role="privacy-officer", name="Pia Officer"))
    page = client.get("/privacy/events").content.decode()
    assert "opened tasks" in page
    assert "the time was booked already" in page
    assert "SlotTaken" not in page + client.get("/privacy/events?format=csv").getvalue().decode()
