"""Subscriptions of a running installation: the worker shakes hands, tells, and gives up; the service desk learns of it; a stream stays open."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.installation import Installation, Server, prepared, scratch_folder

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
TOPIC = "urn:openward:topic:patient-changed"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Its own installation, which may call this machine."""
    with scratch_folder() as folder:
        installation = Installation(prepared(folder / "data"), settings={"OPENWARD_PRIVATE_TARGETS": "127.0.0.1"})
        with installation.serving() as running:
            yield running


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.installation.token(client="subscriber")


class Ear(ThreadingHTTPServer):
    """Hears what is sent; answers with `answer`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = 200
        self.heard: list[dict[str, Any]] = []

    @property
    def kinds(self) -> list[str]:
        statuses = [bundle["entry"][0]["resource"]["parameter"] for bundle in self.heard]
        return [next(p["valueCode"] for p in parameters if p["name"] == "type") for parameters in statuses]


class _Handler(BaseHTTPRequestHandler):
    server: Ear

    def do_POST(self) -> None:
        self.server.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.answer)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def fhir(server: Server, token: str, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    answer = server.ask(method, f"/fhir/{path}", json.dumps(body).encode() if body else None, headers)
    assert answer.status < 300, answer.body
    found: dict[str, Any] = json.loads(answer.body) if answer.body else {}
    return found


def subscription(id: str, **channel: Any) -> dict[str, Any]:
    content = {"extension": [{"url": BACKPORT + "backport-payload-content", "valueCode": "id-only"}]}
    return {
        "resourceType": "Subscription",
        "id": id,
        "status": "requested",
        "reason": "test",
        "criteria": TOPIC,
        "channel": {"type": "rest-hook", "payload": "application/fhir+json", "_payload": content, **channel},
    }


def soon(happened: Callable[[], bool], seconds: float = 150) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.1)
    return happened()


def status(server: Server, token: str, id: str) -> str:
    return str(fhir(server, token, "GET", f"Subscription/{id}")["status"])


def test_a_subscriber_is_greeted_and_told_in_order(server: Server, token: str, ear: Ear) -> None:
    fhir(server, token, "PUT", "Subscription/told", subscription("told", endpoint=f"http://127.0.0.1:{ear.server_port}/"))
    assert soon(lambda: status(server, token, "told") == "active")
    assert ear.kinds == ["handshake"]
    for number in range(3):
        fhir(server, token, "PUT", f"Patient/told-{number}", {"resourceType": "Patient", "id": f"told-{number}"})

    def numbers() -> list[str]:
        events = [p for b in ear.heard for p in b["entry"][0]["resource"]["parameter"] if p["name"] == "notification-event"]
        return [event["part"][0]["valueString"] for event in events]

    assert soon(lambda: len(numbers()) == 3), (ear.kinds, numbers())
    assert numbers() == ["1", "2", "3"]
    again = fhir(server, token, "GET", "Subscription/told/$events?eventsSinceNumber=2&eventsUntilNumber=2")
    assert again["entry"][1]["request"] == {"method": "POST", "url": "Patient"}
    state = fhir(server, token, "GET", "Subscription/told/$status")["entry"][0]["resource"]["parameter"]
    assert {"name": "events-since-subscription-start", "valueString": "3"} in state
    fhir(server, token, "DELETE", "Subscription/told")


def test_a_subscriber_who_is_down_opens_an_incident(server: Server, token: str, ear: Ear) -> None:
    ear.answer = 500
    fhir(server, token, "PUT", "Subscription/down", subscription("down", endpoint=f"http://127.0.0.1:{ear.server_port}/"))
    assert soon(lambda: status(server, token, "down") == "error")
    titles = server.installation.python(
        "from openward.servicedesk.jobs import watch_health\nfrom openward.servicedesk.models import Ticket\n"
        "watch_health()\nprint([t.source for t in Ticket.objects.all()])"
    )
    assert "health:subscriptions" in titles
    fhir(server, token, "DELETE", "Subscription/down")


def test_a_stream_brings_what_happens_and_what_was_missed(server: Server, token: str) -> None:
    own = {"extension": [{"url": BACKPORT + "backport-channel-type", "valueCoding": {"code": "sse"}}]}
    fhir(server, token, "PUT", "Subscription/stream", subscription("stream", _type=own))
    assert soon(lambda: status(server, token, "stream") == "active")
    with listening(server, token, "stream") as wire:
        heard(wire, b"event: handshake")
        fhir(server, token, "PUT", "Patient/streamed", {"resourceType": "Patient", "id": "streamed"})
        assert heard(wire, b"event: event-notification").endswith(b"id: 1\nevent: event-notification")
        heard(wire, b"/fhir/Patient/streamed")
    with listening(server, token, "stream", "Last-Event-ID: 0\r\n") as wire:
        heard(wire, b"/fhir/Patient/streamed")


@pytest.mark.parametrize(("sent", "answered"), [("", b" 401 "), ("Authorization: Bearer made-up\r\n", b" 401 ")])
def test_a_stream_is_for_the_owner_alone(server: Server, token: str, sent: str, answered: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port + 1), timeout=30) as wire:
        wire.sendall(f"GET /live/subscriptions/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n{sent}\r\n".encode())
        assert answered in wire.recv(4096).split(b"\r\n")[0] + b" "


@pytest.mark.parametrize(("kind", "answered"), [("bearer ", b" 200 "), ("", b" 401 ")])
def test_a_stream_takes_a_token_as_the_api_does(server: Server, token: str, kind: str, answered: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port + 1), timeout=30) as wire:
        wire.sendall(f"GET /live/subscriptions/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {kind}{token}\r\n\r\n".encode())
        assert answered in wire.recv(4096).split(b"\r\n")[0] + b" "


def test_a_stream_of_another_client_does_not_exist(server: Server, token: str) -> None:
    other = server.installation.token(client="someone-else")
    with socket.create_connection(("127.0.0.1", server.port + 1), timeout=30) as wire:
        wire.sendall(f"GET /live/subscriptions/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {other}\r\n\r\n".encode())
        assert b" 404 " in wire.recv(4096).split(b"\r\n")[0] + b" "


def listening(server: Server, token: str, id: str, sent: str = "") -> socket.socket:
    wire = socket.create_connection(("127.0.0.1", server.port + 1), timeout=150)
    wire.sendall(f"GET /live/subscriptions/{id} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n{sent}\r\n".encode())
    return wire


def heard(wire: socket.socket, wanted: bytes) -> bytes:
    """What came until it had `wanted` in it; what comes behind it is left for the next."""
    seen = b""
    while wanted not in seen:
        part = wire.recv(1)
        assert part, seen
        seen += part
    return seen
