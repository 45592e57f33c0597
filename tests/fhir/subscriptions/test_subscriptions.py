"""Subscriptions from the asking to the telling, over a real receiver."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import psycopg
import pytest

from openward.fhir.errors import Forbidden, Invalid
from openward.fhir.ids import key
from openward.fhir.outgoing import Answer, networks
from openward.fhir.store import Store
from openward.fhir.subscriptions import feed, telling
from tests.beside import wait_for_older_writers
from tests.fhir.house import House, Visitor
from tests.fhir.subscriptions.conftest import BACKPORT, Desk, Receiver, subscription, visit

FILTER = BACKPORT + "backport-filter-criteria"


@pytest.fixture
def ward(store: Store) -> Store:
    for id in ("ada", "ben"):
        store.update({"resourceType": "Patient", "id": id})
    return store


@pytest.fixture
def active(ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> Store:
    """The owner's subscription to visits that begin, after its handshake."""
    owner.update(subscription(receiver))
    desk.work()
    receiver.heard.clear()
    return ward


def status_of(store: Store) -> str:
    return str(store.read("Subscription", "s").data["status"])


class TestTheHandshake:
    def test_makes_a_subscription_active(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        owner.update(subscription(receiver))
        assert status_of(owner) == "requested"
        desk.work()
        assert status_of(owner) == "active"
        assert receiver.kinds == ["handshake"]

    def test_a_client_cannot_skip_it(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        owner.update({**subscription(receiver), "status": "active"})
        assert status_of(owner) == "requested"

    def test_that_nobody_answers_ends_in_error(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        receiver.answer = 500
        owner.update(subscription(receiver))
        desk.work()
        assert len(receiver.heard) == telling.SHAKES
        assert status_of(owner) == "error"
        assert owner.read("Subscription", "s").data["error"] == "The endpoint answered 500."

    def test_carries_the_clients_headers(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        owner.update(subscription(receiver, header=["Authorization: Bearer abc"]))
        desk.work()
        assert receiver.heard[0].headers["authorization"] == "Bearer abc"
        assert receiver.heard[0].headers["content-type"] == "application/fhir+json"

    def test_says_once_what_it_sends(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
        sent: list[Mapping[str, str]] = []
        monkeypatch.setattr(telling, "send", lambda _method, _url, _body, headers, **_: sent.append(headers) or Answer(200, b""))
        owner.update(subscription(receiver, header=["content-type: text/plain", "X-Kind: ward"]))
        desk.work()
        assert sent == [{"X-Kind": "ward", "Content-Type": "application/fhir+json"}]

    def test_keeps_the_clients_headers_sealed_in_the_record_its_history_and_its_terms(
        self, ward: Store, owner: Store, desk: Desk, receiver: Receiver, house: House
    ) -> None:
        owner.update(subscription(receiver, header=["Authorization: Bearer abc"]))
        desk.work()
        (line,) = owner.read("Subscription", "s").data["channel"]["header"]
        assert line.startswith("Authorization: sealed.")
        kept = desk.connection.execute(
            "select body from fhir.body where body like '%Bearer abc%' union all select terms::text from fhir.subscription"
        ).fetchall()
        assert "Bearer abc" not in str(kept)
        assert len(kept) == 1

    def test_sends_them_still_when_the_subscription_is_stored_again_as_it_was_read(
        self, ward: Store, owner: Store, desk: Desk, receiver: Receiver
    ) -> None:
        owner.update(subscription(receiver, header=["Authorization: Bearer abc"]))
        owner.update(owner.read("Subscription", "s").data)
        desk.work()
        assert receiver.heard[-1].headers["authorization"] == "Bearer abc"

    def test_does_not_send_them_elsewhere_for_who_may_change_the_endpoint(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        owner.update(subscription(receiver, header=["Authorization: Bearer abc"]))
        stored = owner.read("Subscription", "s").data
        elsewhere = {**stored, "channel": {**stored["channel"], "endpoint": stored["channel"]["endpoint"] + "/thief"}}
        for other in (elsewhere, {**stored, "id": "another"}):
            with pytest.raises(Invalid) as refused:
                owner.update(other)
            assert "give its value anew" in str(refused.value.issues)

    def test_an_endpoint_that_could_never_be_told_is_refused(self, owner: Store, desk: Desk, receiver: Receiver) -> None:
        """Only https leaves the house, and without a private network there is no other place: what is taken should be tried."""
        desk.allowed = []
        with pytest.raises(Invalid) as refused:
            owner.update({**subscription(receiver), "channel": {"type": "rest-hook", "endpoint": "http://receiver.example/hook"}})
        assert [issue.expression for issue in refused.value.issues] == ["Subscription.channel.endpoint"]

    def test_one_switched_off_shakes_no_hands(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        owner.update({**subscription(receiver), "status": "off"})
        desk.work()
        assert (receiver.heard, status_of(owner)) == ([], "off")

    def test_one_that_an_import_brought_is_off(self, ward: Store, house: House, desk: Desk, receiver: Receiver) -> None:
        importing = house.store(Visitor("import"))
        importing.update(subscription(receiver))
        assert status_of(importing) == "off"


class TestOneThatIsStoredAnew:
    def test_goes_on_counting_what_happened_before_and_while_it_shakes_hands(
        self, active: Store, owner: Store, desk: Desk, receiver: Receiver
    ) -> None:
        active.update(visit("before"))  # committed, and not looked at yet
        owner.update({**subscription(receiver), "end": "2999-01-01T00:00:00Z"})
        active.update(visit("meanwhile"))
        desk.collect()
        assert desk.held("s").state == "requested"
        desk.work()
        told = [event["focus"]["reference"].rpartition("/")[2] for heard in receiver.heard for event in heard.status["events"]]
        assert (receiver.kinds[0], told) == ("handshake", ["before", "meanwhile"])

    def test_for_something_else_begins_anew(self, active: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        active.update(visit("before"))
        owner.update(subscription(receiver, "urn:openward:topic:encounter-end"))
        active.update(visit("before", "finished"))
        desk.work()
        assert receiver.kinds == ["handshake"]

    @pytest.mark.parametrize("answer", [200, 500])
    def test_while_it_is_told_is_not_taken_for_the_old_one(
        self, ward: Store, owner: Store, desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, answer: int
    ) -> None:
        called: list[str] = []

        def send(method: str, url: str, *_: Any, **__: Any) -> Answer:
            called.append(url)
            if url == receiver.url:
                owner.update(subscription(receiver, endpoint=receiver.url + "/new"))
            return Answer(answer if url == receiver.url else 200, b"")

        monkeypatch.setattr(telling, "send", send)
        owner.update(subscription(receiver))
        desk.tell_once()
        assert called == [receiver.url, receiver.url + "/new"]
        assert (desk.held("s").state, desk.held("s").tries, status_of(owner)) == ("active", 0, "active")

    def test_while_its_state_is_shown_stays_as_it_is_stored(
        self, ward: Store, owner: Store, desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        find = Store.find

        def dawdle(store: Store, *named: Any) -> Any:
            found = find(store, *named)
            if not owner.read("Subscription", "s").data.get("end"):
                owner.update({**subscription(receiver), "end": "2999-01-01T00:00:00Z"})
            return found

        owner.update(subscription(receiver))
        monkeypatch.setattr(Store, "find", dawdle)
        desk.work()
        assert owner.read("Subscription", "s").data["end"] == "2999-01-01T00:00:00Z"
        assert status_of(owner) == "active"


class TestEvents:
    def test_one_that_fires_is_told_with_its_focus(self, active: Store, desk: Desk, receiver: Receiver) -> None:
        active.update(visit())
        desk.work()
        (heard,) = receiver.heard
        assert heard.status["type"] == "event-notification"
        assert heard.status["topic"] == "urn:openward:topic:encounter-start"
        (event,) = heard.status["events"]
        assert (event["event-number"], event["focus"]) == ("1", {"reference": "https://clinic.test/fhir/Encounter/v"})

    def test_is_a_history_bundle_as_the_guide_has_it(self, active: Store, desk: Desk, receiver: Receiver) -> None:
        active.update(visit())
        desk.work()
        bundle = receiver.heard[0].bundle
        assert (bundle["type"], bundle["meta"]["profile"]) == ("history", [BACKPORT + "backport-subscription-notification-r4"])
        assert bundle["entry"][0]["request"] == {"method": "GET", "url": "https://clinic.test/fhir/Subscription/s/$status"}
        assert bundle["entry"][1]["request"] == {"method": "POST", "url": "Encounter"}
        assert "resource" not in bundle["entry"][1]

    def test_numbers_go_on_without_gaps(self, active: Store, desk: Desk, receiver: Receiver) -> None:
        for number in range(3):
            active.update(visit(f"v{number}"))
            desk.work()
        assert [event["event-number"] for heard in receiver.heard for event in heard.status["events"]] == ["1", "2", "3"]

    def test_many_at_once_come_in_order_and_in_bounded_messages(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        owner.update(subscription(receiver, extension=[{"url": BACKPORT + "backport-max-count", "valuePositiveInt": 2}]))
        desk.work()
        for number in range(5):
            ward.update(visit(f"v{number}"))
        desk.work()
        told = [[event["event-number"] for event in heard.status["events"]] for heard in receiver.heard[1:]]
        assert told == [["1", "2"], ["3", "4"], ["5"]]

    def test_what_stays_as_it_is_does_not_fire_again(self, active: Store, desk: Desk, receiver: Receiver) -> None:
        active.update(visit())
        active.update({**visit(), "priority": {"text": "changed"}})
        active.update(visit(status="finished"))
        desk.work()
        assert [event["event-number"] for heard in receiver.heard for event in heard.status["events"]] == ["1"]

    def test_what_was_written_before_it_began_is_not_told(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        ward.update(visit())
        owner.update(subscription(receiver))
        desk.work()
        desk.work()
        assert receiver.kinds == ["handshake"]

    def test_a_commit_that_comes_late_is_not_passed_over(self, active: Store, house: House, desk: Desk, receiver: Receiver) -> None:
        slow = house.connect()
        with slow.transaction():
            house.store(connection=slow).update(visit("slow"))
            active.update(visit("quick"))
            desk.collect_once()
        desk.work()
        focused = {event["focus"]["reference"].rpartition("/")[2] for heard in receiver.heard for event in heard.status["events"]}
        assert focused == {"slow", "quick"}

    def test_what_waits_for_a_stranger_to_the_record_is_not_passed_over(
        self, active: Store, house: House, desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Transactions are numbered for the whole cluster, and who works in another database of it is not ours to look at."""
        monkeypatch.setattr(feed, "MARGIN", dt.timedelta())
        with psycopg.connect(house.url, dbname="postgres") as stranger:
            stranger.execute("select pg_current_xact_id()")
            active.update(visit())
            assert [desk.collect_once() for _ in range(3)] == [True, True, True]
        desk.work()
        assert [event["event-number"] for heard in receiver.heard for event in heard.status["events"]] == ["1"]

    def test_what_is_looked_at_narrows_as_older_transactions_end(self, active: Store, house: House, desk: Desk) -> None:
        since = "select since from fhir.subscription_feed"
        before = house.connections[0].execute(since).fetchall()[0][0]
        for _ in range(3):
            wait_for_older_writers(house.connections[0])
            desk.collect()
        assert house.connections[0].execute(since).fetchall()[0][0] > before

    def test_what_was_rolled_back_is_never_told(self, active: Store, house: House, desk: Desk, receiver: Receiver) -> None:
        connection = house.connect()
        with pytest.raises(ZeroDivisionError), connection.transaction():
            house.store(connection=connection).update(visit())
            raise ZeroDivisionError
        desk.work()
        assert receiver.heard == []

    def test_after_its_end_nothing_is_counted_nor_begun(self, active: Store, owner: Store, desk: Desk, receiver: Receiver, house: House) -> None:
        house.connections[0].execute("update fhir.subscription set ends = clock_timestamp()")
        active.update(visit())
        desk.work()
        owner.update({**subscription(receiver), "id": "late", "end": "2020-01-01T00:00:00Z"})
        desk.work()
        assert receiver.heard == []
        assert (desk.held("s").events, desk.held("late").state) == (0, "requested")

    def test_content_empty_names_nothing(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        owner.update(subscription(receiver, content="empty"))
        desk.work()
        ward.update(visit())
        desk.work()
        assert len(receiver.heard[1].bundle["entry"]) == 1
        assert "focus" not in receiver.heard[1].status["events"][0]
        assert [heard.status.get("topic") for heard in receiver.heard] == [None, None]  # which "SHOULD NOT be present when using empty payloads"

    def test_content_full_resource_holds_it(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        owner.update(subscription(receiver, content="full-resource"))
        desk.work()
        ward.update(visit())
        desk.work()
        assert receiver.heard[1].bundle["entry"][1]["resource"]["subject"] == {"reference": "Patient/ada"}

    def test_a_filter_narrows_the_topic(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        wanted = {**subscription(receiver), "_criteria": {"extension": [{"url": FILTER, "valueString": "Encounter?patient=Patient/ben"}]}}
        owner.update(wanted)
        desk.work()
        ward.update(visit("of-ada"))
        ward.update(visit("of-ben", patient="ben"))
        desk.work()
        assert [event["focus"]["reference"] for event in receiver.heard[1].status["events"]] == ["https://clinic.test/fhir/Encounter/of-ben"]

    @pytest.mark.parametrize("content", ["id-only", "full-resource"])
    def test_what_is_deleted_before_it_is_told_is_named_all_the_same(
        self, ward: Store, owner: Store, desk: Desk, receiver: Receiver, content: str
    ) -> None:
        """Backport, payloads: id-only and full-resource notifications SHALL include references to the focus resources."""
        owner.update(subscription(receiver, content=content))
        desk.work()
        ward.update(visit())
        ward.delete("Encounter", "v")
        desk.work()
        (event,) = receiver.heard[1].status["events"]
        assert event["focus"] == {"reference": "https://clinic.test/fhir/Encounter/v"}
        assert [(entry["fullUrl"], "resource" in entry) for entry in receiver.heard[1].bundle["entry"][1:]] == [
            ("https://clinic.test/fhir/Encounter/v", False)
        ]

    def test_a_deletion_is_told_by_a_topic_that_is_about_it(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        owner.update(subscription(receiver, "urn:openward:topic:patient-changed"))
        desk.work()
        ward.delete("Patient", "ben")
        desk.work()
        assert receiver.heard[1].bundle["entry"][1]["request"] == {"method": "DELETE", "url": "Patient/ben"}

    def test_a_deletion_brings_no_resource_though_it_was_created_again(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        owner.update(subscription(receiver, "urn:openward:topic:patient-changed", content="full-resource"))
        desk.work()
        ward.delete("Patient", "ben")
        ward.update({"resourceType": "Patient", "id": "ben", "active": True})
        desk.work()
        entries = receiver.heard[-1].bundle["entry"][1:]
        assert [(entry["request"]["method"], "resource" in entry) for entry in entries] == [("DELETE", False), ("POST", True)]


class TestAWrite:
    def test_leaves_no_hint_when_nobody_listens(self, ward: Store, desk: Desk) -> None:
        ward.update(visit())
        assert desk.hints == 0

    def test_leaves_one_hint_when_someone_listens_to_its_type(self, active: Store, desk: Desk) -> None:
        desk.hints = 0
        active.update(visit())
        assert desk.hints == 1

    def test_leaves_none_for_a_type_nobody_listens_to(self, active: Store, desk: Desk) -> None:
        desk.hints = 0
        active.update({"resourceType": "Practitioner", "id": "doc"})
        assert desk.hints == 0


class TestTheOwner:
    def test_is_not_told_of_what_they_may_not_see(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        owner.update(subscription(receiver))
        desk.give_to(Visitor("ben", patient=key("Patient", "ben")))
        desk.work()
        ward.update(visit("of-ada"))
        ward.update(visit("of-ben", patient="ben"))
        desk.work()
        focused = [event["focus"]["reference"] for heard in receiver.heard[1:] for event in heard.status["events"]]
        assert focused == ["https://clinic.test/fhir/Encounter/of-ben"]

    def test_who_lost_sight_of_it_before_the_telling_gets_the_number_alone(self, active: Store, desk: Desk, receiver: Receiver) -> None:
        active.update(visit())
        desk.collect()
        desk.give_to(Visitor("owner", types=frozenset({"Patient"})))
        desk.tell()
        (event,) = receiver.heard[0].status["events"]
        assert "focus" not in event
        assert len(receiver.heard[0].bundle["entry"]) == 1

    def test_whose_token_was_withdrawn_is_told_nothing_more(self, active: Store, desk: Desk, receiver: Receiver) -> None:
        desk.withdrawn.add("owner")
        active.update(visit())
        desk.work()
        assert receiver.heard == []
        assert status_of(active) == "error"


class TestAReceiverThatIsDown:
    def test_is_tried_with_growing_pauses_then_given_up(self, active: Store, desk: Desk, receiver: Receiver) -> None:
        receiver.answer = 503
        active.update(visit())
        desk.collect()
        pauses = []
        while desk.waiting:
            pauses.append(desk.waiting[0][1])
            desk.tell_once()
        assert pauses == [0, 2, 4, 8, 16, 32, 64, 128]
        assert len(receiver.heard) == telling.TRIES
        assert (desk.held("s").state, status_of(active)) == ("error", "error")

    def test_that_comes_back_gets_everything_in_order(self, active: Store, desk: Desk, receiver: Receiver) -> None:
        receiver.answer = 503
        active.update(visit("v1"))
        desk.collect()
        telling.tell(desk.connection, 1, key("Subscription", "s"), desk)
        active.update(visit("v2"))
        receiver.answer = 200
        receiver.heard.clear()
        desk.work()
        assert [event["event-number"] for heard in receiver.heard for event in heard.status["events"]] == ["1", "2"]

    def test_is_not_called_before_its_pause_is_over(self, active: Store, desk: Desk, receiver: Receiver) -> None:
        receiver.answer = 503
        active.update(visit())
        desk.collect()
        for _ in range(3):
            telling.tell(desk.connection, 1, key("Subscription", "s"), desk)
        assert len(receiver.heard) == 1

    def test_begins_again_when_its_owner_asks(self, active: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        receiver.answer = 503
        active.update(visit())
        desk.work()
        receiver.answer, receiver.heard = 200, []
        owner.update(subscription(receiver))
        desk.work()
        desk.waiting.append((key("Subscription", "s"), 0))
        desk.work()
        assert receiver.kinds == ["handshake", "event-notification"]
        assert status_of(owner) == "active"


class TestTheHeartbeat:
    def beat(self, desk: Desk) -> None:
        telling.beat(desk.connection, 1, key("Subscription", "s"), desk)

    @pytest.fixture
    def quiet(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver, house: House) -> Any:
        owner.update(subscription(receiver, extension=[{"url": BACKPORT + "backport-heartbeat-period", "valueUnsignedInt": 60}]))
        desk.work()
        receiver.heard.clear()
        house.connections[0].execute("update fhir.subscription set last_sent = clock_timestamp() - interval '61 s'")

    def test_is_sent_when_nothing_was_for_its_period(self, quiet: Any, desk: Desk, receiver: Receiver) -> None:
        self.beat(desk)
        assert receiver.kinds == ["heartbeat"]

    def test_is_sent_once_a_period(self, quiet: Any, desk: Desk, receiver: Receiver) -> None:
        self.beat(desk)
        self.beat(desk)
        assert receiver.kinds == ["heartbeat"]

    def test_is_not_sent_to_who_did_not_ask(self, active: Store, desk: Desk, receiver: Receiver) -> None:
        self.beat(desk)
        assert receiver.heard == []


class TestPlainCriteria:
    def plain(self, receiver: Receiver, **channel: Any) -> dict[str, Any]:
        wanted = subscription(receiver, "Encounter?status=in-progress&patient=Patient/ada", **channel)
        del wanted["channel"]["_payload"]
        return wanted

    def test_put_what_matches_to_the_endpoint(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        owner.update(self.plain(receiver))
        desk.work()
        ward.update(visit())
        ward.update(visit("other", patient="ben"))
        desk.work()
        (heard,) = receiver.heard
        assert (heard.method, heard.path, heard.bundle["id"]) == ("PUT", "/hook/Encounter/v", "v")

    def test_without_payload_only_ring(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        wanted = self.plain(receiver)
        del wanted["channel"]["payload"]
        owner.update(wanted)
        desk.work()
        ward.update(visit())
        desk.work()
        assert [(heard.method, heard.body) for heard in receiver.heard] == [("POST", b"")]

    @pytest.mark.parametrize("criteria", ["Encounter", "Encounter?"])
    def test_of_a_type_by_itself_are_all_of_it(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver, criteria: str) -> None:
        owner.update(self.plain(receiver) | {"criteria": criteria})
        desk.work()
        ward.update(visit())
        desk.work()
        assert [heard.path for heard in receiver.heard] == ["/hook/Encounter/v"]
        assert status_of(owner) == "active"


class TestEMail:
    def test_holds_a_link_and_nobody(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        owner.update(subscription(receiver, type="email", endpoint="mailto:ward@clinic.example"))
        desk.work()
        ward.update(visit())
        desk.work()
        ((to, words),) = desk.mails
        assert to == "ward@clinic.example"
        assert "https://clinic.test/fhir/Subscription/s/$events" in words
        assert "ada" not in words
        assert "Encounter" not in words


class TestAStream:
    def test_is_woken(self, ward: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
        own = {"extension": [{"url": BACKPORT + "backport-channel-type", "valueCoding": {"code": "sse"}}]}
        owner.update(subscription(receiver, _type=own))
        desk.work()
        desk.shown.clear()
        ward.update(visit())
        desk.work()
        assert desk.shown == [key("Subscription", "s")]
        assert receiver.heard == []


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        "change",
        [
            {"criteria": "urn:openward:topic:no-such-topic"},
            {"criteria": "Ghost?x=1"},
            {"criteria": "Observation?ghost=1"},
            {"criteria": "Observation?patient.name=Ada"},
            {"criteria": "Patient?_has:Observation:patient:code=1"},
            {"criteria": "Observation?_include=Observation:subject"},
            {"criteria": "Observation?code:in=http://x"},
            {"criteria": "Observation?date=yesterday"},
            {"criteria": "Observation?patient="},  # which would be everyone
            {"criteria": "Observation?status=final&patient=%20"},
            {"criteria": "Observation?" + "&".join(["status=final"] * 60)},
            {"_criteria": {"extension": [{"url": FILTER, "valueString": "Encounter?patient="}]}},
            {"_criteria": {"extension": [{"url": FILTER, "valueString": "Encounter?status=planned"}]}},
            {"_criteria": {"extension": [{"url": FILTER, "valueString": "Observation?patient=1"}]}},
        ],
    )
    def test_what_cannot_be_watched_for(self, owner: Store, receiver: Receiver, change: dict[str, Any]) -> None:
        with pytest.raises(Invalid):
            owner.update({**subscription(receiver), **change})

    @pytest.mark.parametrize(
        "channel",
        [
            {"type": "websocket"},
            {"type": "sms", "endpoint": "tel:1"},
            {"type": "message"},
            {"payload": "application/fhir+xml"},
            {"endpoint": "https://10.0.0.1/hook"},
            {"endpoint": "https://169.254.169.254/"},
            {"endpoint": "https://[::1]/"},
            {"endpoint": "ftp://clinic.example/"},
            {"endpoint": ""},
            {"type": "email", "endpoint": "mailto:a@b.example,c@d.example"},
            {"header": ["Host: elsewhere"]},
            {"header": ["X: a\r\nY: b"]},
            {"extension": [{"url": BACKPORT + "backport-max-count", "valueInteger": -1}]},
            {"extension": [{"url": BACKPORT + "backport-timeout", "valueInteger": -5}]},
            {"extension": [{"url": BACKPORT + "backport-heartbeat-period", "valueString": "60"}]},
        ],
    )
    def test_where_it_cannot_go(self, owner: Store, receiver: Receiver, channel: dict[str, Any]) -> None:
        with pytest.raises(Invalid):
            owner.update(subscription(receiver, **channel))

    def test_a_private_endpoint_unless_it_is_allowed(self, owner: Store, desk: Desk, receiver: Receiver) -> None:
        desk.allowed = []
        with pytest.raises(Invalid):
            owner.update(subscription(receiver))
        desk.allowed = networks(["127.0.0.1"])
        owner.update(subscription(receiver))

    def test_a_topic_about_what_the_owner_may_not_read(self, house: House, desk: Desk, receiver: Receiver) -> None:
        clerk = house.store(Visitor("clerk", types=frozenset({"Subscription", "Patient"})))
        with pytest.raises(Forbidden):
            clerk.update(subscription(receiver))
        clerk.update(subscription(receiver, "urn:openward:topic:patient-changed"))


def test_with_a_subscription_its_events_go(active: Store, owner: Store, desk: Desk, house: House) -> None:
    active.update(visit())
    desk.collect()
    assert house.count("fhir.subscription_event") == 1
    owner.delete("Subscription", "s")
    assert (house.count("fhir.subscription_event"), house.count("fhir.subscription")) == (0, 0)
