"""Telling a subscriber what happened: in order, again and again with growing pauses while they do not answer, and not for ever.

https://hl7.org/fhir/uv/subscriptions-backport/channels.html
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

from psycopg import Connection

from openward.fhir.errors import FhirError, PreconditionFailed
from openward.fhir.json import dumps
from openward.fhir.outgoing import Unreachable, send
from openward.fhir.subscriptions import feed, held
from openward.fhir.subscriptions.desk import Desk
from openward.fhir.subscriptions.held import Happening, Held
from openward.fhir.subscriptions.notifications import Kind, bundle, visible
from openward.fhir.subscriptions.terms import about_header
from openward.fhir.versions import now

TRIES = 8  # the last after some four minutes, then the subscription is in error
FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 3600.0
SHAKES = 3  # tries of a handshake
MAIL = """Something you asked to be told of has happened at {base}.

{count} new event(s), the last is number {last}. Sign in to see what it is: {base}/Subscription/{id}/$events
This message holds nothing about anyone."""


def tell(connection: Connection[Any], tenant: int, key: UUID, desk: Desk) -> None:
    """Send what is not told yet, or shake hands first; say of one in error that it is. `connection` commits by itself.

    Another job at the same subscription: nothing happens.
    """
    with _alone(connection, key) as alone:
        one = held.find(connection, tenant, key) if alone else None
        while one is not None and _is_due(one) and _step(connection, one, desk):
            one = held.find(connection, tenant, key)
        if one is not None and one.state == "error":
            _show_state(one, desk, "error", one.error)


def _is_due(one: Held) -> bool:
    waiting = one.next_try is not None and one.next_try > now()
    shakes = one.state == "requested" and (one.ends is None or one.ends > now())
    return not waiting and (shakes or (one.state == "active" and one.delivered < one.events))


def _step(connection: Connection[Any], one: Held, desk: Desk) -> bool:
    """One message; whether it is the next one's turn."""
    if one.state == "requested":
        return _attempt(connection, one, desk, "handshake", [])
    events = held.happenings(connection, one, one.delivered + 1, one.events, one.wanted.at_most)
    return _attempt(connection, one, desk, "event-notification", events)


def beat(connection: Connection[Any], tenant: int, key: UUID, desk: Desk) -> None:
    """A heartbeat, if one is due: nothing was sent for the subscription's period."""
    with _alone(connection, key) as alone:
        one = held.find(connection, tenant, key) if alone else None
        if one is not None and one.state == "active" and one.delivered >= one.events and _is_quiet(one):
            _attempt(connection, one, desk, "heartbeat", [])


def _is_quiet(one: Held) -> bool:
    period = one.wanted.heartbeat
    waiting = one.next_try is not None and one.next_try > now()
    return bool(period) and not waiting and (one.last_sent is None or now() - one.last_sent >= dt.timedelta(seconds=period))


def _attempt(connection: Connection[Any], one: Held, desk: Desk, kind: Kind, events: Sequence[Happening]) -> bool:
    """Whether it is the next message's turn. What became of one to a subscription that was stored anew meanwhile says nothing of the new one."""
    try:
        _send(one, desk, kind, events)
    except (Unreachable, FhirError) as trouble:
        return _failed(connection, one, desk, str(trouble), final=isinstance(trouble, FhirError))
    values: dict[str, Any] = {"tries": 0, "next_try": None, "error": "", "last_sent": now()}
    if kind == "event-notification":
        values["delivered"] = events[-1].number if events else one.events
    if held.change(connection, one, **values) and kind == "handshake":
        activate(connection, one, desk)
    return True


def activate(connection: Connection[Any], one: Held, desk: Desk) -> None:
    """From now on what happens is counted for it, if it was not already."""
    with connection.transaction():
        feed.begin(connection, one.tenant)
        if not held.change(connection, one, state="active", since=one.since or now()):
            return
    feed.forget_listeners()
    _show_state(one, desk, "active", "")


