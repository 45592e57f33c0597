"""Subscriptions by server-sent events: what happens is sent down an open stream to the client whose subscription it is.

`GET /live/subscriptions/ID` on the live process, with the client's bearer token. Each event has the number of its last happening as its id, so that
a client that comes again with `Last-Event-ID` misses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from typing import Protocol

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from openward.accounts.tokens import actor_for
from openward.fhir.errors import FhirError, NotFound, Unauthenticated
from openward.fhir.ids import is_id, key
from openward.fhir.json import dumps
from openward.fhir.subscriptions import held as keeping
from openward.fhir.subscriptions.held import Held
from openward.fhir.subscriptions.notifications import Kind, bundle
from openward.record import open_store
from openward.record.subscriptions import INSTALLATION, topic_of

KEEP_ALIVE_SECONDS = 20.0
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Board(Protocol):
    """Who listens to which topic of PostgreSQL, until it has ended."""

    ended: bool

    def subscribed(self, topics: list[str]) -> AbstractContextManager[asyncio.Queue[str]]: ...


async def subscription(request: Request, board: Board) -> Response:
    """The stream of one subscription. 401 without a token, 404 for what is not the client's, or goes by another channel."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip() if kind.lower() == "bearer" else ""
    id = request.path_params["id"]
    try:
        one = await sync_to_async(_opened, thread_sensitive=True)(token, id)
        last = _last(request, one)
    except FhirError as error:
        return JSONResponse(error.outcome(), error.status, media_type="application/fhir+json")
    return StreamingResponse(_stream(request, board, token, one, last), media_type="text/event-stream", headers=HEADERS)


def _opened(token: str, id: str) -> Held:
    """The subscription as it stands, if the token is its owner's. Raises Unauthenticated, NotFound."""
    close_old_connections()
    actor = actor_for(token) if token else None
    if actor is None:
        raise Unauthenticated
    store = open_store(actor)
    if is_id(id):
        store.read("Subscription", id)
    one = keeping.find(store.connection, actor.tenant, key("Subscription", id)) if is_id(id) else None
    if one is None or one.owner.get("id") != actor.id or one.wanted.channel != "sse":
        raise NotFound(type="Subscription", id=id[:64])
    return one


def _last(request: Request, one: Held) -> int:
    """The number of the last event the client has; from now on, when it says nothing."""
    said = request.headers.get("last-event-id") or request.query_params.get("eventsSinceNumber") or ""
    return int(said) if said.isdecimal() and len(said) <= 18 else one.events


async def _stream(request: Request, board: Board, token: str, one: Held, last: int) -> AsyncIterator[bytes]:
    make = sync_to_async(_notification, thread_sensitive=True)
    with board.subscribed([topic_of(one.rkey)]) as queue:
        yield b"retry: 1000\n\n" + (await make(one, "handshake", last))[1]
        while not board.ended and not await request.is_disconnected():
            try:
                one = await sync_to_async(_opened, thread_sensitive=True)(token, one.id)
            except FhirError:
                return
            while last < one.events:
                last, text = await make(one, "event-notification", last)
                yield text
            try:
                await asyncio.wait_for(queue.get(), one.wanted.heartbeat or KEEP_ALIVE_SECONDS)
            except TimeoutError:
                yield (await make(one, "heartbeat", last))[1] if one.wanted.heartbeat else b": still here\n\n"


def _notification(one: Held, kind: Kind, last: int) -> tuple[int, bytes]:
    """(the number it ends with, the text of one server-sent event) of the next events after a number, or of none. As the owner sees them now."""
    with INSTALLATION.open_store(one.owner) as store:
        happened = keeping.happenings(store.connection, one, last + 1, one.events, one.wanted.at_most) if kind == "event-notification" else []
        note = bundle(one, kind, INSTALLATION.base_url, happened, store=store, content=one.wanted.content)
    end = happened[-1].number if happened else one.events if kind == "event-notification" else last
    return end, b"id: %d\nevent: %s\ndata: %s\n\n" % (end, kind.encode(), dumps(note))
