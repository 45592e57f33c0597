"""A nurse, her password, and a browser at an address where passkeys work."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client

from openward.accounts.actions import make_user
from openward.accounts.models import User
from openward.audit.models import AuditEvent
from openward.web.gate import PROVED_AT
from tests.entrance.authenticator import Authenticator

PASSWORD = "correct horse battery"
SIGN_IN = "/account/sign-in"
INSIDE = "/desk/mine"


@pytest.fixture
def nurse() -> User:
    return make_user(sign_in="nurse@example.org", password=PASSWORD, role="nurse", name="Nell Night")


@pytest.fixture
def browser() -> Client:
    """At `localhost`, where a browser does WebAuthn without TLS."""
    return Client(headers={"host": "localhost"})


def signs_in(client: Client, user: User, *, next: str = "", password: str = PASSWORD) -> Any:
    return client.post(SIGN_IN, {"sign_in": user.sign_in, "password": password, **({"next": next} if next else {})})


def is_inside(client: Client) -> bool:
    return client.get(INSIDE).status_code == 200


def grows_stale(client: Client) -> None:
    """A quarter of an hour passes since the last whole proof."""
    session = client.session
    session[PROVED_AT] = time.time() - 16 * 60
    session.save()


def events(interaction: str, outcome: int = 0, detail: str = "") -> int:
    found = AuditEvent.objects.filter(interaction=interaction, outcome=outcome)
    return (found.filter(detail__contains=detail) if detail else found).count()


def options(client: Client, purpose: str) -> Any:
    return client.post("/account/passkey/options", {"for": purpose}).json()


def has_passkey(client: Client, **kind: Any) -> Authenticator:
    """Who is signed in here makes a passkey; the authenticator that holds it."""
    key = Authenticator(**kind)
    answer = client.post("/account/set-up/passkey", {"credential": key.creates(options(client, "add")), "name": "my key"})
    assert answer.status_code in (200, 303), answer.content.decode()
    return key
