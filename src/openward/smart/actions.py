"""What an administrator does with apps, and a person with what they have connected. Every one is an audit event."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from openward.access.actor import Actor
from openward.accounts.tokens import digest
from openward.audit.auditor import note
from openward.record.connection import connection as wire
from openward.smart import families, words
from openward.smart.grants import new_token
from openward.smart.models import App, Connection


def approve(*, app: App, for_staff: bool, for_patients: bool, by: Actor) -> None:
    """From now on it works, for these people."""
    with transaction.atomic():
        app.for_staff, app.for_patients = for_staff, for_patients
        if app.approved_at is None:
            app.approved_at, app.approved_by = timezone.now(), by.name
        app.ended_at = None
        app.save(update_fields=["for_staff", "for_patients", "approved_at", "approved_by", "ended_at"])
        note(wire(), by, "approve-app", detail=f"app:{app.client_id} staff:{for_staff} patients:{for_patients}")


def end(*, app: App, by: Actor) -> int:
    """It works no longer, and neither does any of its tokens; how many connections that were."""
    with transaction.atomic():
        app.ended_at = timezone.now()
        app.save(update_fields=["ended_at"])
        ended = families.end_all(app, why="the practice ended the app", by=by)
        note(wire(), by, "end-app", detail=f"app:{app.client_id} connections:{ended}")
        return ended


def new_secret(*, app: App, by: Actor) -> str:
    """A new secret, shown this once; the old one works no longer. Raises ValueError for an app that has none."""
    if app.kind != App.Kind.SECRET:
        raise ValueError("This app has no secret.")
    secret = new_token()
    with transaction.atomic():
        app.secret_digest = digest(secret)
        app.save(update_fields=["secret_digest"])
        note(wire(), by, "new-app-secret", detail=f"app:{app.client_id}")
    return secret


def withdraw(*, connection: Connection, by: Actor) -> None:
    families.end(connection, why="withdrawn by the person", by=by)


def leave_only(*, connection: Connection, picked: set[str], by: Actor) -> None:
    """Take back what was not picked; with nothing left the connection ends. Raises ValueError for more than there was."""
    scopes = connection.scopes
    assert connection.user is not None
    resources = words.taken(scopes, connection.user.role, picked)
    if not resources:
        withdraw(connection=connection, by=by)
        return
    contexts = [word for word in scopes.text.split(" ") if word in scopes.contexts]
    families.narrow(connection, " ".join([*contexts, *resources]), by=by)
