"""Setting a new password by a link. Whoever asks gets the same answer; only the letter tells whether there is someone."""

from __future__ import annotations

import datetime as dt
import secrets

from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from openward.accounts import actions, signing_out
from openward.accounts.models import Reset, User
from openward.accounts.tokens import digest

GOOD_FOR = dt.timedelta(hours=1)
SET_UP_WITHIN = dt.timedelta(days=7)
AT_ONCE = 3


class ResetClosed(Exception):
    """This link was used or has expired. Ask for a new one."""


def begin(user: User, *, good_for: dt.timedelta = GOOD_FOR) -> str:
    """The token of a new link."""
    token = secrets.token_urlsafe(32)
    now = timezone.now()
    Reset.objects.create(token_digest=digest(token), user=user, expires_at=now + good_for)
    return token


def asked_for(name: str) -> str:
    """The id of who has this sign-in name or address; empty for nobody."""
    plain = User.objects.normal(name)
    user = User.objects.filter(Q(sign_in=plain) | Q(email__iexact=plain), is_active=True).order_by("made_at").first()
    return str(user.pk) if user else ""


def may_be_written_to(id: str) -> User | None:
    """The user, unless they have no address or were written to three times within the hour already."""
    user = User.objects.filter(pk=id, is_active=True).first()
    if user is None or not user.mail_address:
        return None
    return user if Reset.objects.filter(user=user, made_at__gt=timezone.now() - GOOD_FOR).count() < AT_ONCE else None


def open_reset(token: str) -> User:
    """Whose link this is. Raises ResetClosed, also for a token that never was."""
    row = Reset.objects.filter(token_digest=digest(token), used_at__isnull=True, expires_at__gt=timezone.now(), user__is_active=True).first()
    if row is None:
        raise ResetClosed
    return row.user


def finish(token: str, password: str) -> User:
    """Set the password: the link is used up, others of theirs too, every session ends, and a lock-out ends. Second factors stay.

    Raises ResetClosed and Django's ValidationError.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=open_reset(token).pk)
        open_reset(token)
        validate_password(password, user)
        user.set_password(password)
        user.save(update_fields=["password"])
        Reset.objects.filter(user=user, used_at__isnull=True).update(used_at=timezone.now())
        signing_out.everywhere(user)
        actions.unlock(user)
    return user
