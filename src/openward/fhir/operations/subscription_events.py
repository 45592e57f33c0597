"""FHIR Subscription `$events`: what a subscriber may have missed, told once more.

https://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition-backport-subscription-events.html
"""

from __future__ import annotations

from typing import Any

from openward.fhir.errors import BadRequest, NotFound
from openward.fhir.ids import key
from openward.fhir.operations.registry import Call, operation
from openward.fhir.subscriptions import held
from openward.fhir.subscriptions.notifications import bundle, content_of

URL = "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-events"
AT_MOST = 1000


@operation("events", on=("instance",), types=("Subscription",), needs="read", url=URL)
def events(call: Call) -> dict[str, Any]:
    """A notification of type query-event, with what the caller may see now. At most a thousand events; ask on with eventsSinceNumber."""
    assert call.id
    call.store.read("Subscription", call.id)
    one = held.find(call.store.connection, call.store.tenant, key("Subscription", call.id))
    if one is None:
        raise NotFound(type="Subscription", id=call.id)
    first, last = _number(call, "eventsSinceNumber", 1), _number(call, "eventsUntilNumber", one.events)
    happened = held.happenings(call.store.connection, one, first, last, AT_MOST)
    content = content_of(one.wanted, call.parameters.text("content"))
    return bundle(one, "query-event", call.url, happened, store=call.store, content=content)


def _number(call: Call, name: str, otherwise: int) -> int:
    value = call.parameters.value(name)
    if value is None:
        return otherwise
    if not str(value).isdecimal() or len(str(value)) > 18:
        raise BadRequest(f"{name} is the number of an event.")
    return int(value)
