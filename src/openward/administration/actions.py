"""Making, changing and ending sign-ins. Every change is an audit event."""

from __future__ import annotations

from django.contrib.sessions.models import Session
from django.db import transaction

from openward.access.actor import Actor
from openward.access.roles import ROLES
from openward.accounts import actions as accounts
from openward.accounts.models import User
from openward.audit.auditor import note
from openward.fhir.errors import Refused
from openward.record.connection import connection


class OwnSignIn(Refused):
    """You cannot end or change the role of your own sign-in: ask another administrator."""


def make_person(*, sign_in: str, name: str, role: str, password: str, reference: str, by: Actor) -> User:
    """Raises SignInTaken and Django's ValidationError for a weak password."""
    with transaction.atomic():
        user = accounts.make_user(sign_in=sign_in, password=password, role=role, name=name, tenant=by.tenant, reference=reference)
        note(connection(), by, "make-user", detail=f"user:{user.id} as {role}")
        return user


def change_role(*, user: User, role: str, by: Actor) -> None:
    """Their open sessions end, so that the new role holds at once. Raises OwnSignIn."""
    _not_oneself(user, by)
    with transaction.atomic():
        user.role = ROLES[role].key
        user.save(update_fields=["role"])
        end_sessions(user)
        note(connection(), by, "change-role", detail=f"user:{user.id} to {role}")


def end_sign_in(*, user: User, by: Actor) -> None:
    """They cannot sign in any more and are signed out everywhere. Raises OwnSignIn."""
    _not_oneself(user, by)
    with transaction.atomic():
        user.is_active = False
        user.save(update_fields=["is_active"])
        end_sessions(user)
        note(connection(), by, "end-user", detail=f"user:{user.id}")


def restore_sign_in(*, user: User, by: Actor) -> None:
    with transaction.atomic():
        user.is_active = True
        user.save(update_fields=["is_active"])
        accounts.unlock(user)
        note(connection(), by, "restore-user", detail=f"user:{user.id}")


def end_sessions(user: User) -> int:
    """Sign this person out everywhere; how many sessions there were."""
    theirs = [session.pk for session in Session.objects.iterator() if session.get_decoded().get("_auth_user_id") == str(user.pk)]
    Session.objects.filter(pk__in=theirs).delete()
    return len(theirs)


def _not_oneself(user: User, by: Actor) -> None:
    if by.user_id == str(user.pk):
        raise OwnSignIn
