"""FHIR Subscription `$status`: how subscriptions stand, without an event being due.

https://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition-backport-subscription-status.html
"""

from __future__ import annotations

from typing import Any

from openward.fhir.ids import key
from openward.fhir.operations.registry import Call, operation
from openward.fhir.subscriptions import held
from openward.fhir.subscriptions.notifications import status_of

URL = "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-status"
AT_MOST = 200


@operation("status", on=("type", "instance"), types=("Subscription",), needs="read", url=URL)
def status(call: Call) -> dict[str, Any]:
    """A searchset of one status for each subscription asked for that the caller may see."""
    asked = [call.id] if call.id else [str(id).removeprefix("Subscription/") for id in call.parameters.all("id")][:AT_MOST]
    wanted = {str(value) for value in call.parameters.all("status")}
    found = call.store.read_many([("Subscription", id) for id in asked]) if not call.id else [call.store.read("Subscription", call.id)]
    entries = []
    for resource in found:
        one = held.find(call.store.connection, call.store.tenant, key("Subscription", str(resource.id)))
        if one is not None and (not wanted or one.state in wanted):
            entries.append({"resource": status_of(one, "query-status", call.url), "search": {"mode": "match"}})
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), **({"entry": entries} if entries else {})}
