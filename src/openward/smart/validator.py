"""What oauthlib asks of this installation: clients, scopes, codes and tokens. Default deny: what is not answered here is refused by oauthlib.

https://oauthlib.readthedocs.io/en/latest/oauth2/server.html
"""

from __future__ import annotations

import hmac
import re
from typing import Any

from django.utils import timezone
from oauthlib.oauth2 import RequestValidator

from openward.access.scopes import CONTEXTS, InvalidScope, Scopes
from openward.accounts.tokens import digest
from openward.smart import clients, families
from openward.smart.assertions import NotProven
from openward.smart.models import AccessToken, App, Code, Connection, RefreshToken
from openward.smart.told import who_it_is

VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


class Validator(RequestValidator):
    """For one request at the FHIR base `issuer`. `audiences` are the addresses that a client may have signed its assertion for; `app` is who proved itself, `refusal` why it was not believed."""

    def __init__(self, audiences: frozenset[str] = frozenset(), issuer: str = "") -> None:
        super().__init__()
        self.audiences, self.issuer = audiences, issuer
        self.refusal: str | None = None
        self.app: App | None = None

    # -- clients ------------------------------------------------------------------------------------------------------

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Always asked; `authenticate_client` lets a public client in by its name."""
        return True

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        sent = clients.credentials(dict(request.decoded_body or []), request.headers.get("Authorization"))
        try:
            request.client = self.app = clients.authenticated(sent, self.audiences)
        except NotProven as failure:
            self.refusal = str(failure)
            return False
        request.client_id = request.client.client_id
        return True

    def validate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        request.client = clients.known(client_id)
        return request.client is not None

    def validate_grant_type(self, client_id: str, grant_type: str, client: App, request: Any, *args: Any, **kwargs: Any) -> bool:
        if grant_type == "client_credentials":
            return client.acts_alone
        return grant_type in ("authorization_code", "refresh_token") and client.is_interactive

    # -- the request to authorise -------------------------------------------------------------------------------------

    def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Letter for letter one of those registered."""
        return redirect_uri in request.client.redirect_uris

    def get_default_redirect_uri(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> None:
        return None

    def validate_response_type(self, client_id: str, response_type: str, client: App, request: Any, *args: Any, **kwargs: Any) -> bool:
        return response_type == "code" and client.is_interactive

    def is_pkce_required(self, client_id: str, request: Any) -> bool:
        return True

    def get_default_scopes(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        return []

    def validate_scopes(self, client_id: str, scopes: list[str], client: App, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Known, of the right level for the grant, and none that was not approved for this app."""
        alone = request.grant_type == "client_credentials"
        try:
            asked = Scopes.parse(request.scope or "", ("system",) if alone else ("patient", "user"), frozenset() if alone else CONTEXTS)
        except InvalidScope:
            return False
        request.asked = asked
        request.scopes = asked.text.split(" ")
        return client.scopes.covers(asked)

    def save_authorization_code(self, client_id: str, code: dict[str, str], request: Any, *args: Any, **kwargs: Any) -> None:
        Code.objects.create(
            digest=digest(code["code"]),
            connection=request.connection,
            redirect_uri=request.redirect_uri,
            challenge=request.code_challenge,
            expires_at=timezone.now() + Code.LIVES,
        )

    # -- the code -----------------------------------------------------------------------------------------------------

    def validate_code(self, client_id: str, code: str, client: App, request: Any, *args: Any, **kwargs: Any) -> bool:
        """A code is spent by being shown, whatever comes of it; shown twice, everything that came of it ends."""
        row = Code.objects.select_for_update().filter(digest=digest(code)).first()
        if row is None:
            return False
        connection = families.locked(row.connection_id)
        if row.used_at is not None:
            families.end(connection, why="code used twice")
            return False
        row.used_at = timezone.now()
        row.save(update_fields=["used_at"])
        if row.expires_at <= timezone.now() or connection.app_id != client.id or not connection.stands:
            return False
        request.code_row, request.connection, request.user = row, connection, connection.user
        request.scopes = connection.scope.split(" ")
        return VERIFIER.fullmatch(request.code_verifier or "") is not None

    def get_code_challenge(self, code: str, request: Any) -> str:
        return str(request.code_row.challenge)

    def get_code_challenge_method(self, code: str, request: Any) -> str:
        return "S256"

    def confirm_redirect_uri(self, client_id: str, code: str, redirect_uri: str, client: App, request: Any, *args: Any, **kwargs: Any) -> bool:
        return hmac.compare_digest(redirect_uri.encode(), request.code_row.redirect_uri.encode()) and not request.using_default_redirect_uri

    def invalidate_authorization_code(self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any) -> None:
        """It was spent when it was shown."""

    # -- refreshing ---------------------------------------------------------------------------------------------------

    def validate_refresh_token(self, refresh_token: str, client: App, request: Any, *args: Any, **kwargs: Any) -> bool:
        """One that was used before is in two hands: the whole family ends."""
        row = RefreshToken.objects.select_for_update().filter(digest=digest(refresh_token)).first()
        if row is None:
            return False
        connection = families.locked(row.connection_id)
        if connection.app_id != client.id:
            families.end(connection, why="refresh token shown by another client")
            return False
        if row.used_at is not None:
            families.end(connection, why="refresh token used twice")
            return False
        if not families.has_its_session(connection):
            families.end(connection, why="the session ended")
            return False
        if row.expires_at <= timezone.now() or not connection.stands:
            return False
        request.refresh_row, request.connection, request.user = row, connection, connection.user
        return True

    def get_original_scopes(self, refresh_token: str, request: Any, *args: Any, **kwargs: Any) -> str:
        return str(request.connection.scope)

    def is_within_original_scope(self, request_scopes: list[str], refresh_token: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Fewer scopes may be asked for than were agreed to, and narrower ones, never others."""
        try:
            asked = Scopes.parse(" ".join(request_scopes), ("patient", "user"), CONTEXTS)
        except InvalidScope:
            return False
        return bool(request.connection.scopes.covers(asked))

    def rotate_refresh_token(self, request: Any) -> bool:
        return True

    # -- tokens -------------------------------------------------------------------------------------------------------

    def save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        if getattr(request, "connection", None) is None:
            request.connection = families.alone(request.client, token["scope"])
        families.keep(token, request.connection, spent=getattr(request, "refresh_row", None))

    def revoke_token(self, token: str, token_type_hint: str | None, request: Any, *args: Any, **kwargs: Any) -> None:
        """An access token ends alone, a refresh token takes its family along. Another client's is left as it is, and nothing is said of it."""
        families.give_back(digest(token), request.client)

    def introspect_token(self, token: str, token_type_hint: str | None, request: Any, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Told to a client that can prove itself, of its own tokens only."""
        if request.client.kind == App.Kind.PUBLIC:
            return None
        key = digest(token)
        row = AccessToken.objects.filter(digest=key, revoked_at__isnull=True).select_related("connection__app", "connection__user").first()
        if row is not None:
            return _described(row.connection, row.scope, row, request.client, self.issuer)
        refresh = RefreshToken.objects.filter(digest=key, used_at__isnull=True).select_related("connection__app", "connection__user").first()
        return _described(refresh.connection, refresh.connection.scope, refresh, request.client, self.issuer) if refresh is not None else None


def _described(connection: Connection, scope: str, row: AccessToken | RefreshToken, client: App, issuer: str) -> dict[str, Any] | None:
    """https://hl7.org/fhir/smart-app-launch/token-introspection.html"""
    if connection.app_id != client.id or not connection.stands or row.expires_at <= timezone.now():
        return None
    told = {
        "scope": scope,
        "client_id": client.client_id,
        "token_type": "Bearer",
        "exp": int(row.expires_at.timestamp()),
        "iat": int(row.made_at.timestamp()),
        "sub": str(connection.user_id or client.client_id),
        "patient": connection.patient,
        "encounter": connection.encounter,
        **(who_it_is(connection, issuer) if "openid" in connection.scopes.contexts else {}),
    }
    return {name: value for name, value in told.items() if value != ""}