def _send(one: Held, desk: Desk, kind: Kind, events: Sequence[Happening]) -> None:
    """Raises Unreachable, and Forbidden when the owner is nobody any more."""
    terms = one.wanted
    with desk.open_store(one.owner) as store:
        if terms.channel == "sse":
            desk.show(one.tenant, one.rkey)
        elif terms.channel == "email":
            _mail(one, desk, events)
        elif terms.is_plain:
            for event in events:
                _send_plainly(one, desk, store, event)
        else:
            note = bundle(one, kind, desk.base_url, events, store=store, content=terms.content)
            _post(one, desk, "POST", terms.endpoint, dumps(note))


def _mail(one: Held, desk: Desk, events: Sequence[Happening]) -> None:
    if events:
        words = MAIL.format(base=desk.base_url, count=len(events), last=events[-1].number, id=one.id)
        desk.send_mail(one.tenant, one.wanted.endpoint, f"Subscription/{one.id}", words)


def _send_plainly(one: Held, desk: Desk, store: Any, event: Happening) -> None:
    """As R4 has it: an empty POST, or the resource itself by PUT. https://hl7.org/fhir/R4/subscription.html#2.46.7.1"""
    terms = one.wanted
    seen = visible(store, [event])
    if terms.content != "full-resource":
        _post(one, desk, "POST", terms.endpoint, b"")
    elif (resource := seen.get(event.number)) is not None:
        _post(one, desk, "PUT", f"{terms.endpoint.rstrip('/')}/{resource['resourceType']}/{resource['id']}", dumps(resource))


def _post(one: Held, desk: Desk, method: str, url: str, body: bytes) -> None:
    terms = one.wanted
    headers = {name.strip(): _in_clear(one, desk, name, value.strip()) for name, _, value in (line.partition(":") for line in terms.headers)}
    if body:  # what is sent is said by this server alone, in whatever case the client wrote the header
        headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        headers["Content-Type"] = terms.payload or "application/fhir+json"
    answer = send(method, url, body, headers, seconds=terms.timeout, allowed=desk.allowed)
    if not 200 <= answer.status < 300:
        raise Unreachable(f"The endpoint answered {answer.status}.")


def _in_clear(one: Held, desk: Desk, name: str, value: str) -> str:
    try:
        return desk.unseal(one.tenant, value, about_header(one.id, one.wanted.endpoint, name))
    except ValueError:
        raise Unreachable(f"The header {name[:40]} cannot be unsealed here.") from None


def _failed(connection: Connection[Any], one: Held, desk: Desk, words: str, *, final: bool) -> bool:
    """Try again after a pause, or give the subscription up; whether it was stored anew, and has its turn now."""
    tries = one.tries + 1
    if final or tries >= (SHAKES if one.state == "requested" else TRIES):
        if not held.change(connection, one, state="error", error=words, tries=tries, next_try=None):
            return True
        feed.forget_listeners()
        _show_state(one, desk, "error", words)
        return False
    pause = min(FIRST_PAUSE_SECONDS * 2 ** (tries - 1), LONGEST_PAUSE_SECONDS)
    if not held.change(connection, one, tries=tries, error=words, next_try=now() + dt.timedelta(seconds=pause)):
        return True
    desk.tell_later(one.tenant, one.rkey, seconds=pause)
    return False


def _show_state(one: Held, desk: Desk, state: str, error: str) -> None:
    """Write how it stands into the Subscription resource, where clients look. One that its owner stores at the same moment stays as they store it."""
    with desk.own_store(one.tenant) as store:
        resource = store.find("Subscription", one.id)
        if resource is None:
            return
        data = {name: value for name, value in resource.data.items() if name != "error"}
        with suppress(PreconditionFailed):
            store.update({**data, "status": state, **({"error": error} if error else {})}, if_match=int(data["meta"]["versionId"]))


def end(connection: Connection[Any], one: Held, desk: Desk) -> None:
    """Its time is over."""
    if held.change(connection, one, state="off"):
        feed.forget_listeners()
        _show_state(one, desk, "off", "")


@contextmanager
def _alone(connection: Connection[Any], key: UUID) -> Iterator[bool]:
    """Hold the subscription for this connection, so that its messages leave one after the other."""
    number = key.int & (2**63 - 1)
    row = connection.execute("select pg_try_advisory_lock(%s)", (number,)).fetchone()
    alone = bool(row and row[0])
    try:
        yield alone
    finally:
        if alone and not connection.closed:
            connection.execute("select pg_advisory_unlock(%s)", (number,))
