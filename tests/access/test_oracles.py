"""What no other test tries: whether something hidden is there, found out by what a write is answered; and a part written over the whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from openward.access.actor import Actor
from openward.access.labels import LABELS
from openward.fhir.http import fhir_app
from openward.fhir.store import Store
from openward.record import open_store
from tests import cast
from tests.access.people import HYPERTENSION, ICD, OPIOIDS, condition, house
from tests.fhir.http.client import Answer, Client

pytestmark = pytest.mark.django_db
NURSE, CLIENT = cast.staff("nurse"), cast.client("system/*.cruds")
SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
# What stands and is hidden from these, and what is not there at all.
PAIRS = (("Condition/opioids", "Condition/nothing"), ("Patient/hidden", "Patient/nobody"))


@pytest.fixture
def store(db: None) -> Store:
    found = house()
    found.update(condition("opioids", OPIOIDS))
    found.update(condition("pressure", HYPERTENSION))
    found.update({"resourceType": "Patient", "id": "hidden", "meta": {"security": [LABELS["V"].coding]}, "name": [{"family": "Hidden"}]})
    return found


def client_of(actor: Actor) -> Client:
    @contextmanager
    def opened(who: Actor) -> Iterator[Store]:
        yield open_store(who)

    return Client(fhir_app(lambda _: actor, opened))


def seen(reference: str, **more: Any) -> dict[str, Any]:
    """An observation of somebody the actor sees, that names another resource."""
    named = {"performer" if reference.startswith("Patient") else "focus": [{"reference": reference}]}
    subject = {"reference": f"Patient/{cast.PATIENT_ID}"}
    return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": subject, **named, **more}


def said(answer: Answer, name: str) -> tuple[int, bytes]:
    return answer.status, answer.body.replace(name.encode(), b"NAME")


@pytest.mark.parametrize("actor", [NURSE, CLIENT], ids=["nurse", "client"])
@pytest.mark.parametrize(("hidden", "absent"), PAIRS)
class TestAReference:
    """To what is hidden is answered as one to what is not there."""

    def test_in_what_is_created(self, store: Store, actor: Actor, hidden: str, absent: str) -> None:
        call = client_of(actor)
        found = [said(call("POST", "/Observation", seen(name)), name) for name in (hidden, absent)]
        assert found[0] == found[1]
        assert found[0][0] == 422

    def test_in_a_transaction(self, store: Store, actor: Actor, hidden: str, absent: str) -> None:
        def bundle(name: str) -> dict[str, Any]:
            entries = [{"resource": one, "request": {"method": "POST", "url": "Observation"}} for one in (seen(name), seen("Condition/pressure"))]
            return {"resourceType": "Bundle", "type": "transaction", "entry": entries}

        call = client_of(actor)
        found = [said(call("POST", "", bundle(name)), name) for name in (hidden, absent)]
        assert found[0] == found[1]
        assert found[0][0] == 422

    def test_in_what_is_changed(self, store: Store, actor: Actor, hidden: str, absent: str) -> None:
        store.update(seen("Condition/pressure", id="mine", status="preliminary"))
        call = client_of(actor)
        found = [said(call("PUT", "/Observation/mine", seen(name, id="mine", status="preliminary")), name) for name in (hidden, absent)]
        assert found[0] == found[1]
        assert found[0][0] == 422

    def test_in_a_patch(self, store: Store, actor: Actor, hidden: str, absent: str) -> None:
        store.update(seen("Condition/pressure", id="mine", status="preliminary"))
        call = client_of(actor)
        found = []
        for name in (hidden, absent):
            path = "/performer" if name.startswith("Patient") else "/focus"
            added = [{"op": "add", "path": path, "value": [{"reference": name}]}]
            found.append(said(call("PATCH", "/Observation/mine", added, content_type="application/json-patch+json"), name))
        assert found[0] == found[1]
        assert found[0][0] == 422

    def test_that_is_only_validated(self, store: Store, actor: Actor, hidden: str, absent: str) -> None:
        call = client_of(actor)
        found = [said(call("POST", "/Observation/$validate?mode=create", seen(name)), name) for name in (hidden, absent)]
        assert found[0] == found[1]
        assert b"NAME does not exist" in found[0][1]


class TestAReferenceThatStoodThere:
    def test_may_stay_though_what_it_names_is_hidden_by_now(self, store: Store) -> None:
        store.update(seen("Condition/opioids", id="mine"))
        answer = client_of(NURSE)("PUT", "/Observation/mine", seen("Condition/opioids", id="mine", status="amended"))
        assert answer.status == 200

    def test_to_what_the_actor_sees_is_written(self, store: Store) -> None:
        assert client_of(NURSE)("POST", "/Observation", seen("Condition/pressure")).status == 201

    def test_to_what_is_created_beside_it_is_written_though_its_author_does_not_see_it_after(self, store: Store) -> None:
        entries = [
            {"fullUrl": "urn:uuid:0199c1f0-0000-7000-8000-00000000beef", "resource": condition("new", OPIOIDS), "request": {"method": "POST", "url": "Condition"}},
            {"resource": seen("urn:uuid:0199c1f0-0000-7000-8000-00000000beef", focus=[{"reference": "urn:uuid:0199c1f0-0000-7000-8000-00000000beef"}]),
             "request": {"method": "POST", "url": "Observation"}},
        ]  # fmt: skip
        assert client_of(CLIENT)("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries}).status == 200


class TestAPart:
    def test_is_not_written_over_the_whole(self, store: Store) -> None:
        call = client_of(CLIENT)
        part = next(iter(call("GET", f"/Patient?_id={cast.PATIENT_ID}&_elements=birthDate").json["entry"]))["resource"]
        assert SUBSETTED["code"] in {tag["code"] for tag in part["meta"]["tag"]}
        answer = call("PUT", f"/Patient/{cast.PATIENT_ID}", part)
        assert answer.status == 422
        assert "SUBSETTED" in answer.json["issue"][0]["diagnostics"]
        assert open_store(cast.system()).read("Patient", cast.PATIENT_ID).data["name"][0]["family"] == "Example"

    def test_of_something_new_is_written(self, store: Store) -> None:
        assert (
            client_of(CLIENT)("PUT", "/Basic/new", {"resourceType": "Basic", "id": "new", "meta": {"tag": [SUBSETTED]}, "code": {"text": "x"}}).status
            == 201
        )


class TestAWriterWhoMayNotRead:
    """A program with leave to write alone learns nothing of what stands."""

    @pytest.mark.parametrize("value", ["1980-01-02", "1980-01-03"])
    def test_guesses_nothing_by_testing_in_a_patch(self, store: Store, value: str) -> None:
        call = client_of(cast.client("system/Patient.u"))
        guess = [{"op": "test", "path": "/birthDate", "value": value}]
        assert call("PATCH", f"/Patient/{cast.PATIENT_ID}", guess, content_type="application/json-patch+json").status == 404

    @pytest.mark.parametrize("condition_", ["birthdate=1980-01-02", "birthdate=1980-01-03"])
    def test_guesses_nothing_by_a_condition(self, store: Store, condition_: str) -> None:
        call = client_of(cast.client("system/Patient.cu"))
        assert call("PUT", f"/Patient?{condition_}", {"resourceType": "Patient"}).status == 403
        assert call("POST", "/Patient", {"resourceType": "Patient"}, if_none_exist=condition_).status == 403


class TestGraphQL:
    @pytest.mark.parametrize(
        "query",
        [
            '{a:ConditionList(code:"F11.20"){...F} b:ConditionList(_id:"opioids"){...F}} fragment F on Condition {id}',
            '{ConditionList(code:"F11.20") @include(if:true) {... on Condition {id}}}',
            '{ConditionConnection(code:"F11.20"){count,edges{resource{id}}}}',
        ],
    )
    def test_finds_nothing_hidden_by_another_name_fragment_or_directive(self, store: Store, query: str) -> None:
        answer = client_of(CLIENT)("POST", "/$graphql", {"query": query})
        assert answer.status == 200
        assert b"opioids" not in answer.body
        assert b'"count":1' not in answer.body

    @pytest.mark.parametrize("query", [
        "{" + "".join(f"a{number}:ConditionList{{id}} " for number in range(3000)) + "}",
        "{ConditionList{id " + "@include(if:true) " * 20_000 + "}}",
        "{ConditionList{...A0}} " + " ".join(f"fragment A{n} on Condition{{...A{n + 1} ...A{n + 1}}}" for n in range(40)) + " fragment A40 on Condition{id}",
    ], ids=["aliases", "directives", "fragments"])  # fmt: skip
    def test_that_would_cost_too_much_is_refused(self, store: Store, query: str) -> None:
        assert client_of(CLIENT)("POST", "/$graphql", {"query": query}).status == 413


class TestAnEntryOfABundle:
    @pytest.mark.parametrize("url", ["https://clinic.test/fhir/Condition/opioids", "Condition%2fopioids", "Condition/../Condition/opioids", "Condition/opioids",
                                     "Condition?_id=opioids", f"Condition?code={ICD}|{OPIOIDS}", "https://clinic.test/patients"])  # fmt: skip
    def test_reaches_nothing_hidden_however_it_is_addressed(self, store: Store, url: str) -> None:
        asked = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": url}}]}
        answer = client_of(CLIENT)("POST", "", asked)
        entry = answer.json["entry"][0]
        assert entry["response"]["status"].startswith("404") or not entry["resource"].get("entry")
        assert b'"resourceType":"Condition"' not in answer.body
