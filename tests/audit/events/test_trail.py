"""The trail answers as FHIR AuditEvent: what is asked for and no more, to those who may, and every look is on it too."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection as django_connection

from openward.access.actor import Actor
from openward.accounts.models import User
from openward.audit.auditor import note
from openward.audit.models import AuditEvent
from openward.fhir.errors import FhirError, Forbidden
from openward.fhir.http import fhir_app
from openward.fhir.store import Store
from openward.fhir.validation import validate
from openward.record import open_store
from openward.record.connection import connection
from tests import cast
from tests.audit.sealing.shelf import seal
from tests.fhir.http.client import Client

pytestmark = pytest.mark.django_db(transaction=True)

WHO: dict[str, Actor] = {
    "auditor": cast.client("system/AuditEvent.rs", name="siem"),
    "reader": cast.client("system/Patient.rs", name="app"),
    "officer": cast.staff("privacy-officer", name="Pia Officer"),
    "nurse": cast.staff("nurse", name="Nell Night"),
    "patient": cast.patient(),
}


@pytest.fixture
def call() -> Client:
    @contextmanager
    def store_for(actor: Actor) -> Iterator[Store]:
        yield open_store(actor)

    def authenticate(environ: Any) -> Actor:
        return WHO[environ["HTTP_AUTHORIZATION"].removeprefix("Bearer ")]

    return Client(fhir_app(authenticate, store_for))


@pytest.fixture(autouse=True)
def happened(committed_db: None) -> None:
    """Two patients; a nurse read one of them twice, a clinician the other once; a technician was refused; someone signed in."""
    house = open_store(cast.system())
    for id, name in ((cast.PATIENT_ID, "Example"), ("ada", "Sample")):
        house.update({"resourceType": "Patient", "id": id, "name": [{"family": name}]})
    nurse = cast.staff("nurse", name="Nell Night").during(request_id="r1", address="192.0.2.7")
    for _ in range(2):
        open_store(nurse).read("Patient", cast.PATIENT_ID)
    open_store(cast.staff("clinician", name="Carl Care")).read("Patient", "ada")
    with pytest.raises(FhirError):
        open_store(cast.staff("it-agent", name="Ines Tech")).read("Patient", "ada")
    note(connection(), cast.staff("nurse"), "sign-in")


def found(call: Client, query: dict[str, Any] | list[tuple[str, Any]] = (), who: str = "auditor") -> list[dict[str, Any]]:  # type: ignore[assignment]
    answer = call("GET", f"/AuditEvent?{urlencode(query)}", token=who)
    assert answer.status == 200, answer.json
    return [entry["resource"] for entry in answer.json.get("entry", ())]


def readers(events: list[dict[str, Any]]) -> list[str]:
    return [event["agent"][0].get("name", "") for event in events]


class TestASearch:
    def test_by_patient_tells_who_dealt_with_their_record(self, call: Client) -> None:
        events = found(call, {"patient": f"Patient/{cast.PATIENT_ID}", "action": "R"})
        assert readers(events) == ["Nell Night", "Nell Night"]

    def test_by_a_patient_whose_id_is_no_uuid_finds_and_names_them(self, call: Client) -> None:
        (event,) = found(call, {"patient": "ada", "action": "R"})
        assert "Patient/ada" in json.dumps(event["entity"])

    def test_by_outcome_tells_what_was_refused(self, call: Client) -> None:
        events = found(call, {"outcome": "4"})
        assert readers(events) == ["Ines Tech"]

    def test_by_agent_takes_the_identifier_and_the_persons_resource(self, call: Client) -> None:
        carl = User.objects.create_user(
            sign_in="c", password=None, role="clinician", name="Carl Own", reference=f"Practitioner/{cast.PRACTITIONER_ID}"
        )
        open_store(carl.actor()).search("Patient", {"_id": "ada"})
        by_reference = found(call, {"agent": f"Practitioner/{cast.PRACTITIONER_ID}"})
        by_identifier = found(call, {"agent:identifier": f"urn:openward:actor|user:{carl.id}"})
        assert [event["id"] for event in by_reference] == [event["id"] for event in by_identifier]
        assert readers(by_reference) == ["Carl Own"]

    def test_by_an_agent_nobody_is_finds_nothing(self, call: Client) -> None:
        assert found(call, {"agent": "Practitioner/nobody"}) == []

    def test_by_entity_finds_what_was_done_with_it(self, call: Client) -> None:
        done = {event["action"] for event in found(call, {"entity": "Patient/ada"})}
        assert done == {"U", "R"} or done == {"C", "R"}

    def test_by_a_reference_of_a_type_that_is_named_apart_finds_the_same(self, call: Client) -> None:
        """Leaving the modifier out, as one does with what is unknown, would answer with everybody's events."""
        assert readers(found(call, {"entity:Patient": "ada", "action": "R"})) == readers(found(call, {"entity": "Patient/ada", "action": "R"}))
        assert found(call, {"agent:Practitioner": "nobody"}) == []

    def test_by_date_takes_prefixes_and_a_day(self, call: Client) -> None:
        day = dt.datetime.now(dt.UTC).date()
        everything = len(found(call, {"_count": 100}))
        assert len(found(call, {"date": day.isoformat(), "_count": 100})) > everything - 2
        assert found(call, {"date": f"lt{day - dt.timedelta(days=1)}"}) == []
        assert found(call, [("date", f"ge{day}"), ("date", f"lt{day}")]) == []

    def test_by_subtype_finds_sign_ins(self, call: Client) -> None:
        (event,) = found(call, {"subtype": "sign-in"})
        assert event["type"]["code"] == "110114"

    @pytest.mark.parametrize("order", ["date", "-date"])
    @pytest.mark.parametrize("query", [{}, {"patient": cast.PATIENT_ID}, {"agent:identifier": "user:nurse"}, {"date": "ge2020-01-01"}])
    def test_page_by_page_gives_every_event_once_and_in_order(self, call: Client, query: dict[str, str], order: str) -> None:
        seen: list[tuple[str, str]] = []
        path = f"/AuditEvent?{urlencode({**query, '_count': 1, '_sort': order})}"
        stop = dt.datetime.now(dt.UTC).isoformat()
        for _ in range(40):
            page = call("GET", path, token="auditor").json
            seen += [(entry["resource"]["recorded"], entry["resource"]["id"]) for entry in page.get("entry", ())]
            following = [link["url"] for link in page["link"] if link["relation"] == "next"]
            if not following or seen[-1][0] > stop[:23]:  # looking adds to what is looked at
                break
            path = following[0].partition("/fhir")[2]
        times = [at for at, _ in seen]
        assert times == sorted(times, reverse=order == "-date")
        assert len({id for _, id in seen}) == len(seen) >= 2

    def test_across_seals_of_many_years_finds_the_oldest_and_the_newest(self, call: Client, tmp_path: Any) -> None:
        seal(tmp_path)
        with django_connection.cursor() as cursor:
            cursor.execute("set session_replication_role = replica")
            cursor.execute("update audit.entry set at = at - interval '9 years'")
            cursor.execute("update audit.seal set at = at - interval '9 years', first_at = first_at - interval '9 years'")
            cursor.execute("set session_replication_role = default")
        note(connection(), cast.staff("nurse"), "sign-out")
        seal(tmp_path)
        kinds = [event["subtype"][0]["code"] for event in found(call, {"_count": 100})]
        assert kinds[0] == "sign-out"
        assert kinds.count("read") == 4
        year = dt.datetime.now(dt.UTC).year - 8
        assert len(found(call, {"date": f"lt{year}", "_count": 100})) == len(kinds) - 1

    @pytest.mark.parametrize(
        "query", [{}, {"patient": cast.PATIENT_ID}, {"agent:identifier": "user:nurse"}, {"date": "ge2020-01-01"}, {"date": "lt2020"}]
    )
    def test_says_how_many_there_are_when_asked(self, call: Client, query: dict[str, str]) -> None:
        there = len(found(call, {**query, "_count": 100}))
        every = call("GET", f"/AuditEvent?{urlencode({**query, '_count': 2, '_total': 'accurate'})}", token="auditor").json
        assert every["total"] >= there  # looking adds to what is looked at
        assert every["total"] <= there + 1
        assert len(every.get("entry", ())) == min(2, every["total"])
        assert "total" not in call("GET", f"/AuditEvent?{urlencode(query)}", token="auditor").json

    @pytest.mark.parametrize("query", ["_count=0", "_summary=count"])
    def test_for_the_number_alone_shows_none(self, call: Client, query: str) -> None:
        answer = call("GET", f"/AuditEvent?patient=ada&action=R&{query}", token="auditor").json
        assert (answer["total"], "entry" in answer, [link["relation"] for link in answer["link"]]) == (1, False, ["self"])
        assert AuditEvent.objects.get(interaction="search", actor="client:siem").whose == []

    def test_is_on_the_trail_with_the_patients_it_showed(self, call: Client) -> None:
        found(call, {"patient": "ada"})
        event = AuditEvent.objects.get(interaction="search", actor="client:siem")
        assert len(event.whose) == 1

    def test_by_something_unknown_says_so_or_refuses_when_strict(self, call: Client) -> None:
        outcome = found(call, {"colour": "red"})[-1]
        assert outcome["resourceType"] == "OperationOutcome"
        assert call("GET", "/AuditEvent?colour=red", token="auditor", prefer="handling=strict").status == 400
        assert "_summary" in json.dumps(found(call, {"_summary": "text"})[-1])

    @pytest.mark.parametrize(
        "query",
        [
            "date=yesterday",
            "date=ap2026",
            "_count=-1",
            "_count=x",
            "_total=all",
            "_sort=patient",
            "entity=x",
            "patient=",
            "_cursor=AAAA",
            "date=2026,2027",
            "patient:missing=true",
            "entity:text=x",
            "date:exact=2026",
        ],
    )
    def test_that_makes_no_sense_is_told(self, call: Client, query: str) -> None:
        assert call("GET", f"/AuditEvent?{query}", token="auditor").status == 400

    @pytest.mark.parametrize(
        "query", ["_id=1-2", "_id=99999999999999999999-1", "_id=x", "patient=%00", "agent=';drop table x--", "outcome=x", "subtype=%27"]
    )
    def test_for_what_is_not_there_is_an_empty_page(self, call: Client, query: str) -> None:
        assert "entry" not in call("GET", f"/AuditEvent?{query}", token="auditor").json

    def test_posted_is_the_same_search(self, call: Client) -> None:
        answer = call("POST", "/AuditEvent/_search", b"outcome=4", token="auditor", content_type="application/x-www-form-urlencoded")
        assert readers([entry["resource"] for entry in answer.json["entry"]]) == ["Ines Tech"]

    def test_in_a_batch_is_the_same_search(self, call: Client) -> None:
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": "AuditEvent?outcome=4"}}]}
        answer = call("POST", "", bundle, token="auditor")
        assert len(answer.json["entry"][0]["resource"]["entry"]) == 1


