"""How fast programs may ask at the doors of OAuth: by client and address, and by address. The counters are those of the sign-in, in the database.

The plain reading of the record has no part in this: a token that was given is looked up every few seconds only.
"""

from __future__ import annotations

import datetime as dt
import zlib

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from openward.access.actor import Actor
from openward.accounts import throttle
from openward.accounts.throttle import Pace, TooFast
from openward.audit.auditor import note
from openward.record.connection import connection as wire

MINUTE = dt.timedelta(minutes=1)
CLIENTS_OF_AN_ADDRESS = 3  # as fast as this many clients may all clients of one address be together
KINDS_AT_MOST = 256  # counters of one address, whatever names it makes up
REGISTERING = Pace(30, dt.timedelta(minutes=10))
ASKING = Pace(120, MINUTE)


def of_client() -> Pace:
    return Pace(settings.OPENWARD_OAUTH_PER_MINUTE, MINUTE)


def of_address() -> Pace:
    return Pace(settings.OPENWARD_OAUTH_PER_MINUTE * CLIENTS_OF_AN_ADDRESS, MINUTE)


def client_may_ask(request: HttpRequest, door: str, client: str) -> None:
    """What a client asks too fast is not counted for its address, so that the others there go on. Raises TooFast."""
    address = _address(request)
    throttle.pace(f"{door} {zlib.crc32(client.encode()) % KINDS_AT_MOST}", address, of_client())
    throttle.pace(door, address, of_address())


def address_may_ask(request: HttpRequest, door: str, allowed: Pace) -> None:
    """Raises TooFast."""
    throttle.pace(door, _address(request), allowed)


def _address(request: HttpRequest) -> str:
    return request.META.get("REMOTE_ADDR") or "unknown"


def too_fast(request: HttpRequest, door: str, trouble: TooFast) -> None:
    """The first question too many of each minute stands on the trail; a flood of them would flood that too."""
    if trouble.is_first:
        who = Actor(
            id="client:unknown",
            name="Unknown app",
            kind="client",
            tenant=1,
            purpose="SECURITY",
            request_id=getattr(request, "request_id", None),
            address=request.META.get("REMOTE_ADDR"),
        )
        note(wire(), who, door, detail="asks too fast", outcome=4)


def told(trouble: TooFast) -> HttpResponse:
    """https://www.rfc-editor.org/rfc/rfc6585#section-4 with the error of https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1"""
    said = {"error": "temporarily_unavailable", "error_description": f"Too many requests. Ask again in {trouble.seconds} seconds."}
    return JsonResponse(said, status=429, headers={"Retry-After": str(trouble.seconds), "Cache-Control": "no-store", "Pragma": "no-cache"})
