"""The breach workbench: whom a suspect account touched, the clock, letters, the log."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from openward.access.actor import Actor
from openward.accounts.models import User
from openward.audit.auditor import AUDITOR
from openward.audit.models import Affected, AuditEvent, Breach, BreachStep, Hold, Retention
from openward.fhir.errors import NotFound
from openward.fhir.ids import key
from openward.fhir.protocols import Event
from openward.fhir.resources import Address, HumanName, Patient
from openward.outbox.models import Message
from openward.privacy.breaches import actions
from openward.privacy.breaches.clock import Clock
from openward.record import open_store
from openward.record.connection import connection
from tests import cast

pytestmark = pytest.mark.django_db

TODAY = dt.date(2026, 11, 22)


@pytest.fixture
def officer(client: Client) -> Client:
    """A nurse looked into two records, one of them of someone without an address; a clinician into a third."""
    store = open_store(cast.system())
    address = [Address(line=["1 Sample St"], city="Springfield", state="IL", postalCode="62701")]
    store.update(Patient(id=cast.PATIENT_ID, name=[HumanName(family="Example", given=["Ada"])], address=address))
    store.update(Patient(id=cast.OTHER_PATIENT_ID, name=[HumanName(family="Sample", given=["Ben"])]))
    store.update(Patient(id="0199c1f0-0000-7000-8000-0000000000c3", name=[HumanName(family="Test", given=["Cleo"])], address=address))
    for id in (cast.PATIENT_ID, cast.PATIENT_ID, cast.OTHER_PATIENT_ID):
        open_store(cast.staff("nurse", name="Nell Night")).read(Patient, id)
    open_store(cast.staff("clinician")).read(Patient, "0199c1f0-0000-7000-8000-0000000000c3")
    client.force_login(User.objects.create_user(sign_in="p@example.org", password=None, role="privacy-officer", name="Pia Officer"))
    return client


def told(**changes: object) -> dict[str, object]:
    today = timezone.localdate()
    return {
        "title": "Curious nurse",
        "discovered_on": today,
        "suspect": "user:nurse",
        "first": today - dt.timedelta(days=3),
        "last": today,
        **changes,
    }


@pytest.fixture
def breach(officer: Client) -> Breach:
    assert officer.post("/privacy/breaches/open", told()).status_code == 302 or Breach.objects.exists()
    return Breach.objects.get()


def test_finds_whom_the_suspect_account_touched_and_nobody_else(officer: Client, breach: Breach) -> None:
    assert dict(Affected.objects.values_list("patient", "times")) == {_uuid(cast.PATIENT_ID): 2, _uuid(cast.OTHER_PATIENT_ID): 1}
    page = officer.get(f"/privacy/breaches/{breach.id}").content.decode()
    assert "EXAMPLE" in page
    assert "60 days left" in page


def test_without_a_suspect_finds_whom_anybody_touched(officer: Client) -> None:
    officer.post("/privacy/breaches/open", told(suspect=""))
    assert Affected.objects.count() == 3


@pytest.mark.parametrize("role", ["patient", "proxy"])
def test_the_suspect_may_be_an_account_of_the_portal(officer: Client, role: str) -> None:
    """A patient's password that was stolen is a breach like any other: what was seen by it was seen by someone who should not."""
    stolen = Actor("user:stolen", "Ada Example", "patient", 1, role=role)
    AUDITOR.record(connection(), 1, stolen, [Event("read", "Patient", key("Patient", cast.PATIENT_ID), patients=[key("Patient", cast.PATIENT_ID)])])
    officer.post("/privacy/breaches/open", told(suspect="user:stolen"))
    assert list(Affected.objects.values_list("patient", flat=True)) == [_uuid(cast.PATIENT_ID)]


def test_looking_again_adds_who_came_since_and_keeps_the_letters(officer: Client, breach: Breach) -> None:
    officer.post(f"/privacy/breaches/{breach.id}/letters", {"title": "Notice", "body": "Dear {name}"})
    open_store(cast.staff("nurse", name="Nell Night")).read(Patient, "0199c1f0-0000-7000-8000-0000000000c3")
    officer.post(f"/privacy/breaches/{breach.id}/gather")
    assert Affected.objects.count() == 3
    assert Affected.objects.filter(letter__isnull=False).count() == 1


def test_letters_go_to_those_with_an_address_once(officer: Client, breach: Breach) -> None:
    for _ in range(2):
        answer = officer.post(f"/privacy/breaches/{breach.id}/letters", {"title": "Notice", "body": "Dear {name}"})
    (letter,) = Message.objects.filter(kind="breach-letter")
    assert (letter.channel, letter.body) == ("letter", "Dear Ada Example")
    assert "1 Sample St" in letter.to
    assert answer.status_code == 422  # the second time there is nobody left


def test_a_letter_with_gaps_is_not_sent(officer: Client, breach: Breach) -> None:
    assert officer.post(f"/privacy/breaches/{breach.id}/letters", {"title": "Notice", "body": "What happened: …"}).status_code == 422
    assert not Message.objects.exists()


