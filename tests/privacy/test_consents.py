"""Consents written on the pages: what they say is what the policy does, at once and everywhere, until they are withdrawn."""

from __future__ import annotations

from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from openward.access.models import ProxyGrant
from openward.access.proxies import as_proxy
from openward.accounts.models import User
from openward.audit.models import AuditEvent
from openward.fhir.errors import FhirError, Forbidden, NotFound
from openward.fhir.resources import Consent
from openward.privacy.consents import actions
from openward.privacy.consents.choices import EVERYONE, Named
from openward.privacy.consents.presenters import Told
from openward.record import open_store
from tests import cast
from tests.access.people import DEPRESSION, HYPERTENSION, OPIOIDS, condition, encounter, house, seen

pytestmark = pytest.mark.django_db
THERE = f"/privacy/patients/{cast.PATIENT_ID}/consents"
NURSE, BILLER, CLIENT = cast.staff("nurse"), cast.staff("biller"), cast.client("system/*.rs")
DOCTOR = f"Practitioner/{cast.PRACTITIONER_ID}"
ONLY_NURSES = {"effect": "deny", "who": DOCTOR}


@pytest.fixture
def doctor(db: None) -> User:
    store = house()
    store.update(encounter("visit"))
    for id, code in (("pressure", HYPERTENSION), ("depression", DEPRESSION), ("opioids", OPIOIDS)):
        store.update(condition(id, code))
    return User.objects.create_user(sign_in="sam", password=None, role="clinician", name="Dr Sam Sample", reference=DOCTOR)


@pytest.fixture
def desk(client: Client, doctor: User) -> Client:
    client.force_login(User.objects.create_user(sign_in="dee", password=None, role="front-desk", name="Dee Desk"))
    return client


@pytest.fixture
def own(doctor: User) -> Client:
    made = Client()
    made.force_login(User.objects.create_user(sign_in="ada", password=None, role="patient", name="Ada", reference=f"Patient/{cast.PATIENT_ID}"))
    return made


def write(client: Client, there: str = THERE + "/new", **said: Any) -> Any:
    return client.post(there, {**said, "read": "1"})


def consents() -> list[Consent]:
    return list(open_store(cast.system()).search(Consent, {}).resources)


class TestARefusal:
    def test_holds_at_once_for_who_is_named_and_for_nobody_else(self, desk: Client, doctor: User) -> None:
        assert seen(doctor.actor()) == {"pressure", "depression", "opioids"}
        assert write(desk, **ONLY_NURSES).status_code == 303
        assert seen(doctor.actor()) == set()
        assert seen(NURSE) == {"pressure", "depression"}

    def test_closes_the_pages_that_are_open(self, desk: Client, doctor: User) -> None:
        theirs = Client()
        theirs.force_login(doctor)
        assert theirs.get(f"/chart/{cast.PATIENT_ID}/").status_code == 200
        write(desk, **ONLY_NURSES)
        assert theirs.get(f"/chart/{cast.PATIENT_ID}/").status_code == 404

    def test_of_a_label_hides_that_and_nothing_else(self, desk: Client, doctor: User) -> None:
        write(desk, effect="deny", who=EVERYONE, labels=["PSY"])
        assert seen(doctor.actor()) == {"pressure", "opioids"}

    def test_of_a_part_of_the_record_hides_that(self, desk: Client, doctor: User) -> None:
        write(desk, effect="deny", who=DOCTOR, types=["problems"])
        assert seen(doctor.actor()) == set()
        assert seen(doctor.actor(), "Encounter") == {"visit"}

    def test_of_a_purpose_holds_for_who_works_for_it(self, desk: Client, doctor: User) -> None:
        write(desk, effect="deny", who="purpose:HPAYMT")
        assert (seen(BILLER), seen(NURSE)) == (set(), {"pressure", "depression"})

    def test_of_someone_without_a_practitioner_of_their_own_holds_too(self, desk: Client, doctor: User) -> None:
        bill = User.objects.create_user(sign_in="bill", password=None, role="biller", name="Bill")
        write(desk, effect="deny", who=f"user:{bill.id}")
        assert (seen(bill.actor()), seen(BILLER)) == (set(), {"pressure", "depression"})

    def test_holds_for_programs_and_what_they_export(self, desk: Client, doctor: User) -> None:
        from openward.accounts.models import ClientToken

        ClientToken.objects.create(digest=b"x" * 32, client="test-client", scope="system/*.rs")
        assert "pressure" in seen(CLIENT)
        write(desk, effect="deny", who="client:test-client")
        assert seen(CLIENT) == set()
        where = open_store(CLIENT).policy.where(CLIENT, "export", "Condition")
        assert where is not None
        assert "policy" in where.sql

    def test_hides_earlier_versions_too(self, desk: Client, doctor: User) -> None:
        write(desk, **ONLY_NURSES)
        with pytest.raises(NotFound):
            open_store(doctor.actor()).vread("Condition", "pressure", 1)
        assert not list(open_store(doctor.actor()).history("Condition"))

    def test_to_all_but_one_leaves_that_one(self, desk: Client, doctor: User) -> None:
        write(desk, effect="only", who=DOCTOR, labels=["PSY"])
        assert (seen(doctor.actor()), seen(NURSE)) == ({"pressure", "depression", "opioids"}, {"pressure"})

    def test_begins_on_its_day(self, desk: Client, doctor: User) -> None:
        write(desk, **ONLY_NURSES, since="2999-01-01")
        assert seen(doctor.actor()) == {"pressure", "depression", "opioids"}
        assert "Begins later" in desk.get(THERE).content.decode()

    def test_never_holds_for_the_patient(self, desk: Client) -> None:
        write(desk, effect="deny", who=EVERYONE, types=["problems"])
        assert seen(cast.patient()) == {"pressure", "depression", "opioids"}


