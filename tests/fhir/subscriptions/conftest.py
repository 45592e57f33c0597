"""A desk whose jobs wait until someone works, and a receiver on this machine that hears what is sent."""

from __future__ import annotations

import json
import threading
import time
from ast import literal_eval
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import psycopg
import pytest

from openward.fhir.errors import Forbidden
from openward.fhir.guards import guard
from openward.fhir.ids import key
from openward.fhir.outgoing import Network, networks
from openward.fhir.store import Store
from openward.fhir.subscriptions import desk as desks
from openward.fhir.subscriptions import feed, held, rules, telling
from openward.fhir.subscriptions.held import Held
from tests.fhir.house import House, TablePolicy, Visitor

OWN = Visitor("desk")
OWNER = Visitor("owner")
BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"


@dataclass
class Desk:
    """The installation of the tests."""

    house: House
    allowed: list[Network] = field(default_factory=lambda: networks(["127.0.0.0/8"]))
    base_url: str = "https://clinic.test/fhir"
    hints: int = 0
    waiting: list[tuple[UUID, float]] = field(default_factory=list)
    mails: list[tuple[str, str]] = field(default_factory=list)
    shown: list[UUID] = field(default_factory=list)
    withdrawn: set[str] = field(default_factory=set)

    def may_own(self, actor: Visitor) -> bool:
        return actor.id != "import"

    def is_own(self, actor: Visitor) -> bool:
        return actor.id == OWN.id

    def remember(self, actor: Visitor) -> dict[str, Any]:
        kept = asdict(actor)
        return {
            name: sorted(value) if isinstance(value, frozenset) else str(value) if isinstance(value, UUID) else value for name, value in kept.items()
        }

    @contextmanager
    def open_store(self, owner: dict[str, Any]) -> Iterator[Store]:
        if owner["id"] in self.withdrawn:
            raise Forbidden("The token has been withdrawn.")
        types = frozenset(owner["types"]) if owner["types"] is not None else None
        patient = UUID(owner["patient"]) if owner["patient"] else None
        yield self.house.store(Visitor(owner["id"], types=types, patient=patient), connection=self.connection)

    @contextmanager
    def own_store(self, tenant: int) -> Iterator[Store]:
        yield self.house.store(OWN, connection=self.connection)

    def collect_later(self, store: Store) -> None:
        self.hints += 1

    def tell_later(self, tenant: int, subscription: UUID, *, seconds: float = 0, by: Store | None = None) -> None:
        self.waiting.append((subscription, seconds))

    def send_mail(self, tenant: int, to: str, subscription: str, words: str) -> None:
        self.mails.append((to, words))

    def seal(self, tenant: int, value: str, about: tuple[str, ...]) -> str:
        if value.startswith("sealed."):
            self.unseal(tenant, value, about)
            return value
        return f"sealed.{b64encode(repr((tenant, about, value)).encode()).decode()}"

    def unseal(self, tenant: int, value: str, about: tuple[str, ...]) -> str:
        if not value.startswith("sealed."):
            return value
        whose, belongs, clear = literal_eval(b64decode(value.removeprefix("sealed.")).decode())
        if (whose, belongs) != (tenant, about):
            raise ValueError
        return str(clear)

    def show(self, tenant: int, subscription: UUID) -> None:
        self.shown.append(subscription)

    # -- what the tests do with it --------------------------------------------------------------------------

    @cached_property
    def connection(self) -> psycopg.Connection[Any]:
        return self.house.connect()

    def collect_once(self) -> bool:
        with self.connection.transaction():
            return feed.collect(self.connection, 1, TablePolicy())

    def collect(self) -> None:
        """Count all that happened; transactions of the tests beside this one may hold it up for a while."""
        while self.collect_once():
            time.sleep(0.01)

    def tell(self) -> None:
        """Run every telling that waits, however long it should."""
        while self.waiting:
            self.tell_once()

    def tell_once(self) -> None:
        """Run the first telling that waits, as if its pause were over."""
        self.connection.execute("update fhir.subscription set next_try = null")
        telling.tell(self.connection, 1, self.waiting.pop(0)[0], self)

    def work(self) -> None:
        """Everything that follows from what was written."""
        self.collect()
        self.tell()

    def give_to(self, owner: Visitor) -> None:
        """Make every subscription someone else's."""
        self.connection.execute("update fhir.subscription set owner = %s::jsonb", (json.dumps(self.remember(owner)),))

    def held(self, id: str) -> Held:
        found = held.find(self.connection, 1, key("Subscription", id))
        assert found
        return found


@dataclass
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def bundle(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def status(self) -> dict[str, Any]:
        """The parameters of the SubscriptionStatus by name; of several, the list of their parts."""
        parameters = self.bundle["entry"][0]["resource"]["parameter"]
        found: dict[str, Any] = {"events": []}
        for parameter in parameters:
            if parameter["name"] == "notification-event":
                found["events"].append({part["name"]: next(v for n, v in part.items() if n != "name") for part in parameter["part"]})
            else:
                found[parameter["name"]] = next(value for name, value in parameter.items() if name != "name")
        return found


@dataclass
class Receiver:
    """An HTTP server that answers `answer` and remembers what it heard."""

    answer: int = 200
    heard: list[Received] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def kinds(self) -> list[str]:
        return [one.status["type"] for one in self.heard]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            made.heard.append(Received(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(made.answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_PUT = do_POST

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    made, before = Desk(house), list(desks._installed)
    guard("Subscription", registry=house.guards)(rules.hold_to_terms)
    guard("Subscription", on=("delete",), registry=house.guards)(rules.drop_with_it)
    guard("Basic", registry=house.guards)(rules.hold_topics)
    desks.install(made)
    feed.forget_listeners()
    yield made
    desks._installed[:] = before
    feed.forget_listeners()


@pytest.fixture
def owner(house: House, desk: Desk) -> Store:
    return house.store(OWNER)


def subscription(
    receiver: Receiver, topic: str = "urn:openward:topic:encounter-start", *, content: str = "id-only", **channel: Any
) -> dict[str, Any]:
    """A topic-based Subscription to the receiver."""
    return {
        "resourceType": "Subscription",
        "id": "s",
        "status": "requested",
        "reason": "test",
        "criteria": topic,
        "channel": {
            "type": "rest-hook",
            "endpoint": receiver.url,
            "payload": "application/fhir+json",
            "_payload": {"extension": [{"url": BACKPORT + "backport-payload-content", "valueCode": content}]},
            **channel,
        },
    }


def visit(id: str = "v", status: str = "in-progress", patient: str = "ada") -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": id,
        "status": status,
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": f"Patient/{patient}"},
    }
