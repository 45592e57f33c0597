"""A key that is lost, or a value that was damaged: what does not open is said in its place, and nothing else is stopped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from openward.access.actor import Actor
from openward.accounts.models import User
from openward.audit.models import AuditEvent
from openward.fhir.bundles.answers import history_bundle
from openward.fhir.errors import FhirError
from openward.fhir.interactions.search import searchset
from openward.fhir.json import dumps, loads
from openward.fhir.matching.matcher import Matcher
from openward.fhir.protocols import Where
from openward.fhir.resources import Patient
from openward.fhir.sealing.port import Locked
from openward.fhir.store import Store
from openward.keys.models import DataKey
from openward.keys.ring import RING
from openward.privacy.labelling import relabelling
from openward.record import open_store, unit_of_work
from openward.server.rotation import keys

pytestmark = pytest.mark.django_db

SSN = "http://hl7.org/fhir/sid/us-ssn"
ACTOR = Actor.system("sealing", tenant=1)
ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "error"}]}
RESTRICTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}


@pytest.fixture(autouse=True)
def fresh_ring() -> Iterator[None]:
    RING.forget()
    yield
    RING.forget()


@pytest.fixture
def people() -> tuple[str, str]:
    """One whose number does not open any more, and one without such a number."""
    with unit_of_work(by=ACTOR) as work:
        sealed = work.store.create(
            {"resourceType": "Patient", "identifier": [{"system": SSN, "value": "999-12-3456"}], "name": [{"family": "Marlow"}]}
        )
        plain = work.store.create({"resourceType": "Patient", "name": [{"family": "Marlowe"}]})
    lose("record-identifier")
    return sealed.id, plain.id


def lose(purpose: str) -> None:
    DataKey.objects.filter(purpose=purpose).delete()
    RING.forget()


def store() -> Store:
    return open_store(ACTOR)


def entries(*asked: tuple[str, str]) -> dict[str, tuple[str, str]]:
    found = loads(dumps(searchset(store(), "Patient", list(asked), "http://x")))["entry"]
    return {entry["fullUrl"].rpartition("/")[2]: (entry["resource"]["resourceType"], entry["search"]["mode"]) for entry in found}


class TestASearch:
    @pytest.mark.parametrize("asked", [(), (("_elements", "name"),), (("_summary", "true"),), (("_revinclude", "Observation:subject"),)])
    def test_has_an_outcome_in_its_place(self, people: tuple[str, str], asked: tuple[tuple[str, str], ...]) -> None:
        sealed, plain = people
        assert entries(*asked) == {sealed: ("OperationOutcome", "outcome"), plain: ("Patient", "match")}

    def test_that_includes_it_has_an_outcome_too(self, people: tuple[str, str]) -> None:
        with unit_of_work(by=ACTOR) as work:
            work.store.create(
                {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": f"Patient/{people[0]}"}}
            )
        found = loads(dumps(searchset(store(), "Observation", [("_include", "Observation:subject")], "http://x")))["entry"]
        assert [(entry["resource"]["resourceType"], entry["search"]["mode"]) for entry in found] == [
            ("Observation", "match"),
            ("OperationOutcome", "outcome"),
        ]

    def test_is_on_record_as_failed_for_it(self, people: tuple[str, str]) -> None:
        entries()
        failed = AuditEvent.objects.get(interaction="search", outcome=8)
        assert (str(failed.patient), failed.detail) == (people[0], "could not be opened")

    def test_by_which_something_would_be_written_is_refused(self, people: tuple[str, str]) -> None:
        with pytest.raises(Locked), unit_of_work(by=ACTOR) as work:
            work.store.create({"resourceType": "Patient", "name": [{"family": "Marlow"}]}, if_none_exist=f"_id={people[0]}")


class TestAList:
    """What the house's own pages show."""

    def test_of_a_search_says_so_where_it_stands(self, people: tuple[str, str]) -> None:
        shown = {one.id: one for one in store().search(Patient)}
        assert shown[people[0]].identifier[0].value == "cannot be opened"
        assert shown[people[0]].name[0].family == "Marlow"

    def test_of_many_by_id_does_the_same(self, people: tuple[str, str]) -> None:
        shown = store().read_many([(Patient, id) for id in people])
        assert [one.id for one in shown] == list(people)
        assert shown[0].data["identifier"][0]["value"] == "cannot be opened"

    def test_of_notes_says_so_in_their_narratives(self) -> None:
        text = {"status": "additional", "div": '<div xmlns="http://www.w3.org/1999/xhtml">the very secret note</div>'}
        with unit_of_work(by=ACTOR) as work:
            work.store.create({"resourceType": "Basic", "meta": {"security": [RESTRICTED]}, "code": {"text": "x"}, "text": text})
        lose("record-note")
        (one,) = store().search("Basic")
        assert one.data["text"]["div"] == '<div xmlns="http://www.w3.org/1999/xhtml">cannot be opened</div>'

    def test_taken_for_the_whole_and_written_back_is_refused(self, people: tuple[str, str]) -> None:
        shown = next(one for one in store().search(Patient) if one.id == people[0])
        with pytest.raises(FhirError, match="cannot be opened"), unit_of_work(by=ACTOR) as work:
            work.store.update(shown)

    def test_of_people_is_shown_in_the_browser(self, people: tuple[str, str], client: Client) -> None:
        client.force_login(User.objects.create_user(sign_in="desk", password=None, role="front-desk", name="Desk"))
        page = client.post("/patients/found", {"q": "Marlow"})
        assert page.status_code == 200
        assert all(f"/patients/{id}" in page.content.decode() for id in people)

    def test_of_who_may_be_the_same_goes_on(self, people: tuple[str, str]) -> None:
        wire: Any = connection.connection
        found = Matcher(wire, 1, Where()).matches({"resourceType": "Patient", "name": [{"family": "Marlow"}]}, least=0.0)
        assert {match.id for match in found} == set(people)