class TestAnEvent:
    def test_is_a_sound_resource_whatever_it_tells(self, call: Client) -> None:
        for event in found(call, {"_count": 100}):
            assert validate(event) == []

    def test_is_read_by_its_id_and_that_is_on_the_trail(self, call: Client) -> None:
        event = found(call, {"outcome": "4"})[0]
        assert call("GET", f"/AuditEvent/{event['id']}", token="auditor").json == event
        assert AuditEvent.objects.filter(interaction="read", actor="client:siem", rtype__isnull=False).count() == 1

    def test_of_a_read_is_shaped_as_ihe_has_it(self, call: Client) -> None:
        event = found(call, {"patient": cast.PATIENT_ID, "subtype": "read"})[0]
        assert event["meta"]["profile"] == ["https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead"]
        assert [agent["type"]["coding"][0]["code"] for agent in event["agent"]] == ["IRCP", "110152", "110153"]
        assert [entity["type"]["code"] for entity in event["entity"]] == ["1", "2", "XrequestId"]
        assert event["agent"][1]["network"] == {"address": "192.0.2.7", "type": "2"}

    def test_without_an_address_claims_no_profile(self, call: Client) -> None:
        assert "profile" not in found(call, {"patient": "ada", "action": "R"})[0]["meta"]

    @pytest.mark.parametrize("id", ["1-1", "nothing", "999999999999999999999-1", "1-99999999999999999999"])
    def test_that_never_was_is_not_found(self, call: Client, id: str) -> None:
        assert call("GET", f"/AuditEvent/{id}", token="auditor").status == 404
        assert AuditEvent.objects.filter(interaction="read", actor="client:siem", outcome=4).count() == 1


