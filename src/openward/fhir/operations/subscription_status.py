"""FHIR Subscription `$status`: how subscriptions stand, without an event being due.

https://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition-backport-subscription-status.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openward.fhir.ids import key
from openward.fhir.operations.registry import Call, operation
from openward.fhir.resources import Resource
from openward.fhir.subscriptions import held
from openward.fhir.subscriptions.notifications import status_of

URL = "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-status"
AT_MOST = 200


@operation("status", on=("type", "instance"), types=("Subscription",), needs="read", url=URL)
def status(call: Call) -> dict[str, Any]:
    """A searchset of one status for each subscription asked for that the caller may see."""
    found = [call.store.read("Subscription", call.id)] if call.id else _asked(call)
    wanted = set() if call.id else {str(value) for value in call.parameters.all("status")}
    keys = [key("Subscription", str(resource.id)) for resource in found]
    kept = held.those(call.store.connection, call.store.tenant, keys)
    entries = [
        {"resource": status_of(one, "query-status", call.url), "search": {"mode": "match"}}
        for one in (kept[rkey] for rkey in keys if rkey in kept)
        if not wanted or one.state in wanted
    ]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), **({"entry": entries} if entries else {})}


def _asked(call: Call) -> Sequence[Resource]:
    """Those named, or all: the guide's words are that without ids the status is "for all Subscriptions available to the caller" (200 here)."""
    ids = [str(id).removeprefix("Subscription/") for id in call.parameters.all("id")][:AT_MOST]
    if ids:
        return call.store.read_many([("Subscription", id) for id in ids])
    return list(call.store.search("Subscription", {"_count": str(AT_MOST)}))
