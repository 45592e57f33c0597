"""From an access token to the actor it speaks for. Asked once every few seconds for a token that is in use."""

from __future__ import annotations

from dataclasses import replace

from django.utils import timezone

from openward.access.actor import Actor
from openward.accounts.tokens import Found
from openward.smart.models import AccessToken, App, Connection, bound


def look_up(key: bytes) -> Found | None:
    """Whose token this is; None for one that is not known, has expired, or whose connection, app or person has ended."""
    row = AccessToken.objects.filter(digest=key, revoked_at__isnull=True).select_related("connection__app", "connection__user").first()
    if row is None or not row.connection.stands:
        return None
    left = (min(row.expires_at, row.connection.expires_at) - timezone.now()).total_seconds()
    return Found(actor(row.connection, row.scope), left) if left > 0 else None


def actor(connection: Connection, scope: str) -> Actor:
    """The person, through the app, within the scopes; or the program itself."""
    app, scopes = connection.app, bound(connection, scope)
    if connection.user is None:
        return Actor(id=f"client:{app.client_id}", name=app.name, kind="client", tenant=app.tenant, scopes=scopes)
    person = connection.user.actor()
    return replace(person, name=f"{person.name} (app: {app.name})", scopes=scopes)


def stands(actor: Actor) -> bool | None:
    """Whether an actor of ours may still act, for work that outlives its token; None for one that is not ours.

    A program may come for another token at any time: it stands as long as its app does, for what the app may still ask for.
    """
    if actor.scopes is None or actor.scopes.app is None:
        return None
    if actor.kind == "client":
        app = App.objects.filter(id=actor.scopes.app).first()
        return app is not None and app.is_open and app.acts_alone and app.scopes.covers(actor.scopes)
    patient = actor.scopes.patient or ""
    theirs = Connection.objects.filter(app_id=actor.scopes.app, user_id=actor.user_id or "", patient=patient, ended_at__isnull=True)
    return any(one.stands and one.scopes.covers(actor.scopes) for one in theirs.select_related("app", "user"))
