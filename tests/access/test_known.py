"""What a process remembers of the policy's tables, and how soon it hears what another process has changed in them."""

from __future__ import annotations

import time

import pytest

from openward.access import known
from openward.access.actor import Actor
from openward.access.models import Clearance
from openward.record import open_store
from tests import cast
from tests.access.people import HYPERTENSION, OPIOIDS, condition, house, seen

pytestmark = pytest.mark.django_db
BILLER, CLIENT = cast.staff("biller"), cast.client("system/Condition.rs")


@pytest.fixture(autouse=True)
def record() -> None:
    house()
    for id, code in (("pressure", HYPERTENSION), ("opioids", OPIOIDS)):
        open_store(cast.system()).update(condition(id, code))
    known.forget()


def given_elsewhere(actor: Actor) -> None:
    """Another process gives a clearance: nobody tells this one to forget, the sequence has moved on."""
    Clearance.objects.create(tenant=1, actor=actor.id, label="ETH", reason="tested", given_by="test")
    known.rows("select nextval('access_changes')", [])


def taken_elsewhere() -> None:
    Clearance.objects.all().delete()
    known.rows("select nextval('access_changes')", [])


def test_the_very_first_change_of_an_installation_is_heard_of_too() -> None:
    """A sequence that was never asked stands at 1, and gives out 1 first. https://www.postgresql.org/docs/current/functions-sequence.html"""
    assert known.rows("select is_called from access_changes", []) == [(True,)]


def test_a_page_hears_of_it_with_its_next_request() -> None:
    assert seen(BILLER.during(request_id="1", address=None)) == {"pressure"}
    given_elsewhere(BILLER)
    assert seen(BILLER.during(request_id="2", address=None)) == {"pressure", "opioids"}
    taken_elsewhere()
    assert seen(BILLER.during(request_id="3", address=None)) == {"pressure"}


def test_what_a_session_was_told_long_ago_is_not_believed() -> None:
    assert seen(BILLER.during(request_id="1", address=None)) == {"pressure"}
    given_elsewhere(BILLER)
    known.heard(0)
    known._thread.heard_at = time.monotonic() - 1
    assert seen(BILLER.during(request_id="2", address=None)) == {"pressure", "opioids"}


def test_a_program_hears_of_it_within_two_seconds() -> None:
    given_elsewhere(CLIENT)
    assert seen(CLIENT) == {"pressure", "opioids"}
    taken_elsewhere()
    known._thread.asked_at -= 2.1
    assert seen(CLIENT) == {"pressure"}


def test_what_nobody_tells_of_is_asked_for_anew_within_half_a_minute() -> None:
    """A process may end between its commit and its telling."""
    given_elsewhere(BILLER)
    assert "opioids" in seen(BILLER)
    assert max(until for _, until, _ in known._kept.values()) - time.monotonic() <= 30
    assert max(until for _, until, _ in known._houses.values()) - time.monotonic() <= 30
