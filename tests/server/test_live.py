"""Live updates over HTTP: who may listen, from where, and how soon an event arrives."""

from __future__ import annotations

import asyncio
import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from openward.cluster import EmbeddedCluster
from tests.installation import Server


@pytest.fixture(scope="module")
def session(served: Server) -> str:
    return served.sign_in("live-front-desk", "front-desk")


@contextmanager
def stream(served: Server, session: str, topics: str) -> Iterator[socket.socket]:
    """An open stream whose `ready` has been read."""
    with socket.create_connection(("127.0.0.1", served.port + 1), timeout=10) as wire:
        wire.sendall(f"GET /live/events?topics={topics} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {session}\r\n\r\n".encode())
        read_until(wire, b"event: ready")
        yield wire


def test_a_stream_itself_says_it_too(served: Server, session: str) -> None:
    with socket.create_connection(("127.0.0.1", served.port + 1), timeout=10) as wire:
        wire.sendall(f"GET /live/events?topics=inbox HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {session}\r\n\r\n".encode())
        assert b"x-content-type-options: nosniff" in read_until(wire, b"\r\n\r\n")


def read_until(wire: socket.socket, wanted: bytes) -> bytes:
    seen = b""
    while wanted not in seen:
        part = wire.recv(4096)
        assert part, seen
        seen += part
    return seen


def notify(served: Server, topic: str) -> None:
    with psycopg.connect(**EmbeddedCluster(served.installation.data).parameters(), autocommit=True) as connection:  # type: ignore[arg-type]
        connection.execute("select pg_notify(%s, '')", (topic,))


@pytest.mark.parametrize("path", ["/health", "/live/events?topics=inbox", "/live/events?topics=;", "/no/such/thing"])
def test_every_answer_says_what_a_browser_must_not_do_with_it(served: Server, path: str) -> None:
    asked = http.client.HTTPConnection("127.0.0.1", served.port + 1, timeout=10)
    asked.request("GET", path)
    said = asked.getresponse().headers
    asked.close()
    assert (said["x-content-type-options"], said["cache-control"]) == ("nosniff", "no-store")
    assert "frame-ancestors 'none'" in said["content-security-policy"]


class TestAnEvent:
    def test_arrives_within_a_second(self, served: Server, session: str) -> None:
        with stream(served, session, "flow-board") as wire:
            notify(served, "flow-board")
            read_until(wire, b"data: flow-board")  # the listener is set up by now, whatever it took
            began = time.monotonic()
            notify(served, "flow-board")
            read_until(wire, b"data: flow-board")
            assert time.monotonic() - began <= 1

    def test_of_another_topic_does_not_arrive(self, served: Server, session: str) -> None:
        with stream(served, session, "flow-board,inbox") as wire:
            notify(served, "something-else")
            notify(served, "inbox")
            assert b"something-else" not in read_until(wire, b"data: inbox")


class TestTheDoor:
    def ask(self, served: Server, **headers: str) -> tuple[int, dict[str, str]]:
        answer = served.ask("GET", "/live/events?topics=flow-board", headers=headers, port=served.port + 1)
        return answer.status, answer.headers

    def test_nobody_hears_anything_without_a_session(self, served: Server) -> None:
        assert self.ask(served)[0] == 401

    def test_a_made_up_session_hears_nothing(self, served: Server) -> None:
        assert self.ask(served, Cookie="openward_session=made-up")[0] == 401

    def test_a_topic_that_is_not_a_word_is_refused(self, served: Server, session: str) -> None:
        answer = served.ask("GET", "/live/events?topics=flow%22board", headers={"Cookie": session}, port=served.port + 1)
        assert answer.status == 400

    def test_a_page_of_the_same_host_may_read_the_answer(self, served: Server) -> None:
        _, headers = self.ask(served, Origin=served.url)
        assert headers["access-control-allow-origin"] == served.url

    def test_a_page_of_another_host_may_not(self, served: Server) -> None:
        _, headers = self.ask(served, Origin="https://elsewhere.example")
        assert "access-control-allow-origin" not in headers


def test_a_stream_ends_with_the_session_that_opened_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever signs out, or is signed out, hears no more: looked at every minute, here at once."""
    from openward.server import live

    alive = iter([True, False])

    async def is_alive(cookie: str | None) -> bool:
        return next(alive)

    class StillThere:
        async def is_disconnected(self) -> bool:
            return False

    async def heard() -> list[str]:
        return [piece async for piece in live._stream(StillThere(), ["work"], "cookie")]  # type: ignore[arg-type]

    assert live.RECHECK_SESSION_SECONDS <= 60
    monkeypatch.setattr(live, "RECHECK_SESSION_SECONDS", 0.0)
    monkeypatch.setattr(live, "KEEP_ALIVE_SECONDS", 0.01)
    monkeypatch.setattr(live, "session_is_alive", is_alive)
    assert len(asyncio.run(asyncio.wait_for(heard(), 30))) == 3