class TestAPermission:
    def test_opens_what_is_protected_to_who_works_for_the_purpose(self, desk: Client, doctor: User) -> None:
        assert "opioids" not in seen(BILLER)
        write(desk, effect="permit", who="tpo", labels=["ETH"], signed="on")
        assert "opioids" in seen(BILLER)

    def test_needs_a_signature(self, desk: Client, doctor: User) -> None:
        answer = write(desk, effect="permit", who="tpo", labels=["ETH"])
        assert answer.status_code == 422
        assert consents() == []

    def test_of_everything_means_nothing_and_is_refused(self, desk: Client, doctor: User) -> None:
        assert "opens nothing else" in write(desk, effect="permit", who="tpo", signed="on").content.decode()


class TestWithdrawing:
    def test_ends_it_at_once_and_keeps_it_in_the_record(self, desk: Client, doctor: User) -> None:
        write(desk, **ONLY_NURSES)
        (made,) = consents()
        desk.post(f"{THERE}/{made.id}/withdraw")
        assert "pressure" in seen(doctor.actor())
        page = desk.get(THERE).content.decode()
        assert "withdrawn by Dee Desk" in page
        assert len(open_store(cast.system()).history("Consent", made.id).versions) == 2

    def test_a_second_time_says_so_and_changes_nothing(self, desk: Client, doctor: User) -> None:
        write(desk, **ONLY_NURSES)
        (made,) = consents()
        desk.post(f"{THERE}/{made.id}/withdraw")
        desk.post(f"{THERE}/{made.id}/withdraw")
        assert len(open_store(cast.system()).history("Consent", made.id).versions) == 2

    def test_another_patients_is_not_found(self, desk: Client, doctor: User) -> None:
        write(desk, **ONLY_NURSES)
        (made,) = consents()
        other = f"/privacy/patients/{cast.OTHER_PATIENT_ID}/consents/{made.id}"
        assert desk.post(f"{other}/withdraw").status_code == 404
        assert desk.get(f"{other}.pdf").status_code == 404
        assert seen(doctor.actor()) == set()


class TestTheForm:
    def test_says_what_follows_before_anything_is_kept(self, desk: Client, doctor: User) -> None:
        page = desk.post(THERE + "/new", ONLY_NURSES).content.decode()
        assert "After this, Dr Sam Sample cannot open this record" in page
        assert consents() == []
        assert "pressure" in seen(doctor.actor())

    def test_goes_back_with_what_was_chosen(self, desk: Client, doctor: User) -> None:
        page = desk.post(THERE + "/new", {**ONLY_NURSES, "words": "never him", "read": "back"}).content.decode()
        assert "never him" in page
        assert consents() == []

    @pytest.mark.parametrize(
        "said",
        [
            {},
            {"effect": "burn", "who": DOCTOR},
            {"effect": "deny", "who": "Practitioner/nobody"},
            {"effect": "deny", "who": "client:'; drop table access_directive"},
            {"effect": "deny", "who": DOCTOR, "labels": ["XXX"]},
            {"effect": "deny", "who": DOCTOR, "types": ["Patient"]},
            {"effect": "deny", "who": DOCTOR, "since": "yesterday"},
            {"effect": "deny", "who": DOCTOR, "until": "2020-01-01"},
            {"effect": "deny", "who": DOCTOR, "since": "2999-02-01", "until": "2999-01-01"},
            {"effect": "deny", "who": DOCTOR, "words": "x" * 10_000},
            {"effect": "deny", "who": EVERYONE},
            {"effect": "deny", "who": "tpo"},
            {"effect": "only", "who": DOCTOR},
            {"effect": "only", "who": EVERYONE, "labels": ["PSY"]},
        ],
    )
    def test_refuses_what_makes_no_sense_and_keeps_nothing(self, desk: Client, said: dict[str, Any]) -> None:
        assert write(desk, **said).status_code == 422
        assert consents() == []

    def test_shows_what_was_typed_as_text_only(self, desk: Client, doctor: User) -> None:
        write(desk, **ONLY_NURSES, words="<script>alert(1)</script>")
        assert "<script>alert(1)" not in desk.get(THERE).content.decode()

    def test_of_a_patient_who_is_not_seen_does_not_exist(self, desk: Client) -> None:
        assert desk.get("/privacy/patients/nobody/consents/new").status_code == 404
        assert desk.post("/privacy/patients/nobody/consents/new", ONLY_NURSES).status_code == 404

    def test_is_not_for_who_has_no_right(self, client: Client, doctor: User) -> None:
        client.force_login(doctor)
        assert client.get(THERE).status_code == 404
        with pytest.raises(FhirError):
            actions.record(patient=cast.PATIENT_ID, said={"effect": "deny"}, who=Named(EVERYONE, ""), by=doctor.actor())