class TestWhoMay:
    @pytest.mark.parametrize("who", ["auditor", "officer"])
    def test_those_with_the_right_see_the_trail(self, call: Client, who: str) -> None:
        assert len(found(call, {"outcome": "4"}, who)) == 1

    @pytest.mark.parametrize("who", ["reader", "nurse", "patient"])
    def test_nobody_else_does(self, call: Client, who: str) -> None:
        event = found(call, {"outcome": "4"})[0]
        assert call("GET", "/AuditEvent", token=who).status == 403
        assert call("GET", f"/AuditEvent/{event['id']}", token=who).status == 404

    def test_a_scope_of_one_patient_shows_that_patients_events_alone(self, call: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        from openward.fhir.ids import key
        from openward.fhir.protocols import Where
        from openward.record.work import POLICY

        one = Where("c.patient = %(policy_patient)s", {"policy_patient": key("Patient", "ada")})
        monkeypatch.setattr(type(POLICY), "where", lambda *_: one)
        assert {patient for event in found(call, {"_count": 50}) for patient in _patients(event)} == {"Patient/ada"}
        assert call("GET", "/AuditEvent?_summary=count", token="auditor").json["total"] == len(found(call, {"_count": 50}))

    def test_another_tenants_trail_is_not_there(self, call: Client) -> None:
        with django_connection.cursor() as cursor:
            cursor.execute("set session_replication_role = replica")
            cursor.execute("update audit.entry set tenant = 2")
            cursor.execute("set session_replication_role = default")
        assert found(call, {"outcome": "4"}) == []


def _patients(event: dict[str, Any]) -> list[str]:
    return [entity["what"]["reference"] for entity in event["entity"] if entity.get("role", {}).get("code") == "1"]


class TestNothingIsWritten:
    EVENT = {"resourceType": "AuditEvent", "id": "forged"}  # noqa: RUF012 - never changed

    @pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "/forged"), ("DELETE", "/1-1"), ("PATCH", "/1-1"), ("PUT", "?_id=1-1")])
    def test_at_its_address(self, call: Client, method: str, path: str) -> None:
        answer = call(method, f"/AuditEvent{path}", self.EVENT, token="auditor")
        assert (answer.status, answer.headers["Allow"]) == (405, "GET")

    def test_in_a_transaction(self) -> None:
        writer = open_store(cast.system())
        event = {"resourceType": "AuditEvent", **SOUND}
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": event, "request": {"method": "POST", "url": "AuditEvent"}}]}
        with pytest.raises(FhirError, match="only be read and searched"):
            writer.bundle(bundle)

    @pytest.mark.parametrize("kind", ["batch", "transaction"])
    @pytest.mark.parametrize("url", ["AuditEvent/1-1", "AuditEvent?_id=1-1"])
    def test_in_a_bundle_nothing_is_said_to_be_deleted(self, call: Client, kind: str, url: str) -> None:
        bundle = {"resourceType": "Bundle", "type": kind, "entry": [{"request": {"method": "DELETE", "url": url}}]}
        answer = call("POST", "", bundle, token="auditor")
        assert (answer.status if kind == "transaction" else int(answer.json["entry"][0]["response"]["status"][:3])) == 405

    def test_by_a_store_of_the_house(self) -> None:
        with pytest.raises(FhirError, match="only be read and searched"):
            open_store(cast.system()).create({"resourceType": "AuditEvent", **SOUND})

    def test_by_someone_who_may_not_even_read(self) -> None:
        with pytest.raises(Forbidden):
            open_store(cast.staff("nurse")).create({"resourceType": "AuditEvent", **SOUND})


SOUND: dict[str, Any] = {
    "type": {"code": "rest"},
    "recorded": "2026-11-03T09:30:00Z",
    "agent": [{"requestor": True}],
    "source": {"observer": {"display": "Somewhere"}},
}


def test_the_capability_statement_says_what_is_so(call: Client) -> None:
    described = {one["type"]: one for one in call("GET", "/metadata", token="auditor").json["rest"][0]["resource"]}
    assert [one["code"] for one in described["AuditEvent"]["interaction"]] == ["read", "search-type"]
    assert {one["name"] for one in described["AuditEvent"]["searchParam"]} >= {"patient", "agent", "date", "action", "outcome", "entity"}
    assert not [one for one in described["Patient"]["searchRevInclude"] if one.startswith("AuditEvent")]