def test_each_step_stands_in_the_log_and_on_the_trail(officer: Client, breach: Breach) -> None:
    officer.post(f"/privacy/breaches/{breach.id}/note", {"words": "Spoke with the nurse"})
    officer.post(f"/privacy/breaches/{breach.id}/close", {"words": "Mistaken identity"})
    assert list(BreachStep.objects.order_by("id").values_list("what", flat=True)) == ["opened", "gathered", "note", "closed"] or (
        set(BreachStep.objects.values_list("what", flat=True)) == {"opened", "gathered", "note", "closed"}
    )
    assert set(AuditEvent.objects.filter(interaction__startswith="breach").values_list("interaction", flat=True)) == {"breach-open", "breach-close"}


def test_a_closed_breach_sends_no_letters(officer: Client, breach: Breach) -> None:
    officer.post(f"/privacy/breaches/{breach.id}/close", {"words": "Done"})
    answer = officer.post(f"/privacy/breaches/{breach.id}/letters", {"title": "Notice", "body": "Dear {name}"})
    assert (answer.status_code, Message.objects.count()) == (422, 0)
    assert officer.post(f"/privacy/breaches/{breach.id}/close", {"words": "Twice"}).status_code == 422


@pytest.mark.parametrize("changes", [{"title": ""}, {"first": "2026-02-02", "last": "2026-01-01"}, {"discovered_on": "2999-01-01"}, {"last": "x"}])
def test_a_breach_that_makes_no_sense_is_not_opened(officer: Client, changes: dict[str, object]) -> None:
    assert officer.post("/privacy/breaches/open", told(**changes)).status_code == 422
    assert not Breach.objects.exists()


def test_another_tenants_breach_is_not_there(officer: Client, breach: Breach) -> None:
    Breach.objects.update(tenant=2)
    assert officer.get(f"/privacy/breaches/{breach.id}").status_code == 404
    assert officer.post(f"/privacy/breaches/{breach.id}/note", {"words": "x"}).status_code == 404
    for act in (actions.add_note, actions.close):
        with pytest.raises(NotFound):
            act(breach=breach.id, words="x", by=cast.staff("privacy-officer"))


@pytest.mark.parametrize(
    ("days_ago", "left", "late", "near"), [(0, 60, False, False), (46, 14, False, True), (60, 0, False, True), (61, -1, True, False)]
)
def test_the_clock_runs_for_sixty_days(days_ago: int, left: int, late: bool, near: bool) -> None:
    clock = Clock(TODAY - dt.timedelta(days=days_ago), TODAY, 3, closed=False)
    assert (clock.left, clock.is_late, clock.is_near) == (left, late, near)


@pytest.mark.parametrize(("affected", "due"), [(499, dt.date(2027, 3, 1)), (500, dt.date(2027, 1, 21))])
def test_the_secretary_is_told_sooner_of_many(affected: int, due: dt.date) -> None:
    assert Clock(TODAY, TODAY, affected, closed=False).secretary_due == due


class TestRetention:
    def test_is_set_in_years_and_not_below_six(self, officer: Client) -> None:
        assert officer.post("/privacy/retention", {"years": "5"}).status_code == 422
        officer.post("/privacy/retention", {"years": "7"})
        assert Retention.objects.get().days == 2557
        assert AuditEvent.objects.filter(interaction="retention-set").count() == 1

    def test_holds_are_placed_and_released_once(self, officer: Client) -> None:
        officer.post("/privacy/retention/hold", {"reason": "Example v. Sample"})
        hold = Hold.objects.get()
        assert "Example v. Sample" in officer.get("/privacy/retention").content.decode()
        assert officer.post(f"/privacy/retention/hold/{hold.id}/release").status_code in (302, 303)
        assert officer.post(f"/privacy/retention/hold/{hold.id}/release").status_code == 404

    def test_holds_are_on_the_trail(self, officer: Client) -> None:
        officer.post("/privacy/retention/hold", {"reason": "Example v. Sample"})
        officer.post(f"/privacy/retention/hold/{Hold.objects.get().id}/release")
        done = AuditEvent.objects.filter(interaction__startswith="hold").order_by("at").values_list("interaction", "detail")
        assert list(done) == [("hold-placed", f"hold {Hold.objects.get().id}"), ("hold-released", f"hold {Hold.objects.get().id}")]

    def test_the_hold_of_another_practice_is_not_released_here(self, officer: Client) -> None:
        hold = Hold.objects.create(tenant=2, reason="Theirs v. Them", placed_by="Their officer")
        assert officer.post(f"/privacy/retention/hold/{hold.id}/release").status_code == 404
        hold.refresh_from_db()
        assert hold.released_at is None
        assert "Theirs v. Them" not in officer.get("/privacy/retention").content.decode()


def _uuid(text: str) -> object:
    from uuid import UUID

    return UUID(text)
