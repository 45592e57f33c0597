"""What a subscriber is sent: a history Bundle that begins with the subscription's status.

https://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition-backport-subscription-notification-r4.html
What an event is about is read as the owner, now: what they may not see any more is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from openward.fhir.definitions import type_name
from openward.fhir.ids import new_id
from openward.fhir.resources import Resource
from openward.fhir.subscriptions.held import Happening, Held
from openward.fhir.subscriptions.terms import BACKPORT, Terms
from openward.fhir.versions import instant, now

if TYPE_CHECKING:
    from openward.fhir.store import Store

Kind = Literal["handshake", "heartbeat", "event-notification", "query-status", "query-event"]
METHODS = {"C": "POST", "U": "PUT", "D": "DELETE"}
STATUSES = {"C": "201", "U": "200", "D": "204"}


def bundle(held: Held, kind: Kind, base: str, events: Sequence[Happening] = (), *, store: Store | None = None, content: str = "") -> dict[str, Any]:
    """The notification. `content` is empty, id-only or full-resource; anything but empty needs the owner's store."""
    is_empty = content == "empty"
    seen = visible(store, events) if store is not None and not is_empty else {}
    status = status_of(held, kind, base, events, focused=seen, names_topic=not is_empty)
    first = {
        "fullUrl": f"urn:uuid:{new_id()}",
        "resource": status,
        "request": {"method": "GET", "url": f"{base}/Subscription/{held.id}/$status"},
        "response": {"status": "200"},
    }
    is_full = content == "full-resource"
    entries = [first, *(_entry(event, base, seen[event.number] if is_full and event.op != "D" else None) for event in events if event.number in seen)]
    return {
        "resourceType": "Bundle",
        "id": new_id(),
        "meta": {"profile": [BACKPORT + "backport-subscription-notification-r4"]},
        "type": "history",
        "timestamp": instant(now()),
        "entry": entries,
    }


def status_of(
    held: Held, kind: Kind, base: str, events: Sequence[Happening] = (), focused: Mapping[int, Any] | None = None, *, names_topic: bool = True
) -> dict[str, Any]:
    """The SubscriptionStatus, which in R4 is a Parameters. An empty notification "SHOULD NOT" name its topic, which tells what it is about."""
    terms = held.wanted
    parameters: list[dict[str, Any]] = [
        {"name": "subscription", "valueReference": {"reference": f"{base}/Subscription/{held.id}"}},
        *([] if terms.is_plain or not names_topic else [{"name": "topic", "valueCanonical": terms.criteria}]),
        {"name": "status", "valueCode": held.state},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": str(held.events)},
        *(_event(event, base, focused or {}) for event in events),
    ]
    if held.error:
        parameters.append({"name": "error", "valueCodeableConcept": {"text": held.error}})
    return {
        "resourceType": "Parameters",
        "id": new_id(),
        "meta": {"profile": [BACKPORT + "backport-subscription-status-r4"]},
        "parameter": parameters,
    }


def visible(store: Store, events: Sequence[Happening]) -> dict[int, Mapping[str, Any] | None]:
    """Event number → the resource as it stands, None for one that is gone; what the owner may not see is not among them."""
    wanted = [(type_name(event.rtype), event.id) for event in events]
    standing = {f"{one.resourceType}/{one.id}": one for one in store.read_many(dict.fromkeys(wanted))}
    found: dict[int, Mapping[str, Any] | None] = {}
    for event in events:
        type = type_name(event.rtype)
        resource: Resource | None = standing.get(f"{type}/{event.id}")
        if resource is not None:
            found[event.number] = resource.data
        elif (where := store.policy.where(store.actor, "read", type)) is not None and where.everything:
            found[event.number] = None  # deleted, by this event or since
    return found


def _event(event: Happening, base: str, focused: Mapping[int, Any]) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"name": "event-number", "valueString": str(event.number)},
        {"name": "timestamp", "valueInstant": instant(event.at)},
    ]
    if event.number in focused:
        parts.append({"name": "focus", "valueReference": {"reference": f"{base}/{type_name(event.rtype)}/{event.id}"}})
    return {"name": "notification-event", "part": parts}


def _entry(event: Happening, base: str, resource: Mapping[str, Any] | None) -> dict[str, Any]:
    type = type_name(event.rtype)
    url = type if event.op == "C" else f"{type}/{event.id}"
    entry: dict[str, Any] = {"fullUrl": f"{base}/{type}/{event.id}"}
    if resource is not None:
        entry["resource"] = resource
    return {**entry, "request": {"method": METHODS[event.op], "url": url}, "response": {"status": STATUSES[event.op]}}


def content_of(terms: Terms, asked: str | None = None) -> str:
    """How much a notification holds: as much as the subscription says, or less if less is asked for."""
    order = ("empty", "id-only", "full-resource")
    return order[min(order.index(terms.content), order.index(asked))] if asked in order else terms.content
