"""Which changes each topic is about; and topics of an installation's own."""

from __future__ import annotations

from typing import Any

import pytest

from openward.fhir.errors import Invalid
from openward.fhir.search.index import extract
from openward.fhir.store import Store
from openward.fhir.subscriptions.topics import BUILT_IN, HERE, R5
from tests.fhir.subscriptions.conftest import Desk, Receiver, subscription, visit


def inpatient(status: str) -> dict[str, Any]:
    return {**visit(status=status), "class": {"code": "IMP"}}


def report(status: str) -> dict[str, Any]:
    return {"resourceType": "DiagnosticReport", "id": "r", "status": status, "code": {"text": "x"}}


def observation(status: str, category: str = "laboratory") -> dict[str, Any]:
    concept = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": category}]}
    return {"resourceType": "Observation", "id": "o", "status": status, "code": {"text": "x"}, "category": [concept]}


def appointment(status: str, start: str = "2026-11-03T09:00:00Z") -> dict[str, Any]:
    return {"resourceType": "Appointment", "id": "a", "status": status, "start": start, "end": start, "participant": [{"status": "accepted"}]}


PATIENT = {"resourceType": "Patient", "id": "p"}
MESSAGE = {"resourceType": "Communication", "id": "c", "status": "completed"}

# topic, the version before, the version after, whether it fires
CHANGES: list[tuple[str, dict[str, Any] | None, dict[str, Any] | None, bool]] = [
    ("encounter-start", None, visit(status="in-progress"), True),
    ("encounter-start", None, visit(status="planned"), False),
    ("encounter-start", visit(status="planned"), visit(status="arrived"), True),
    ("encounter-start", visit(status="arrived"), visit(status="in-progress"), False),
    ("encounter-start", visit(status="in-progress"), None, False),
    ("encounter-end", visit(status="in-progress"), visit(status="finished"), True),
    ("encounter-end", None, visit(status="finished"), True),
    ("encounter-end", visit(status="finished"), visit(status="finished"), False),
    ("admission", None, inpatient("in-progress"), True),
    ("admission", None, visit(status="in-progress"), False),
    ("admission", visit(status="in-progress"), inpatient("in-progress"), True),
    ("admission", inpatient("in-progress"), inpatient("in-progress"), False),
    ("discharge", inpatient("in-progress"), inpatient("finished"), True),
    ("discharge", visit(status="in-progress"), visit(status="finished"), False),
    ("new-result", None, report("final"), True),
    ("new-result", None, report("preliminary"), False),
    ("new-result", report("preliminary"), report("final"), True),
    ("new-result", report("final"), report("amended"), True),
    ("new-result", report("final"), report("final"), False),
    ("new-result", None, observation("final"), True),
    ("new-result", None, observation("final", "vital-signs"), False),
    ("appointment-booked", None, appointment("booked"), True),
    ("appointment-booked", appointment("proposed"), appointment("booked"), True),
    ("appointment-booked", appointment("booked"), appointment("booked"), False),
    ("appointment-changed", appointment("booked"), appointment("booked", "2026-11-04T09:00:00Z"), True),
    ("appointment-changed", None, appointment("booked"), False),
    ("appointment-changed", appointment("booked"), appointment("cancelled"), False),
    ("appointment-cancelled", appointment("booked"), appointment("cancelled"), True),
    ("appointment-cancelled", appointment("cancelled"), appointment("cancelled"), False),
    ("new-message", None, MESSAGE, True),
    ("new-message", MESSAGE, MESSAGE, False),
    ("patient-changed", None, PATIENT, True),
    ("patient-changed", PATIENT, None, True),
]


@pytest.mark.parametrize(("name", "before", "after", "fires"), CHANGES)
def test_a_topic_fires_for_its_changes_alone(name: str, before: dict[str, Any] | None, after: dict[str, Any] | None, fires: bool) -> None:
    op = "C" if before is None else "D" if after is None else "U"
    some = after or before
    assert some
    rows = [extract(version, tenant=1) if version else None for version in (after, before)]
    triggers = [trigger for trigger in BUILT_IN[HERE + name].triggers if trigger.type == some["resourceType"]]
    assert any(trigger.fires(op, some["id"], *rows) for trigger in triggers) == fires


