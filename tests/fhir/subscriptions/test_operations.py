"""`$status`, `$events` and `$get-ws-binding-token`: what is told once more, and to whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from openward.fhir.http import fhir_app
from openward.fhir.store import Store
from tests.fhir.house import House, Visitor
from tests.fhir.http.client import Client
from tests.fhir.subscriptions.conftest import OWNER, Desk, Receiver, subscription, visit

ACTORS = {
    "owner": OWNER,
    "clerk": Visitor("clerk", types=frozenset({"Subscription"})),
    "stranger": Visitor("stranger", types=frozenset({"Patient"})),
}


@pytest.fixture
def call(house: House, desk: Desk) -> Client:
    """The REST surface; a token is the name of one of ACTORS."""

    @contextmanager
    def open_store(actor: Visitor) -> Iterator[Store]:
        yield house.store(actor, connection=desk.connection)

    def authenticate(environ: Mapping[str, Any]) -> Visitor:
        return ACTORS[environ["HTTP_AUTHORIZATION"].removeprefix("Bearer ")]

    return Client(fhir_app(authenticate, open_store))


@pytest.fixture
def three(store: Store, owner: Store, desk: Desk, receiver: Receiver) -> None:
    """Three visits have begun, and were told."""
    store.update({"resourceType": "Patient", "id": "ada"})
    owner.update(subscription(receiver, content="full-resource"))
    desk.work()
    for number in (1, 2, 3):
        store.update(visit(f"v{number}"))
    desk.work()


def parameter(bundle: dict[str, Any], name: str) -> list[Any]:
    found = [one for one in bundle["entry"][0]["resource"]["parameter"] if one["name"] == name]
    return [next(value for key, value in one.items() if key != "name") for one in found]


def numbers(bundle: dict[str, Any]) -> list[str]:
    return [event[0]["valueString"] for event in parameter(bundle, "notification-event")]


def focuses(bundle: dict[str, Any]) -> list[str]:
    parts = [part for event in parameter(bundle, "notification-event") for part in event if part["name"] == "focus"]
    return [part["valueReference"]["reference"].rpartition("/")[2] for part in parts]


@pytest.mark.usefixtures("three")
class TestEvents:
    def test_are_all_told_again(self, call: Client) -> None:
        answer = call("GET", "/Subscription/s/$events", token="owner").json
        assert (numbers(answer), focuses(answer)) == (["1", "2", "3"], ["v1", "v2", "v3"])
        assert parameter(answer, "type") == ["query-event"]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("eventsSinceNumber=2", ["2", "3"]),
            ("eventsUntilNumber=2", ["1", "2"]),
            ("eventsSinceNumber=2&eventsUntilNumber=2", ["2"]),
            ("eventsSinceNumber=9", []),
        ],
    )
    def test_are_told_from_a_number_to_another(self, call: Client, query: str, expected: list[str]) -> None:
        assert numbers(call("GET", f"/Subscription/s/$events?{query}", token="owner").json) == expected

    def test_hold_less_when_less_is_asked_for(self, call: Client) -> None:
        answer = call("GET", "/Subscription/s/$events?content=id-only", token="owner").json
        assert [("resource" in entry) for entry in answer["entry"][1:]] == [False, False, False]
        assert len(call("GET", "/Subscription/s/$events?content=empty", token="owner").json["entry"]) == 1

    def test_show_a_caller_only_what_they_may_read(self, call: Client) -> None:
        answer = call("GET", "/Subscription/s/$events", token="clerk").json
        assert (numbers(answer), focuses(answer), len(answer["entry"])) == (["1", "2", "3"], [], 1)

    def test_do_not_exist_for_who_may_not_see_the_subscription(self, call: Client) -> None:
        assert call("GET", "/Subscription/s/$events", token="stranger").status == 404

    def test_of_a_number_that_is_none_are_refused(self, call: Client) -> None:
        assert call("GET", "/Subscription/s/$events?eventsSinceNumber=first", token="owner").status == 400


@pytest.mark.usefixtures("three")
class TestStatus:
    def test_says_how_many_events_there_were(self, call: Client) -> None:
        answer = call("GET", "/Subscription/s/$status", token="owner").json
        assert (parameter(answer, "status"), parameter(answer, "events-since-subscription-start")) == (["active"], ["3"])

    def test_of_several_by_their_ids_and_states(self, call: Client) -> None:
        assert call("GET", "/Subscription/$status?id=s&id=ghost", token="owner").json["total"] == 1
        assert call("GET", "/Subscription/$status?id=s&status=error", token="owner").json["total"] == 0

    def test_without_ids_is_of_all_that_the_caller_may_see(self, call: Client, owner: Store, receiver: Receiver) -> None:
        """OperationDefinition-backport-subscription-status: without ids "the server returns the status for all Subscriptions available to the caller"."""
        owner.update({**subscription(receiver), "id": "t", "status": "off"})
        assert call("GET", "/Subscription/$status", token="owner").json["total"] == 2
        assert call("GET", "/Subscription/$status?status=off", token="owner").json["total"] == 1
        assert call("GET", "/Subscription/$status", token="stranger").status == 403

    def test_of_one_subscription_heeds_no_other_parameter(self, call: Client) -> None:
        """The guide says of id and status: at the instance level, this parameter is ignored."""
        assert call("GET", "/Subscription/s/$status?status=error&id=ghost", token="owner").json["total"] == 1

    def test_says_nothing_to_who_may_not_see_it(self, call: Client) -> None:
        assert call("GET", "/Subscription/s/$status", token="stranger").status == 404


@pytest.mark.usefixtures("three")
def test_a_token_for_a_websocket_is_refused_with_what_there_is(call: Client) -> None:
    answer = call("GET", "/Subscription/s/$get-ws-binding-token", token="owner")
    assert (answer.status, answer.issue["code"]) == (501, "not-supported")
    assert "rest-hook" in answer.issue["diagnostics"]
