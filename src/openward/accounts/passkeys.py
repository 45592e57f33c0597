"""Passkeys: WebAuthn credentials that know their person and ask for their finger, face or PIN. One is a whole sign-in.

https://www.w3.org/TR/webauthn-3/ — the ceremony is django-allauth's over `fido2`; here are its edges: what is asked, and that whatever a browser sends
ends in a passkey or in WrongPasskey. The challenge is in the session, works once, and `request` must be the one allauth's middleware knows.
"""

from __future__ import annotations

import json
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth as ceremony
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from openward.accounts.models import User

PASSKEYS_AT_MOST = 20
LARGEST = 64 * 2**10
BROKEN = (ValidationError, ValueError, KeyError, TypeError, AttributeError, IndexError)


class WrongPasskey(Exception):
    """This passkey was not accepted. Try again, or sign in another way."""


def ask_to_make(user: User) -> dict[str, Any]:
    """What `navigator.credentials.create` takes, as JSON."""
    return ceremony.begin_registration(user, True)


def make(user: User, name: str, answer: str) -> Authenticator:
    """Keep the passkey the browser made. Raises WrongPasskey."""
    credential = _read(answer)
    try:
        ceremony.complete_registration(credential)
    except BROKEN as wrong:
        raise WrongPasskey from wrong
    finally:
        ceremony.clear_state()
    if Authenticator.objects.filter(user_id=user.pk).count() >= PASSKEYS_AT_MOST:
        raise WrongPasskey
    row: Authenticator = ceremony.WebAuthn.add(user, name, credential).instance
    return row


def ask_for(user: User | None = None) -> dict[str, Any]:
    """What `navigator.credentials.get` takes, as JSON: any passkey of this site, or one of this person's."""
    return ceremony.begin_authentication(user)


def check(answer: str, *, user: User | None = None) -> User:
    """Whose passkey signed the challenge; with `user`, nobody else's will do. Raises WrongPasskey."""
    credential = _read(answer)
    try:
        found = user if user is not None else ceremony.extract_user_from_response(credential)
        used = ceremony.complete_authentication(found, credential)
        _count(used, ceremony.parse_authentication_response(credential).response.authenticator_data)
    except BROKEN as wrong:
        raise WrongPasskey from wrong
    finally:
        ceremony.clear_state()
    if not isinstance(found, User) or not found.is_active:
        raise WrongPasskey
    return found


def _count(used: Authenticator, said: Any) -> None:
    """A counter that does not go up means that the key was copied. Passkeys that are shared between devices always say 0. WebAuthn §6.1.1."""
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=used.pk)
        if said.counter and said.counter <= row.data.get("counter", 0):
            raise WrongPasskey
        row.data["counter"] = said.counter
        row.last_used_at = timezone.now()
        row.save(update_fields=["data", "last_used_at"])


def _read(answer: str) -> dict[str, Any]:
    try:
        credential = json.loads(answer) if len(answer) <= LARGEST else None
    except ValueError:
        credential = None
    if not isinstance(credential, dict):
        raise WrongPasskey
    return credential
