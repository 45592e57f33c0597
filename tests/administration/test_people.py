"""The administrator makes, changes and ends sign-ins; health is told to everyone, why only to who may know."""

from __future__ import annotations

import datetime as dt
import json
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from openward.accounts import factors
from openward.accounts.models import User
from openward.administration import actions
from openward.audit.models import AuditEvent
from openward.outbox.models import Message
from openward.record.health import CHECKS, health_check
from openward.web.gate import PROVED_AT

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def boss() -> User:
    return User.objects.create_user(sign_in="boss@example.org", password=None, role="administrator", name="Bo Admin")


@pytest.fixture
def nurse() -> User:
    return User.objects.create_user(sign_in="nurse@example.org", password=None, role="nurse", name="Nell Night")


@pytest.fixture
def office(client: Client, boss: User) -> Client:
    client.force_login(boss)
    return client


class TestTheAdministrator:
    def test_adds_a_person(self, office: Client) -> None:
        office.post("/admin/people/add", {"name": "New Nurse", "sign_in": "new@example.org", "role": "nurse", "password": PASSWORD})
        assert User.objects.get(sign_in="new@example.org").role == "nurse"
        assert AuditEvent.objects.filter(interaction="make-user").count() == 1

    @pytest.mark.parametrize("changed", [{"password": "short"}, {"sign_in": "boss@example.org"}, {"role": "king"}, {"reference": "Robert'); drop"}])
    def test_is_told_what_is_wrong(self, office: Client, changed: dict[str, str]) -> None:
        filled = {"name": "N", "sign_in": "n@example.org", "role": "nurse", "password": PASSWORD, **changed}
        assert office.post("/admin/people/add", filled).status_code == 422

    def test_ends_a_sign_in_and_its_sessions_at_once(self, office: Client, nurse: User) -> None:
        theirs = Client()
        theirs.force_login(nurse)
        assert theirs.get("/desk/mine").status_code == 200
        office.post(f"/admin/people/{nurse.id}", {"do": "end"})
        assert theirs.get("/desk/mine").status_code == 302
        office.post(f"/admin/people/{nurse.id}", {"do": "restore"})
        assert theirs.get("/desk/mine").status_code == 302, "whoever comes back signs in anew"

    def test_changes_a_role_and_the_old_one_ends_at_once(self, office: Client, nurse: User) -> None:
        theirs = Client()
        theirs.force_login(nurse)
        office.post(f"/admin/people/{nurse.id}", {"role": "biller"})
        nurse.refresh_from_db()
        assert nurse.role == "biller"
        assert theirs.get("/desk/mine").status_code == 302

    def test_cannot_make_themselves_more_or_take_their_own_factors_away(self, boss: User) -> None:
        with pytest.raises(actions.OwnSignIn):
            actions.change_role(user=boss, role="clinician", by=boss.actor())
        with pytest.raises(actions.OwnSignIn):
            actions.remove_factors(user=boss, by=boss.actor())

    def test_leaves_an_event_for_everything_done_to_a_person(self, office: Client, nurse: User) -> None:
        for way in (
            {"role": "biller"},
            {"do": "send-link"},
            {"do": "sign-out"},
            {"do": "unlock"},
            {"do": "remove-factors"},
            {"do": "end"},
            {"do": "restore"},
        ):
            office.post(f"/admin/people/{nurse.id}", way)
        done = (
            AuditEvent.objects.filter(actor_name="Bo Admin", detail__startswith=f"user:{nurse.id}")
            .order_by("at")
            .values_list("interaction", flat=True)
        )
        assert list(done) == ["change-role", "send-sign-in-link", "end-session", "unlock-user", "remove-factor", "end-user", "restore-user"]

    def test_cannot_end_themselves(self, boss: User) -> None:
        with pytest.raises(actions.OwnSignIn):
            actions.end_sign_in(user=boss, by=boss.actor())

    def test_sees_no_words_of_a_message(self, office: Client) -> None:
        Message.objects.create(kind="appointment-confirmation", channel="sms", to="+12125550100", body="See you soon")
        page = office.get("/admin/outbox").content.decode()
        assert "appointment-confirmation" in page
        assert "5550100" not in page
        assert "See you soon" not in page

    @pytest.mark.parametrize("path", ["/admin/people", "/admin/people?q=nurse&role=nurse", "/admin/roles", "/admin/health", "/admin/outbox"])
    def test_opens_every_page(self, office: Client, nurse: User, path: str) -> None:
        assert office.get(path).status_code == 200