def test_every_topic_is_tried_both_ways() -> None:
    tried = {(name, fires) for name, _, _, fires in CHANGES}
    assert {HERE + name for name, fires in tried if fires} == set(BUILT_IN)


def own_topic(url: str = "http://clinic.example/topic/high", interaction: str = "update", **criteria: Any) -> dict[str, Any]:
    query = [{"url": name, ("valueBoolean" if isinstance(value, bool) else "valueString"): value} for name, value in criteria.items()]
    trigger = [
        {"url": "resource", "valueUri": "http://hl7.org/fhir/StructureDefinition/Encounter"},
        {"url": "supportedInteraction", "valueCode": interaction},
        {"url": "queryCriteria", "extension": query},
    ]
    return {
        "resourceType": "Basic",
        "id": "topic",
        "code": {"coding": [{"system": "http://hl7.org/fhir/fhir-types", "code": "SubscriptionTopic"}]},
        "extension": [
            {"url": f"{R5}url", "valueUri": url},
            {"url": f"{R5}resourceTrigger", "extension": trigger},
            {"url": f"{R5}canFilterBy", "extension": [{"url": "filterParameter", "valueString": "patient"}]},
        ],
    }


class TestATopicOfOnesOwn:
    def test_fires_as_it_says(self, store: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        store.update({"resourceType": "Patient", "id": "ada"})
        store.update(own_topic(current="Encounter?status=finished", previous="Encounter?status:not=finished", requireBoth=True))
        owner.update(subscription(receiver, "http://clinic.example/topic/high"))
        desk.work()
        store.update(visit(status="finished"))  # created, and the topic is about updates
        store.update(visit("w"))
        store.update(visit("w", status="finished"))
        desk.work()
        told = [event["focus"]["reference"].rpartition("/")[2] for heard in receiver.heard[1:] for event in heard.status["events"]]
        assert told == ["w"]

    @pytest.mark.parametrize(
        "topic",
        [
            own_topic(HERE + "encounter-start", current="Encounter?status=finished"),
            own_topic(current="Encounter?ghost=1"),
            own_topic(current="Encounter?subject.name=Ada"),
            own_topic(current="Encounter?" + "&".join(["status=finished"] * 60)),
            own_topic(url=""),
            own_topic(current="status="),
            own_topic(current="status=finished", previous="Encounter?status=finished&subject=%20"),
            own_topic(interaction="destroy"),
        ],
    )
    def test_that_cannot_be_watched_is_refused(self, owner: Store, topic: dict[str, Any]) -> None:
        with pytest.raises(Invalid):
            owner.update(topic)

    def test_of_a_url_another_has_is_refused(self, owner: Store, desk: Desk) -> None:
        owner.update(own_topic(current="status=finished"))
        owner.update(own_topic(current="status=planned"))
        with pytest.raises(Invalid) as refused:
            owner.update({**own_topic(current="status=finished"), "id": "another"})
        assert "Basic/topic" in str(refused.value.issues)

    def test_taken_away_ends_the_subscriptions_to_it_with_an_error(self, store: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        store.update({"resourceType": "Patient", "id": "ada"})
        store.update(own_topic(current="Encounter?status=finished"))
        owner.update(subscription(receiver, "http://clinic.example/topic/high"))
        desk.work()
        store.delete("Basic", "topic")
        store.update(visit())
        desk.work()
        assert (desk.held("s").state, desk.held("s").error) == ("error", "Its topic is no longer there, or cannot be watched for.")
        assert owner.read("Subscription", "s").data["status"] == "error"
        assert owner.read("Subscription", "s").data["error"] == desk.held("s").error

    def test_any_other_basic_is_let_be(self, owner: Store, desk: Desk) -> None:
        assert owner.create({"resourceType": "Basic", "code": {"text": "anything"}}).id
