"""Parents, guardians and carers: what they were given leave for, while it holds, and never what an adolescent may keep to themselves."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from openward.access import known
from openward.access.actor import Actor
from openward.access.known import changing, forget
from openward.access.models import ProxyGrant
from openward.access.policy import shows
from openward.access.proxies import age, as_proxy, hidden_at, rule
from openward.accounts.models import User
from openward.audit.models import AuditEvent
from openward.fhir.errors import FhirError, Forbidden, NotFound
from openward.fhir.ids import key
from openward.fhir.resources import Patient, RelatedPerson
from openward.privacy.proxies import actions
from openward.record import open_store
from tests import cast
from tests.access.people import DEPRESSION, HYPERTENSION, condition, house, labelled, seen

pytestmark = pytest.mark.django_db
CHILD = "0199c1f0-0000-7000-8000-0000000000c1"
ALL = ["health", "appointments", "messages", "bills"]


@pytest.fixture
def parent() -> User:
    """A patient with a record of their own and a child of the given age, who has a condition everyone may know and one of their own."""
    house()
    return User.objects.create_user(sign_in="mum@example.org", password=None, role="patient", name="Mum", reference=f"Patient/{cast.PATIENT_ID}")


def child(years: int, state: str = "NY") -> None:
    store = open_store(cast.system())
    born = timezone.localdate() - dt.timedelta(days=int(years * 365.25) + 30)
    store.update({"resourceType": "Patient", "id": CHILD, "name": [{"family": "Kid"}], "birthDate": born.isoformat(), "address": [{"state": state}]})
    store.update(condition("asthma", HYPERTENSION, CHILD))
    store.update(condition("sadness", DEPRESSION, CHILD))


def leave(user: User, **more: Any) -> ProxyGrant:
    facts = {"kind": "parent", "areas": ALL, "related": "RelatedPerson/x", "given_by": "desk", "reference": f"Patient/{CHILD}"} | more
    with changing():
        return ProxyGrant.objects.create(tenant=1, user_id=user.id, patient=CHILD, **facts)


def proxy(user: User) -> Actor:
    made = as_proxy(user.actor(), f"Patient/{CHILD}")
    assert made is not None
    return made


class TestAParent:
    def test_of_a_small_child_sees_everything(self, parent: User) -> None:
        child(6)
        leave(parent)
        assert seen(proxy(parent)) == {"asthma", "sadness"}

    def test_of_an_adolescent_does_not_see_what_is_theirs_to_keep(self, parent: User) -> None:
        child(15)
        leave(parent)
        assert seen(proxy(parent)) == {"asthma"}

    def test_of_an_adolescent_is_told_no_more_beside_the_record(self, parent: User) -> None:
        """Rows that say a little of what stands in the record follow its labels and its patient."""
        child(14)
        leave(parent)
        mine, theirs = key("Patient", cast.PATIENT_ID), key("Patient", CHILD)
        assert [shows(proxy(parent), "Claim", frozenset(labels), theirs) for labels in ((), ("PSY",))] == [True, False]
        assert [shows(parent.actor(), "Claim", frozenset(), whose) for whose in (mine, theirs, None)] == [True, False, False]

    def test_where_the_state_says_a_later_age_sees_it_until_then(self, parent: User) -> None:
        child(13, "SC")
        leave(parent)
        assert seen(proxy(parent)) == {"asthma", "sadness"}

    def test_of_a_grown_child_sees_nothing(self, parent: User) -> None:
        child(19)
        leave(parent)
        assert not _opens(proxy(parent))

    def test_sees_their_own_record_as_themselves_only(self, parent: User) -> None:
        child(6)
        leave(parent)
        open_store(cast.system()).update(condition("mine", HYPERTENSION))
        assert seen(parent.actor()) == {"mine"}
        assert "mine" not in seen(proxy(parent))

    def test_keeps_nothing_once_it_ended(self, parent: User) -> None:
        child(6)
        row = leave(parent, until=timezone.now() + dt.timedelta(hours=1))
        acting = proxy(parent)
        ProxyGrant.objects.filter(pk=row.pk).update(until=timezone.now() - dt.timedelta(seconds=1))
        forget()
        assert not _opens(acting)
        assert as_proxy(parent.actor(), f"Patient/{CHILD}") is None

    def test_that_is_about_to_end_is_not_remembered_past_its_end(self, parent: User) -> None:
        child(6)
        leave(parent, until=timezone.now() + dt.timedelta(seconds=2))
        assert _opens(proxy(parent))
        remembered = {place[0]: until - time.monotonic() for place, (_, until, _) in known._kept.items()}
        assert remembered["grants"] <= 2.0
        assert remembered["acting"] <= 2.0

    def test_of_one_child_is_nothing_to_another(self, parent: User) -> None:
        child(6)
        leave(parent)
        assert as_proxy(parent.actor(), f"Patient/{cast.OTHER_PATIENT_ID}") is None

    def test_who_works_here_looks_after_nobody_by_their_work_sign_in(self, parent: User) -> None:
        child(6)
        nurse = User.objects.create_user(sign_in="nell@example.org", password=None, role="nurse", name="Nell")
        leave(nurse)
        assert as_proxy(nurse.actor(), f"Patient/{CHILD}") is None


class TestLeave:
    def test_for_appointments_alone_shows_no_health(self, parent: User) -> None:
        child(6)
        leave(parent, kind="carer", areas=["appointments"])
        assert seen(proxy(parent)) == set()
        assert seen(proxy(parent), "Patient") == {CHILD}

    def test_for_appointments_alone_opens_no_other_pages(self, parent: User, client: Client) -> None:
        child(6)
        leave(parent, kind="carer", areas=["appointments"])
        client.force_login(parent)
        client.post("/portal/family/switch", {"patient": f"Patient/{CHILD}"})
        assert client.get("/portal/bills").status_code == 404
        assert client.get("/portal/messages").status_code == 404
        assert "Write to us" not in client.get("/portal/").content.decode()

    def test_does_not_let_write_for_another(self, parent: User) -> None:
        child(6)
        leave(parent, areas=["health"])
        said = {
            "resourceType": "Communication",
            "status": "completed",
            "subject": {"reference": f"Patient/{CHILD}"},
            "payload": [{"contentString": "x"}],
        }
        with pytest.raises(FhirError):
            open_store(proxy(parent)).create(said)

    def test_shows_a_carer_nothing_that_is_restricted_to_those_who_treat(self, parent: User) -> None:
        child(6)
        open_store(cast.system()).update({**condition("restricted", HYPERTENSION, CHILD), **labelled("PRS")})
        row = leave(parent)
        assert "restricted" in seen(proxy(parent))
        with changing():
            ProxyGrant.objects.filter(pk=row.pk).update(kind="carer")
        assert seen(proxy(parent)) == {"asthma", "sadness"}

    def test_ends_where_the_patients_consent_refuses(self, parent: User) -> None:
        child(6)
        open_store(cast.system()).update({"resourceType": "RelatedPerson", "id": "x", "patient": {"reference": f"Patient/{CHILD}"}})
        leave(parent)
        named = {"role": {"text": "carer"}, "reference": {"reference": "RelatedPerson/x"}}
        open_store(cast.system()).update({
            "resourceType": "Consent", "id": "c", "status": "active", "scope": {"coding": [{"code": "patient-privacy"}]}, "category": [{"text": "privacy"}],
            "patient": {"reference": f"Patient/{CHILD}"}, "policyRule": {"text": "house"}, "provision": {"type": "deny", "actor": [named]},
        })  # fmt: skip
        assert seen(proxy(parent)) == set()


class TestThePortal:
    def test_switches_to_the_child_and_back(self, parent: User, client: Client) -> None:
        child(6)
        leave(parent)
        client.force_login(parent)
        assert "KID" in client.get("/portal/family").content.decode().upper()
        client.post("/portal/family/switch", {"patient": f"Patient/{CHILD}"})
        assert "You are in the record of" in client.get("/portal/").content.decode()
        client.post("/portal/family/switch", {"patient": ""})
        assert "You are in the record of" not in client.get("/portal/").content.decode()

    def test_does_not_switch_to_a_stranger(self, parent: User, client: Client) -> None:
        client.force_login(parent)
        assert client.post("/portal/family/switch", {"patient": f"Patient/{cast.OTHER_PATIENT_ID}"}).status_code == 404

    def test_falls_back_to_oneself_when_the_leave_ends(self, parent: User, client: Client) -> None:
        child(6)
        row = leave(parent)
        client.force_login(parent)
        client.post("/portal/family/switch", {"patient": f"Patient/{CHILD}"})
        ProxyGrant.objects.filter(pk=row.pk).update(until=timezone.now())
        forget()
        assert "You are in the record of" not in client.get("/portal/").content.decode()

    def test_takes_one_without_a_record_to_whom_they_look_after(self, client: Client) -> None:
        house()
        child(6)
        aunt = User.objects.create_user(sign_in="aunt@example.org", password=None, role="patient", name="Aunt")
        leave(aunt, kind="guardian")
        client.force_login(aunt)
        assert "You are in the record of" in client.get("/portal/").content.decode()

    def test_writes_the_proxys_own_name_on_the_trail(self, parent: User, client: Client) -> None:
        child(6)
        leave(parent)
        client.force_login(parent)
        client.post("/portal/family/switch", {"patient": f"Patient/{CHILD}"})
        client.get("/portal/")
        event = AuditEvent.objects.filter(interaction="read", actor_name="Mum").latest("at")
        assert event.on_behalf_of == f"Patient/{CHILD}"


class TestTheDesk:
    @pytest.fixture
    def desk(self, client: Client, parent: User) -> Client:
        child(6)
        client.force_login(User.objects.create_user(sign_in="desk@example.org", password=None, role="front-desk", name="Dana Desk"))
        return client

    def given(self, **more: Any) -> dict[str, Any]:
        return {"sign_in": "Mum@example.org", "kind": "parent", "areas": ["health"], **more}

    def test_gives_leave_and_keeps_it_in_fhir_too(self, desk: Client, parent: User) -> None:
        desk.post(f"/privacy/proxies/of/{CHILD}", self.given())
        grant = ProxyGrant.objects.get()
        assert (str(grant.user_id), grant.areas, grant.given_by) == (str(parent.id), ["health"], "Dana Desk")
        related = open_store(cast.system()).read(RelatedPerson, grant.related.split("/")[1])
        assert related.patient is not None
        assert related.patient.reference == f"Patient/{CHILD}"
        assert seen(proxy(parent)) == {"asthma", "sadness"}

    def test_given_again_replaces_what_was_given(self, desk: Client) -> None:
        desk.post(f"/privacy/proxies/of/{CHILD}", self.given())
        desk.post(f"/privacy/proxies/of/{CHILD}", self.given(areas=["bills"]))
        assert ProxyGrant.objects.get().areas == ["bills"]
        assert len(open_store(cast.system()).search(RelatedPerson, {"patient": CHILD}).resources) == 1

    def test_ends_it(self, desk: Client, parent: User) -> None:
        desk.post(f"/privacy/proxies/of/{CHILD}", self.given())
        desk.post(f"/privacy/proxies/{ProxyGrant.objects.get().pk}/end")
        assert as_proxy(parent.actor(), f"Patient/{CHILD}") is None

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"sign_in": "nobody@example.org"}, "Nobody signs in"),
            ({"areas": []}, "required"),
            ({"until": "2020-01-01"}, "That day is over"),
        ],
    )
    def test_says_what_is_wrong(self, desk: Client, more: dict[str, Any], words: str) -> None:
        page = desk.post(f"/privacy/proxies/of/{CHILD}", self.given(**more))
        assert page.status_code == 422
        assert words in page.content.decode()

    def test_is_told_that_a_grown_child_has_no_parents_leave(self, desk: Client) -> None:
        child(20)
        assert "of age" in desk.post(f"/privacy/proxies/of/{CHILD}", self.given()).content.decode()

    def test_is_on_the_trail_about_the_patient_when_it_gives_and_ends_leave(self, desk: Client) -> None:
        desk.post(f"/privacy/proxies/of/{CHILD}", self.given())
        desk.post(f"/privacy/proxies/{ProxyGrant.objects.get().pk}/end")
        found = AuditEvent.objects.filter(actor_name="Dana Desk", interaction__contains="proxy").order_by("at")
        assert [(event.interaction, event.whose) for event in found] == [
            ("grant-proxy", [key("Patient", CHILD)]),
            ("end-proxy", [key("Patient", CHILD)]),
        ]

    @pytest.mark.parametrize("changed", [{"is_active": False}, {"tenant": 2}, {"role": "nurse"}], ids=["ended", "another practice's", "staff"])
    def test_gives_leave_to_nobody_who_does_not_sign_in_to_this_portal(self, desk: Client, parent: User, changed: dict[str, Any]) -> None:
        User.objects.filter(pk=parent.pk).update(**changed)
        assert "Nobody signs in" in desk.post(f"/privacy/proxies/of/{CHILD}", self.given()).content.decode()
        assert not ProxyGrant.objects.exists()

    def test_asks_past_the_page_in_vain_without_the_right(self, desk: Client, parent: User) -> None:
        with pytest.raises(Forbidden):
            actions.give(patient=CHILD, sign_in=parent.sign_in, kind="carer", areas=["bills"], until=None, by=cast.staff("clinician"))
        desk.post(f"/privacy/proxies/of/{CHILD}", self.given())
        with pytest.raises(Forbidden):
            actions.end(grant=str(ProxyGrant.objects.get().pk), by=cast.staff("clinician"))

    def test_gives_no_leave_for_a_record_that_is_closed_to_it(self, desk: Client, parent: User) -> None:
        store = open_store(cast.system())
        store.update({**store.read(Patient, CHILD).data, **labelled("V")})
        assert desk.post(f"/privacy/proxies/of/{CHILD}", self.given()).status_code == 404
        with pytest.raises(NotFound):
            actions.give(patient=CHILD, sign_in=parent.sign_in, kind="carer", areas=["bills"], until=None, by=cast.staff("front-desk"))


class TestTheRule:
    @pytest.mark.parametrize(
        ("years", "state", "hides"), [(11, "NY", False), (12, "NY", True), (17, "NY", True), (18, "NY", False), (15, "SC", False)]
    )
    def test_is_by_age_and_state(self, years: int, state: str, hides: bool) -> None:
        assert bool(hidden_at(years, state)) is hides

    def test_of_an_unknown_age_is_the_careful_one(self) -> None:
        assert hidden_at(None, None)

    def test_counts_a_birth_date_of_a_year_from_its_first_day(self) -> None:
        assert age("2010", dt.date(2026, 1, 1)) == 16
        assert age("2010-05-06", dt.date(2026, 5, 5)) == 15

    def test_knows_the_house_rule_for_a_state_that_is_not_named(self) -> None:
        assert rule("ZZ") == rule(None)


def _opens(actor: Actor) -> bool:
    try:
        return bool(open_store(actor).search(Patient, {}).resources)
    except FhirError:
        return False
