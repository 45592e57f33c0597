"""One request to authorise: where it was sent, what it asks for, and what SMART asks of it beyond OAuth 2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from oauthlib.oauth2 import InvalidRequestError
from oauthlib.oauth2.rfc6749.errors import InvalidScopeError

from openward.access.scopes import Scopes
from openward.accounts.tokens import digest
from openward.smart import prompting
from openward.smart.models import App, Launch


@dataclass(frozen=True, slots=True)
class Asking:
    """`origin` is this server as the client reached it, such as https://clinic.example."""

    origin: str

    @classmethod
    def of(cls, request: HttpRequest) -> Asking:
        return cls(f"{request.scheme}://{request.get_host()}")

    @property
    def issuer(self) -> str:
        """The FHIR base is the issuer of id_tokens too: what `aud` of a request to authorise must name."""
        return f"{self.origin}/fhir"

    @property
    def token_url(self) -> str:
        return f"{self.origin}/oauth/token"

    def check(self, request: Any) -> dict[str, Any]:
        """Raises InvalidRequestError, InvalidScopeError: told to the client by a redirect, as its address is known to be right."""
        for name in ("aud", "launch"):  # oauthlib knows neither, and has no answer for what it does not know
            setattr(request, name, getattr(request, name, None))
        if (request.aud or "").removesuffix("/") != self.issuer or "aud" in request.duplicate_params:
            raise InvalidRequestError(description="aud is not the FHIR base of this server", request=request)
        if not request.state:
            raise InvalidRequestError(description="state is missing", request=request)
        for name in ("code_challenge", "code_challenge_method", "launch", "nonce", "prompt", "max_age"):
            if name in request.duplicate_params:
                raise InvalidRequestError(description=f"{name} twice", request=request)
        prompting.check(request)
        _check_challenge(request)
        _check_contexts(request)
        return {}


def _check_challenge(request: Any) -> None:
    """An S256 challenge is 43 characters: SHA-256 in base64url without padding."""
    challenge = request.code_challenge
    if len(challenge) != 43 or not challenge.isascii() or not challenge.replace("-", "").replace("_", "").isalnum():
        raise InvalidRequestError(description="code_challenge is no S256 challenge", request=request)
    if len(request.nonce or "") > 300 or len(request.state) > 2000:
        raise InvalidRequestError(description="nonce or state is too long", request=request)


def _check_contexts(request: Any) -> None:
    contexts = request.asked.contexts
    if request.launch and "launch" not in contexts:
        raise InvalidRequestError(description="the parameter launch needs the scope launch", request=request)
    if "launch" in contexts and not request.launch and "launch/patient" not in contexts:
        raise InvalidRequestError(description="the scope launch needs the parameter launch", request=request)
    if "fhirUser" in contexts and "openid" not in contexts:
        raise InvalidScopeError(description="fhirUser needs openid", request=request)
    if {"offline_access", "online_access"} <= contexts:
        raise InvalidScopeError(description="offline_access or online_access", request=request)


def needs_patient(asked: Scopes) -> bool:
    """Whether the app works on one patient's record, so that someone must say whose."""
    return bool(asked.contexts & {"launch/patient", "launch/encounter"}) or any(scope.level == "patient" for scope in asked.resources)


def launched(app: App, user_id: object, launch: str) -> Launch | None:
    """The launch of this app by this person that is still open."""
    row = Launch.objects.filter(digest=digest(launch), app=app, user_id=str(user_id), used_at__isnull=True).first()
    return row if row is not None and row.expires_at > timezone.now() else None
