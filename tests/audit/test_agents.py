"""Who acted stands once, and stays when what they did is rolled back."""

from __future__ import annotations

import pytest
from django.db import connection as django_connection
from django.db import transaction

from openward.access.actor import Actor
from openward.audit.agents import Agents, agent_key
from openward.audit.auditor import AUDITOR, _may_hurry
from openward.audit.models import AuditEvent
from openward.fhir.protocols import Event
from openward.record.connection import connection

pytestmark = pytest.mark.django_db


def actor(name: str, **facts: str) -> Actor:
    return Actor("user:of-the-trail", name, "staff", 1, **facts)  # type: ignore[arg-type]


def kept(name: str) -> int:
    with django_connection.cursor() as cursor:
        cursor.execute("select count(*) from audit.agent where actor_name = %s", [name])
        return int(cursor.fetchone()[0])


class Undone(Exception):
    pass


def test_an_agent_met_in_a_transaction_that_is_rolled_back_is_kept() -> None:
    with pytest.raises(Undone), transaction.atomic():
        AUDITOR.record(connection(), 1, actor("Rolled Back"), [Event("read", "Patient")])
        raise Undone
    assert kept("Rolled Back") == 1


def test_an_agent_is_kept_once_whoever_asks() -> None:
    for agents in (Agents(), Agents()):
        agents.key(connection(), 1, actor("Asked Twice"))
    assert kept("Asked Twice") == 1


def test_an_event_tells_the_agent_as_they_were_at_the_time() -> None:
    for role in ("nurse", "clinician"):
        AUDITOR.record(connection(), 1, actor("Changed Role", role=role), [Event("read", "Patient")])
    assert set(AuditEvent.objects.filter(actor_name="Changed Role").values_list("actor_role", flat=True)) == {"nurse", "clinician"}


def test_facts_that_run_together_make_other_keys() -> None:
    keys = {
        agent_key("a", "bc"),
        agent_key("ab", "c"),
        agent_key("a", "b", "c"),
        agent_key("a", None, "bc"),
        agent_key("a", "", "bc"),
        agent_key("a,2:bc"),
    }
    assert len(keys) == 6


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_an_event_names_every_patient_it_touched(number: int) -> None:
    from uuid import UUID

    whose = [UUID(int=one) for one in range(number)]
    AUDITOR.record(connection(), 1, actor("Reads Many"), [Event("search", "Patient", patients=whose)])
    assert AuditEvent.objects.get(actor_name="Reads Many").whose == whose


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("events", "may"),
    [
        ([Event("read", "Patient")], True),
        ([Event("search", "Patient"), Event("vread", "Patient")], True),
        ([Event("read", "Patient", outcome=4)], False),
        ([Event("read", "Patient"), Event("search", "Patient", outcome=8)], False),
        ([Event("create", "Patient")], False),
        ([Event("sign-in", None)], False),
    ],
)
def test_only_what_was_read_and_allowed_need_not_wait_for_the_disk(events: list[Event], may: bool) -> None:
    """What was refused or written would be gone after a power cut, and with it that it was tried."""
    assert _may_hurry(connection(), events) is may
    with transaction.atomic():
        connection().execute("select 1")
        assert not _may_hurry(connection(), events)
