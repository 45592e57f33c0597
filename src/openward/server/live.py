"""Live updates: one small process that turns PostgreSQL notifications into server-sent events for open pages.

An event says only that a topic changed; the page then asks for what it may see, so nothing about a patient passes here.
A browser proves who it is with the session cookie of the pages; nobody signed in, no stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import socket
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openward.server.settings")

import django

django.setup()

import psycopg  # noqa: E402 - Django must be set up first
import uvicorn  # noqa: E402
from asgiref.sync import sync_to_async  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth import SESSION_KEY  # noqa: E402
from django.db import close_old_connections, connection  # noqa: E402
from psycopg import sql  # noqa: E402
from starlette.applications import Starlette  # noqa: E402
from starlette.datastructures import MutableHeaders  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import PlainTextResponse, Response, StreamingResponse  # noqa: E402
from starlette.routing import Route  # noqa: E402
from starlette.types import ASGIApp, Message, Receive, Scope, Send  # noqa: E402

from openward.accounts.sessions import SessionStore  # noqa: E402

log = logging.getLogger("openward.live")
TOPIC = re.compile(r"[a-z0-9][a-z0-9:-]{0,59}")
TOPICS_AT_MOST = 20
KEEP_ALIVE_SECONDS = 20.0
RECHECK_SESSION_SECONDS = 60.0
ENDING_SECONDS = 5


class Board:
    """Who listens to which topic. One database connection listens for all."""

    def __init__(self) -> None:
        self.listeners: dict[str, set[asyncio.Queue[str]]] = defaultdict(set)
        self.connection: psycopg.AsyncConnection[Any] | None = None
        self.heard: set[str] = set()
        self.wanted = asyncio.Event()
        self.ended = False

    async def run(self) -> None:
        """Listen for ever; after a lost connection every page is told to look again, since a change may have been missed."""
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
                log.warning("live updates wait for the database: %s", type(error).__name__)
            self.heard.clear()
            await asyncio.sleep(1)

    async def _listen(self) -> None:
        parameters = {**connection.get_connection_params()}
        for name in ("cursor_factory", "context", "prepare_threshold", "client_encoding"):
            parameters.pop(name, None)
        async with await psycopg.AsyncConnection.connect(**parameters, autocommit=True) as wire:
            for topic in list(self.listeners):
                self.tell(topic)
            while True:
                await self._hear_new_topics(wire)
                async for notice in wire.notifies(timeout=0.25, stop_after=1):
                    self.tell(notice.channel)

    async def _hear_new_topics(self, wire: psycopg.AsyncConnection[Any]) -> None:
        for topic in set(self.listeners) - self.heard:
            await wire.execute(sql.SQL("listen {}").format(sql.Identifier(topic)))
            self.heard.add(topic)
            self.tell(topic)

    def tell(self, topic: str) -> None:
        for queue in self.listeners.get(topic, ()):
            with contextlib.suppress(asyncio.QueueFull):
                queue.put_nowait(topic)

    def end(self) -> None:
        """Wake every stream, which then ends; the page opens another where it can."""
        self.ended = True
        for topic in self.listeners:
            self.tell(topic)

    @contextlib.contextmanager
    def subscribed(self, topics: list[str]) -> Any:
        queue: asyncio.Queue[str] = asyncio.Queue(maxsize=100)
        for topic in topics:
            self.listeners[topic].add(queue)
        try:
            yield queue
        finally:
            for topic in topics:
                self.listeners[topic].discard(queue)


board = Board()


@sync_to_async(thread_sensitive=True)
def session_is_alive(cookie: str | None) -> bool:
    close_old_connections()
    return bool(cookie) and SESSION_KEY in SessionStore(cookie)


async def events(request: Request) -> Response:
    """The stream. `?topics=a,b` names what the page wants to hear of."""
    topics = request.query_params.get("topics", "").split(",")
    if len(topics) > TOPICS_AT_MOST or not all(TOPIC.fullmatch(topic) for topic in topics):
        return PlainTextResponse("topics are words of a-z, 0-9, ':' and '-'", status_code=400)
    cookie = request.cookies.get(settings.SESSION_COOKIE_NAME)
    if not await session_is_alive(cookie):
        return PlainTextResponse("sign in first", status_code=401, headers=_cors(request))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", **_cors(request)}
    return StreamingResponse(_stream(request, topics, cookie), media_type="text/event-stream", headers=headers)


async def _stream(request: Request, topics: list[str], cookie: str | None) -> AsyncIterator[str]:
    checked = asyncio.get_running_loop().time()
    with board.subscribed(topics) as queue:
        yield "retry: 1000\nevent: ready\ndata: \n\n"
        while not board.ended and not await request.is_disconnected():
            try:
                topic = await asyncio.wait_for(queue.get(), KEEP_ALIVE_SECONDS)
                yield f"event: change\ndata: {topic}\n\n"
            except TimeoutError:
                yield ": still here\n\n"
            now = asyncio.get_running_loop().time()
            if now - checked > RECHECK_SESSION_SECONDS:
                if not await session_is_alive(cookie):
                    return
                checked = now


def _cors(request: Request) -> dict[str, str]:
    """Pages of this installation only: the same host by another port, or an origin the administrator named."""
    origin = request.headers.get("origin", "")
    here = urlsplit(str(request.url)).hostname
    if origin and (urlsplit(origin).hostname == here or origin in settings.CSRF_TRUSTED_ORIGINS):
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true", "Vary": "Origin"}
    return {}


async def health(request: Request) -> Response:
    return PlainTextResponse("ok")


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    listening = asyncio.create_task(board.run())
    yield
    listening.cancel()


async def subscription(request: Request) -> Response:
    """The stream of one FHIR Subscription, for the client whose it is."""
    from openward.server.streams import subscription as stream

    return await stream(request, board)


ROUTES = [Route("/live/events", events), Route("/live/subscriptions/{id}", subscription), Route("/health", health)]


class Headers:
    """What every answer of Openward says to a browser, pages or not: streams, refusals and what is not there too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.said = {
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        }
        if settings.SECURE_HSTS_SECONDS:
            self.said["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def said(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.said.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, said)


app = Starlette(routes=ROUTES, lifespan=lifespan, middleware=[Middleware(Headers)])


class Server(uvicorn.Server):
    """Told to stop, it ends the streams first: they have no end of their own, and it would wait for them."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        board.end()
        await super().shutdown(sockets)


def serve(host: str, port: int) -> None:
    """Until this process is told to stop; a client that does not take the end of its stream is waited for a little."""
    Server(uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=ENDING_SECONDS)).run()
