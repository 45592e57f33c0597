"""Families of tokens: everything that follows from one agreement, kept, shortened and ended together."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from openward.access.actor import Actor
from openward.access.scopes import CONTEXTS, Scopes
from openward.accounts import sessions
from openward.accounts.tokens import digest, forget
from openward.audit.auditor import note
from openward.record.connection import connection as wire
from openward.smart import lifetimes
from openward.smart.models import AccessToken, App, Connection, RefreshToken, bound


def locked(id: UUID) -> Connection:
    """The connection, ours until the transaction ends: two uses of one token are one after the other."""
    return Connection.objects.select_for_update(of=("self",)).select_related("app", "user").get(id=id)


def alone(app: App, scope: str) -> Connection:
    """A program's own: without a person, as long as its token."""
    return Connection.objects.create(tenant=app.tenant, app=app, scope=scope, expires_at=timezone.now() + lifetimes.BACKEND)


def keep(token: dict[str, Any], connection: Connection, *, spent: RefreshToken | None) -> None:
    """Keep the digests of new tokens; the refresh token they were asked for with is spent."""
    now = timezone.now()
    lives = lifetimes.BACKEND if connection.user_id is None else lifetimes.access()
    AccessToken.objects.create(digest=digest(token["access_token"]), connection=connection, scope=token["scope"], expires_at=now + lives)
    if spent is not None:
        spent.used_at = now
        spent.save(update_fields=["used_at"])
    if "refresh_token" in token:
        contexts = connection.scopes.contexts
        end = connection.made_at + lifetimes.longest()
        lasts = min(now + lifetimes.refresh(contexts), end)
        RefreshToken.objects.create(digest=digest(token["refresh_token"]), connection=connection, expires_at=lasts)
        connection.expires_at = min(now + lifetimes.connection(contexts), end)
    connection.used_at = now
    connection.save(update_fields=["used_at", "expires_at"])


def has_its_session(connection: Connection) -> bool:
    """What was given for as long as the person is signed in; one that ran out is over before it is cleared away."""
    if connection.session is None or connection.user is None:
        return connection.session is None
    return any(digest(one.session_key) == bytes(connection.session) for one in sessions.of(connection.user))


def end(connection: Connection, *, why: str, by: Actor | None = None) -> None:
    """No token of this family works any more. Ended twice, the first reason stays."""
    if connection.ended_at is not None:
        return
    with transaction.atomic():
        connection.ended_at, connection.ended_why = timezone.now(), why
        connection.save(update_fields=["ended_at", "ended_why"])
        note(wire(), by or watch(connection.tenant), "end-app-connection", detail=f"app:{connection.app_id} connection:{connection.id} {why}")
    forget()


def end_all(app: App, *, why: str, by: Actor) -> int:
    """End every connection of an app; how many."""
    theirs = list(Connection.objects.filter(app=app, ended_at__isnull=True, expires_at__gt=timezone.now()))
    for connection in theirs:
        end(connection, why=why, by=by)
    return len(theirs)


def narrow(connection: Connection, scope: str, *, by: Actor) -> None:
    """Leave less of what was agreed to, at once for every token. Raises InvalidScope, and ValueError for more than there was."""
    wanted = bound(connection, scope)
    if not connection.scopes.covers(wanted):
        raise ValueError("An agreement is only ever narrowed.")
    with transaction.atomic():
        connection.scope = wanted.text
        connection.save(update_fields=["scope"])
        for token in AccessToken.objects.filter(connection=connection, revoked_at__isnull=True, expires_at__gt=timezone.now()):
            _shorten(token, wanted)
        note(wire(), by, "narrow-app-connection", detail=f"app:{connection.app_id} connection:{connection.id}")
    forget()


def _shorten(token: AccessToken, wanted: Scopes) -> None:
    """What the token and the agreement both say; a token of which nothing is left ends."""
    held = Scopes.parse(token.scope, ("patient", "user"), CONTEXTS)
    words = [word for word in held.text.split(" ") if _is_in(wanted, word)]
    words += [word for word in wanted.text.split(" ") if word not in CONTEXTS and _is_in(held, word)]
    if words:
        token.scope = " ".join(dict.fromkeys(words))
    else:
        token.revoked_at = timezone.now()
    token.save(update_fields=["scope", "revoked_at"])


def _is_in(scopes: Scopes, word: str) -> bool:
    return scopes.covers(Scopes.parse(word, ("patient", "user"), CONTEXTS))


def give_back(key: bytes, app: App) -> None:
    token = AccessToken.objects.filter(digest=key, connection__app=app, revoked_at__isnull=True).first()
    if token is not None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        forget()
        return
    refresh = RefreshToken.objects.filter(digest=key, connection__app=app).first()
    if refresh is not None:
        end(locked(refresh.connection_id), why="given back by the app")


def watch(tenant: int) -> Actor:
    """Who is on record for what the server does by itself to keep tokens safe."""
    return Actor(id="system:smart", name="Openward (apps)", kind="system", tenant=tenant, purpose="SECURITY")
