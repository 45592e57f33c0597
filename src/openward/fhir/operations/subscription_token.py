"""FHIR Subscription `$get-ws-binding-token`: refused, since this server speaks no WebSocket.

https://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition-backport-subscription-get-ws-binding-token.html
"""

from __future__ import annotations

from typing import Any

from openward.fhir.errors import FhirError
from openward.fhir.operations.registry import Call, operation

URL = "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-get-ws-binding-token"


class NoWebSocket(FhirError):
    """This server offers no WebSocket. Subscribe by rest-hook, email or sse."""

    status = 501
    code = "not-supported"


@operation("get-ws-binding-token", on=("type", "instance"), types=("Subscription",), needs="read", url=URL)
def token(call: Call) -> dict[str, Any]:
    """Always refused, with the channels that are there."""
    raise NoWebSocket
