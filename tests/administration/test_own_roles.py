"""Roles of the house's own, clearances, and what a person can see and why."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from openward.access.known import forget
from openward.access.labels import LABELS
from openward.access.models import Assignment, Clearance, CustomRole
from openward.access.permissions import Permission
from openward.access.roles import ROLES
from openward.accounts.models import User
from openward.administration.actions import OwnSignIn
from openward.administration.policy import actions
from openward.audit.models import AuditEvent
from openward.fhir.errors import Forbidden, NotFound
from openward.record import open_store
from tests import cast
from tests.access.people import HYPERTENSION, OPIOIDS, condition, encounter, house, seen

pytestmark = pytest.mark.django_db
SOUTH = "0199c1f0-0000-7000-8000-00000000501a"


@pytest.fixture
def admin(client: Client) -> Client:
    store = house()
    store.update({"resourceType": "Location", "id": SOUTH, "name": "South", "status": "active"})
    for id in (cast.PATIENT_ID, cast.OTHER_PATIENT_ID):
        store.update(condition(f"pressure-{id[-2:]}", HYPERTENSION, id))
    client.force_login(User.objects.create_user(sign_in="admin@example.org", password=None, role="administrator", name="Alma Admin"))
    return client


@pytest.fixture
def nurse() -> User:
    return User.objects.create_user(sign_in="nell@example.org", password=None, role="nurse", name="Nell Night")


def described(**more: Any) -> dict[str, Any]:
    return {"title": "Nurse at the south", "sentence": "Rooms patients at the south clinic.", "reach": "facility", "permissions": ["find-patients", "read-chart"],
            "cleared": ["PSY"], **more}  # fmt: skip


def make(admin: Client, **more: Any) -> CustomRole:
    admin.post("/admin/roles/own/new/nurse", described(**more))
    return CustomRole.objects.get()


def give(admin: Client, role: CustomRole, **more: Any) -> Any:
    return admin.post(f"/admin/roles/own/{role.key}", {"sign_in": "nell@example.org", "facility": f"Location/{SOUTH}", **more})


class TestARoleOfTheHouse:
    def test_is_a_part_of_a_shipped_one(self, admin: Client) -> None:
        role = make(admin, permissions=["read-chart"], left_out=["Composition"], reads_only="on")
        assert role.permissions == ["read-chart"]
        assert "Composition" not in role.grants
        assert set("".join(role.grants.values())) == {"r", "s"}

    def test_cannot_be_more(self, admin: Client) -> None:
        assert admin.post("/admin/roles/own/new/nurse", described(permissions=["manage-users"])).status_code == 422
        assert admin.post("/admin/roles/own/new/patient", described()).status_code == 404

    def test_cannot_be_more_past_the_page_either(self, admin: Client) -> None:
        boss = User.objects.get(sign_in="admin@example.org").actor()
        base, everything = ROLES["front-desk"], {"permissions": [one.value for one in Permission], "cleared": list(LABELS)}
        facts = {"title": "More", "sentence": "Wants more.", "based_on": "front-desk", "left_out": [], "reads_only": False, "reach": "everyone"}
        made = actions.keep_role(key=None, by=boss, **facts, **everything)
        assert set(made.permissions) == {one.value for one in base.permissions}
        assert (set(made.cleared), set(made.cleared_in_care)) == (base.cleared, base.cleared_in_care)

    def test_decides_in_place_of_the_one_they_had(self, admin: Client, nurse: User) -> None:
        give(admin, make(admin))
        actor = nurse.actor()
        assert actor.may(Permission.READ_CHART)
        assert not actor.may(Permission.RECORD_VITALS)

    def test_of_a_facility_reaches_its_patients_only(self, admin: Client, nurse: User) -> None:
        assert seen(nurse.actor()) == {"pressure-a1", "pressure-b2"}
        give(admin, make(admin))
        assert seen(nurse.actor()) == set()
        open_store(cast.system()).update(encounter("visit", location=f"Location/{SOUTH}"))
        assert seen(nurse.actor()) == {"pressure-a1"}
        with pytest.raises(NotFound):
            open_store(nurse.actor()).read("Condition", "pressure-b2")

    def test_reaches_the_patient_they_register(self, admin: Client, nurse: User) -> None:
        admin.post("/admin/roles/own/new/front-desk", described(permissions=["register-patients"], cleared=[]))
        give(admin, CustomRole.objects.get())
        made = open_store(nurse.actor()).create({"resourceType": "Patient", "name": [{"family": "New"}]})
        assert open_store(nurse.actor()).read("Patient", made.id).id == made.id

    def test_shows_the_labels_it_is_cleared_for_only(self, admin: Client, nurse: User) -> None:
        open_store(cast.system()).update(condition("opioids", OPIOIDS))
        give(admin, make(admin, reach="everyone"))
        assert "opioids" not in seen(nurse.actor())

    def test_that_has_ended_leaves_nothing(self, admin: Client, nurse: User) -> None:
        give(admin, make(admin))
        Assignment.objects.update(until=timezone.now() - dt.timedelta(seconds=1))
        forget()
        assert not nurse.actor().may(Permission.READ_CHART)
        assert open_store(nurse.actor()).policy.where(nurse.actor(), "read", "Patient") is None

    def test_is_taken_back(self, admin: Client, nurse: User) -> None:
        give(admin, make(admin))
        admin.post(f"/admin/people/{nurse.pk}/role/end")
        assert nurse.actor().may(Permission.RECORD_VITALS)

    def test_goes_when_a_shipped_one_is_given_in_its_place(self, admin: Client, nurse: User) -> None:
        """Else the page would say that the role is changed, while the old rights go on."""
        give(admin, make(admin))
        admin.post(f"/admin/people/{nurse.id}", {"role": "it-agent"})
        nurse.refresh_from_db()
        assert (nurse.role, nurse.actor().may(Permission.READ_CHART), nurse.actor().may(Permission.WORK_TICKETS)) == ("it-agent", False, True)

    def test_is_nobodys_to_give_themselves(self, admin: Client) -> None:
        page = give(admin, make(admin), sign_in="admin@example.org")
        assert page.status_code == 422
        assert not Assignment.objects.exists()

    def test_is_nobodys_to_take_from_themselves_or_to_give_a_patient_or_a_stranger(self, admin: Client, nurse: User) -> None:
        make(admin)
        boss = User.objects.get(sign_in="admin@example.org")
        with pytest.raises(OwnSignIn):
            actions.unassign(user=boss, by=boss.actor())
        patient = User.objects.create_user(sign_in="pat@example.org", password=None, role="patient", name="Pat")
        stranger = User.objects.create_user(sign_in="far@example.org", password=None, role="nurse", name="Far", tenant=2)
        for whom in (patient, stranger):
            with pytest.raises(NotFound):
                actions.assign(key=CustomRole.objects.get().key, user=whom, facility="", until=None, by=boss.actor())
        assert not Assignment.objects.exists()

    def test_is_removed_when_nobody_has_it(self, admin: Client, nurse: User) -> None:
        role = make(admin)
        give(admin, role)
        admin.post(f"/admin/roles/own/{role.key}/end")
        assert CustomRole.objects.exists()
        admin.post(f"/admin/people/{nurse.pk}/role/end")
        admin.post(f"/admin/roles/own/{role.key}/end")
        assert not CustomRole.objects.exists()

    def test_is_on_the_trail(self, admin: Client, nurse: User) -> None:
        give(admin, make(admin))
        assert set(AuditEvent.objects.filter(actor_name="Alma Admin").values_list("interaction", flat=True)) >= {"keep-role", "assign-role"}

    def test_taken_back_and_ended_is_on_the_trail_too(self, admin: Client, nurse: User) -> None:
        boss = User.objects.get(sign_in="admin@example.org").actor()
        role = make(admin)
        give(admin, role)
        actions.unassign(user=nurse, by=boss)
        actions.end_role(key=role.key, by=boss)
        actions.end_clearance(clearance=str(actions.clear(actor="user:x", label="ETH", reason="because", until=None, by=boss).pk), by=boss)
        done = AuditEvent.objects.filter(actor_name="Alma Admin").order_by("at").values_list("interaction", flat=True)
        assert [one for one in done if one not in ("read", "search")] == [
            "keep-role",
            "assign-role",
            "unassign-role",
            "end-role",
            "clear",
            "end-clearance",
        ]

    def test_of_the_same_name_is_one(self, admin: Client) -> None:
        make(admin)
        assert admin.post("/admin/roles/own/new/nurse", described()).status_code == 422
        assert CustomRole.objects.count() == 1


class TestAClearance:
    def test_lets_a_person_see_one_label(self, admin: Client) -> None:
        open_store(cast.system()).update(condition("opioids", OPIOIDS))
        biller = User.objects.create_user(sign_in="bill@example.org", password=None, role="biller", name="Bill")
        assert "opioids" not in seen(biller.actor())
        admin.post("/admin/clearances", {"actor": "bill@example.org", "label": "ETH", "reason": "bills the program"})
        assert "opioids" in seen(biller.actor())
        admin.post(f"/admin/clearances/{Clearance.objects.get().pk}/end")
        assert "opioids" not in seen(biller.actor())

    def test_lets_a_client_too(self, admin: Client) -> None:
        admin.post("/admin/clearances", {"actor": "client:registry", "label": "HIV", "reason": "state registry"})
        assert Clearance.objects.get().actor == "client:registry"

    def test_is_nobodys_to_give_themselves(self, admin: Client) -> None:
        boss = User.objects.get(sign_in="admin@example.org").actor()
        with pytest.raises(OwnSignIn):
            actions.clear(actor=boss.id, label="ETH", reason="because", until=None, by=boss)
        assert not Clearance.objects.exists()

    def test_is_given_by_who_may_say_who_may_do_what(self, nurse: User) -> None:
        with pytest.raises(Forbidden):
            actions.clear(actor="user:x", label="ETH", reason="because", until=None, by=nurse.actor())
        assert not Clearance.objects.exists()

    def test_is_for_somebody(self, admin: Client) -> None:
        page = admin.post("/admin/clearances", {"actor": "nobody@example.org", "label": "HIV", "reason": "because"})
        assert page.status_code == 422


class TestWhatAPersonCanSee:
    def test_is_said_with_the_reason(self, admin: Client, nurse: User) -> None:
        page = admin.get(f"/admin/people/{nurse.pk}/access").content.decode()
        assert "The role they signed up with" in page
        assert "Sees it on patients in their care" in page

    def test_follows_the_policy(self, admin: Client, nurse: User) -> None:
        give(admin, make(admin))
        page = admin.get(f"/admin/people/{nurse.pk}/access").content.decode()
        assert "A role of this practice" in page
        assert "Patients who have been seen or are booked at" in page
        assert ">Some<" in page

    def test_names_no_patient(self, admin: Client, nurse: User) -> None:
        assert "Example" not in admin.get(f"/admin/people/{nurse.pk}/access").content.decode()