class TestWhatIsRisky:
    @pytest.mark.parametrize("path", ["/admin/people/add", "/admin/people/{id}"])
    def test_asks_who_proved_themselves_long_ago_to_do_so_again(self, office: Client, nurse: User, path: str) -> None:
        session = office.session
        session[PROVED_AT] = 0
        session.save()
        there = path.format(id=nurse.id)
        assert office.get(there)["Location"] == f"/account/security/again?next={quote(there, safe='')}"
        assert (
            office.post(there, {"do": "end"}, headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/admin/people"})["HX-Redirect"]
            == "/account/security/again?next=%2Fadmin%2Fpeople"
        )
        nurse.refresh_from_db()
        assert nurse.is_active

    def test_is_done_for_a_person_from_their_panel(self, office: Client, nurse: User) -> None:
        theirs = Client()
        theirs.force_login(nurse)
        User.objects.filter(pk=nurse.pk).update(failed_tries=0, locked_until=timezone.now() + dt.timedelta(minutes=9))
        office.post(f"/admin/people/{nurse.id}", {"do": "unlock"})
        nurse.refresh_from_db()
        assert not nurse.is_locked
        office.post(f"/admin/people/{nurse.id}", {"do": "sign-out"})
        assert theirs.get("/desk/mine").status_code == 302
        office.post(f"/admin/people/{nurse.id}", {"do": "send-link"})
        assert Message.objects.get(kind="sign-in-link").to == "nurse@example.org"

    def test_removes_lost_factors_and_signs_out(self, office: Client, nurse: User) -> None:
        theirs = Client()
        theirs.force_login(nurse)
        factors.new_recovery_codes(nurse)
        office.post(f"/admin/people/{nurse.id}", {"do": "remove-factors"})
        assert theirs.get("/desk/mine").status_code == 302
        assert factors.recovery_codes_left(nurse) == 0
        assert AuditEvent.objects.filter(interaction="remove-factor").count() == 1

    def test_without_password_or_address_makes_nobody(self, office: Client) -> None:
        assert office.post("/admin/people/add", {"name": "N", "sign_in": "nobody", "role": "nurse"}).status_code == 422
        assert not User.objects.filter(sign_in="nobody").exists()

    def test_without_password_sends_a_link_for_a_week(self, office: Client) -> None:
        office.post("/admin/people/add", {"name": "N", "sign_in": "new@example.org", "role": "nurse"})
        assert not User.objects.get(sign_in="new@example.org").has_usable_password()
        assert "within a week" in Message.objects.get().body


class TestHealth:
    def test_tells_anyone_which_check_is_in_trouble_but_not_why(self, client: Client) -> None:
        health_check("test-sick", title="Sick")(lambda: "the secret reason")
        try:
            answer = client.get("/health")
        finally:
            del CHECKS["test-sick"]
        assert (answer.status_code, json.loads(answer.content)["checks"]["test-sick"]) == (200, "trouble")
        assert "secret reason" not in answer.content.decode()

    def test_is_503_when_something_vital_is_in_trouble(self, client: Client) -> None:
        health_check("test-dead", title="Dead", vital=True)(lambda: "gone")
        try:
            assert client.get("/health").status_code == 503
        finally:
            del CHECKS["test-dead"]

    def test_a_check_that_crashes_is_a_trouble(self, client: Client) -> None:
        health_check("test-crash", title="Crash")(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
        try:
            assert json.loads(client.get("/health").content)["checks"]["test-crash"] == "trouble"
        finally:
            del CHECKS["test-crash"]
