"""Making, changing and ending sign-ins. Every change is an audit event."""

from __future__ import annotations

from django.db import transaction

from openward.access.actor import Actor
from openward.access.known import changing
from openward.access.models import Assignment
from openward.access.roles import ROLES
from openward.accounts import actions as accounts
from openward.accounts import factors, resets, signing_out
from openward.accounts.models import User
from openward.audit.auditor import note
from openward.entrance import notices
from openward.fhir.errors import Refused
from openward.record.connection import connection


class OwnSignIn(Refused):
    """You cannot end or change the role of your own sign-in: ask another administrator."""


class NoAddress(Refused):
    """There is no e-mail address to send the link to. Give a first password instead, or an address."""


def make_person(*, sign_in: str, name: str, role: str, password: str, reference: str, email: str = "", by: Actor) -> User:
    """Without a password they get a link, good for a week, to choose one. Raises SignInTaken, NoAddress, and Django's ValidationError for a weak password."""
    with transaction.atomic():
        user = accounts.make_user(
            sign_in=sign_in,
            password=password or None,
            role=role,
            name=name,
            tenant=by.tenant,
            reference=reference,
            email=email,
        )
        note(connection(), by, "make-user", detail=f"user:{user.id} as {role}")
        if not password:
            send_link(user=user, by=by, is_new=True)
        return user


def send_link(*, user: User, by: Actor, is_new: bool = False) -> None:
    """Send them the link that sets a password. Raises NoAddress."""
    if not user.mail_address:
        raise NoAddress
    with transaction.atomic():
        token = resets.begin(user, good_for=resets.SET_UP_WITHIN if is_new else resets.GOOD_FOR)
        notices.send_link(user, token, by=by, is_new=is_new)
        note(connection(), by, "send-sign-in-link", detail=f"user:{user.id}")


def remove_factors(*, user: User, by: Actor) -> None:
    """For who lost phone, passkey and recovery codes: their sessions end, and they set up anew at the next sign-in. Raises OwnSignIn."""
    _not_oneself(user, by)
    with transaction.atomic():
        factors.remove_all(user)
        signing_out.everywhere(user)
        note(connection(), by, "remove-factor", detail=f"user:{user.id} all")
        notices.tell(user, notices.Notice.ALL_REMOVED, by=by)


def sign_out_everywhere(*, user: User, by: Actor) -> int:
    """End their sessions, their visits at workstations and the tokens given in their name, all at once; how many there were."""
    with transaction.atomic():
        ended = signing_out.everywhere(user)
        note(connection(), by, "end-session", detail=f"user:{user.id} {ended}")
        return ended


def unlock(*, user: User, by: Actor) -> None:
    """Let who was locked out by wrong tries try again at once."""
    with transaction.atomic():
        accounts.unlock(user)
        note(connection(), by, "unlock-user", detail=f"user:{user.id}")


def change_role(*, user: User, role: str, by: Actor) -> None:
    """Their open sessions end, so that the new role holds at once, also in place of one of the house's own. Raises OwnSignIn."""
    _not_oneself(user, by)
    with transaction.atomic(), changing():
        user.role = ROLES[role].key
        user.save(update_fields=["role"])
        Assignment.objects.filter(tenant=user.tenant, user_id=user.pk).delete()
        signing_out.everywhere(user)
        note(connection(), by, "change-role", detail=f"user:{user.id} to {role}")


def end_sign_in(*, user: User, by: Actor) -> None:
    """They cannot sign in any more and are signed out everywhere. Raises OwnSignIn."""
    _not_oneself(user, by)
    with transaction.atomic():
        user.is_active = False
        user.save(update_fields=["is_active"])
        signing_out.everywhere(user)
        note(connection(), by, "end-user", detail=f"user:{user.id}")


def restore_sign_in(*, user: User, by: Actor) -> None:
    with transaction.atomic():
        user.is_active = True
        user.save(update_fields=["is_active"])
        accounts.unlock(user)
        note(connection(), by, "restore-user", detail=f"user:{user.id}")


def _not_oneself(user: User, by: Actor) -> None:
    if by.user_id == str(user.pk):
        raise OwnSignIn
