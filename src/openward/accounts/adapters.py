"""What django-allauth is told about this installation: nobody signs up by themselves, and how passkeys name us."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest


class NoSignUp(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class Factors(DefaultMFAAdapter):
    """A passkey is bound to the host it was made at. https://www.w3.org/TR/webauthn-3/#relying-party-identifier"""

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        host = urlsplit(f"//{context.request.get_host()}").hostname or ""
        return {"id": host, "name": "Openward"}

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        return {"id": user.pk.hex.encode(), "display_name": user.name, "name": user.sign_in}