class TestAHistory:
    @pytest.mark.parametrize("whose", ["type", "everything"])
    def test_has_what_opens_and_says_what_does_not(self, people: tuple[str, str], whose: str) -> None:
        page = store().history("Patient" if whose == "type" else None)
        bundle = loads(dumps(history_bundle([one for one in page.versions if one.type == "Patient"], "http://x", [])))
        found = {entry["resource"]["id"]: entry for entry in bundle["entry"]}
        assert found.keys() == set(people)
        number = found[people[0]]["resource"]["identifier"][0]
        assert (number.get("value"), number["_value"]) == (None, ABSENT)
        assert "cannot be opened" in found[people[0]]["response"]["outcome"]["issue"][0]["diagnostics"]
        assert "outcome" not in found[people[1]]["response"]

    def test_is_on_record_as_failed_for_it(self, people: tuple[str, str]) -> None:
        store().history("Patient")
        assert [str(one.patient) for one in AuditEvent.objects.filter(interaction="history", outcome=8)] == [people[0]]


class TestARead:
    def test_is_an_error_that_names_it_and_is_on_record_as_failed(self, people: tuple[str, str]) -> None:
        with pytest.raises(Locked, match=f"Patient/{people[0]} holds sealed values that cannot be opened") as told:
            store().read("Patient", people[0])
        assert told.value.status == 500
        failed = AuditEvent.objects.get(interaction="read", outcome=8)
        assert (str(failed.rkey), failed.detail) == (people[0], "could not be opened")


class TestWorkInTheBackground:
    def test_labels_what_opens_and_counts_what_does_not(self, people: tuple[str, str]) -> None:
        with unit_of_work(by=ACTOR) as work:
            sealed = {"resourceType": "Condition", "meta": {"security": [RESTRICTED]}, "subject": {"reference": f"Patient/{people[1]}"}, "text": {
                "status": "additional", "div": '<div xmlns="http://www.w3.org/1999/xhtml">secret</div>'}}  # fmt: skip
            work.store.create(sealed)
        lose("record-note")
        relabelling.run(1, settle=False)
        row = relabelling.latest(1)
        assert row is not None
        assert row.finished_at is not None


class TestTheHealth:
    def test_says_what_was_met(self, people: tuple[str, str]) -> None:
        assert keys() is None
        entries()
        assert "1 times in the last day somebody met what cannot be opened" in str(keys())

    def test_is_well_again_when_nobody_met_it_for_a_day(self, people: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        entries()
        now = timezone.now()
        monkeypatch.setattr("openward.server.rotation.timezone.now", lambda: now + dt.timedelta(days=2))
        assert keys() is None
