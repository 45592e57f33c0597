"""The grants of SMART, put together from oauthlib's: authorization code with PKCE S256 only, refresh with rotation, client credentials.

https://hl7.org/fhir/smart-app-launch/app-launch.html https://www.rfc-editor.org/rfc/rfc6749 https://www.rfc-editor.org/rfc/rfc7636
"""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from oauthlib.oauth2.rfc6749.endpoints import AuthorizationEndpoint, IntrospectEndpoint, RevocationEndpoint, TokenEndpoint
from oauthlib.oauth2.rfc6749.grant_types import AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant
from oauthlib.oauth2.rfc6749.grant_types.authorization_code import code_challenge_method_s256
from oauthlib.oauth2.rfc6749.tokens import BearerToken

from openward.smart import lifetimes
from openward.smart.context import Asking
from openward.smart.told import told
from openward.smart.validator import Validator


def new_token(request: Any = None) -> str:
    """256 random bits, as text."""
    return secrets.token_urlsafe(32)


class CodeGrant(AuthorizationCodeGrant):
    """PKCE by S256 only: a challenge without a method would be plain, and plain is no proof."""

    _code_challenge_methods: ClassVar[dict[str, Any]] = {"S256": code_challenge_method_s256}

    def create_authorization_code(self, request: Any) -> dict[str, str]:
        code = {"code": new_token()}
        return {**code, "state": request.state} if request.state else code

    def prepare_authorization_response(self, request: Any, token: Any, headers: Any, body: Any, status: int) -> Any:
        """By query only: what stands behind a `#` is read by scripts of the page."""
        request.response_mode = "query"
        return super().prepare_authorization_response(request, token, headers, body, status)


class Grants:
    """The four endpoints for one request to the server at `issuer` (the FHIR base) and `origin`."""

    def __init__(self, asking: Asking) -> None:
        self.asking = asking
        self.validator = Validator(frozenset({asking.token_url, asking.issuer}), asking.issuer)
        bearer = BearerToken(self.validator, new_token, _seconds, new_token)
        self._code = CodeGrant(self.validator, post_auth=[asking.check])
        refresh = RefreshTokenGrant(self.validator)
        alone = ClientCredentialsGrant(self.validator)
        for grant in (self._code, refresh):
            grant.register_token_modifier(self._told)
        grants = {"authorization_code": self._code, "refresh_token": refresh, "client_credentials": alone}
        self.authorization = AuthorizationEndpoint("code", bearer, {"code": self._code})
        # A grant type that is none of ours goes to the refresh grant, whose first check refuses every other name.
        self.token = TokenEndpoint("refresh_token", bearer, grants)
        self.introspection = IntrospectEndpoint(self.validator)
        self.revocation = RevocationEndpoint(self.validator)

    def _told(self, token: dict[str, Any], handler: Any, request: Any) -> dict[str, Any]:
        return told(token, request.connection, self.asking.issuer)


def _seconds(request: Any) -> int:
    lives = lifetimes.BACKEND if request.grant_type == "client_credentials" else lifetimes.access()
    return int(lives.total_seconds())
