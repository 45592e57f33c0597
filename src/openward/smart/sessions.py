"""`online_access` ends with the session: signed out here, from afar, or run out. https://docs.djangoproject.com/en/5.2/ref/signals/#post-delete"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings
from django.db.models.signals import post_delete
from django.utils import timezone

from openward.accounts.models import User
from openward.accounts.signing_out import also_ends
from openward.accounts.tokens import digest
from openward.smart.families import end
from openward.smart.models import Connection


def watch() -> None:
    """Hear of every session that is deleted, whatever kind of session this installation has."""
    kind = import_module(settings.SESSION_ENGINE).SessionStore.get_model_class()
    post_delete.connect(end_with_session, sender=kind, dispatch_uid="openward-smart-session")


def end_with_session(instance: Any, **kwargs: Any) -> None:
    for connection in Connection.objects.filter(session=digest(instance.session_key), ended_at__isnull=True):
        end(connection, why="the session ended")


@also_ends
def end_with_person(user: User) -> int:
    """Whoever is signed out everywhere: what apps hold in their name ends with it."""
    theirs = list(Connection.objects.filter(user=user, ended_at__isnull=True, expires_at__gt=timezone.now()))
    for connection in theirs:
        end(connection, why="signed out everywhere")
    return len(theirs)