class TestThePatient:
    def test_decides_for_themselves(self, own: Client, doctor: User) -> None:
        assert write(own, "/privacy/sharing/new", **ONLY_NURSES).status_code == 303
        assert seen(doctor.actor()) == set()
        assert "Dr Sam Sample may not see this record" in own.get("/privacy/sharing").content.decode()

    def test_withdraws_what_the_desk_recorded(self, own: Client, desk: Client, doctor: User) -> None:
        write(desk, **ONLY_NURSES)
        own.post(f"/privacy/sharing/{consents()[0].id}/withdraw")
        assert "pressure" in seen(doctor.actor())

    def test_does_not_reach_another_patients(self, own: Client, doctor: User) -> None:
        made = actions.record(patient=cast.OTHER_PATIENT_ID, said={"effect": "deny"}, who=Named(DOCTOR, "Sam"), by=cast.staff("privacy-officer"))
        assert own.post(f"/privacy/sharing/{made.id}/withdraw").status_code == 404
        assert own.get(f"/privacy/sharing/{made.id}.pdf").status_code == 404

    def test_is_not_decided_for_by_who_looks_after_them(self, doctor: User) -> None:
        mum = User.objects.create_user(sign_in="mum", password=None, role="patient", name="Mum")
        open_store(cast.system()).update({"resourceType": "Patient", "id": cast.PATIENT_ID, "birthDate": "2020-01-02", "name": [{"family": "Kid"}]})
        facts = {"kind": "parent", "areas": ["health", "bills"], "related": "RelatedPerson/x", "given_by": "desk"}
        ProxyGrant.objects.create(tenant=1, user_id=mum.id, patient=cast.PATIENT_ID, reference=f"Patient/{cast.PATIENT_ID}", **facts)
        theirs = Client()
        theirs.force_login(mum)
        assert theirs.get("/portal/").status_code == 200
        assert theirs.get("/privacy/sharing").status_code == 404
        proxy = as_proxy(mum.actor(), f"Patient/{cast.PATIENT_ID}")
        assert proxy is not None
        with pytest.raises(Forbidden):
            actions.record(patient=cast.PATIENT_ID, said={"effect": "deny"}, who=Named(EVERYONE, ""), by=proxy)
        assert consents() == []


class TestOnRecord:
    def test_recording_and_withdrawing_are_on_the_trail_about_the_patient(self, desk: Client, doctor: User) -> None:
        write(desk, **ONLY_NURSES)
        desk.post(f"{THERE}/{consents()[0].id}/withdraw")
        found = AuditEvent.objects.filter(interaction__in=("record-consent", "withdraw-consent")).order_by("at")
        assert [one.interaction for one in found] == ["record-consent", "withdraw-consent"]

    def test_the_sheet_prints_and_the_print_is_on_the_trail(self, desk: Client, doctor: User) -> None:
        write(desk, **ONLY_NURSES)
        sheet = desk.get(f"{THERE}/{consents()[0].id}.pdf")
        assert sheet.content.startswith(b"%PDF")
        assert AuditEvent.objects.filter(interaction="print").exists()


def test_what_another_program_wrote_is_told_as_far_as_the_sentence_goes() -> None:
    deep = {"type": "deny", "provision": [{"type": "permit", "provision": [{"type": "deny"}]}]}
    row = Told({"status": "active", "scope": {"coding": [{"code": "patient-privacy"}]}, "provision": deep})
    assert not row.is_simple
    assert row.sentence


@pytest.mark.parametrize(
    "data", [{}, {"provision": {}}, {"provision": {"period": {"start": "2026"}}}, {"provision": {"actor": [{}]}, "dateTime": "x"}]
)
def test_a_consent_with_little_in_it_is_still_told(data: dict[str, Any]) -> None:
    row = Told(data)
    assert row.sentence
    assert row.state[0]
    assert row.since is None or row.since.tzinfo


def test_two_who_withdraw_at_once_withdraw_it_once(committed_db: None) -> None:
    house()
    officer = cast.staff("privacy-officer")
    made = actions.record(patient=cast.PATIENT_ID, said={"effect": "deny"}, who=Named(DOCTOR, "Sam"), by=officer)
    gate, answers = Barrier(2), list[str]()

    def withdraw() -> None:
        gate.wait()
        try:
            actions.withdraw(patient=cast.PATIENT_ID, consent=str(made.id), by=officer)
            answers.append("done")
        except actions.AlreadyWithdrawn:
            answers.append("already")
        finally:
            connection.close()

    threads = [Thread(target=withdraw) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(answers) == ["already", "done"]
