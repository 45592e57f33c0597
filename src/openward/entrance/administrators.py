"""Who has the first word on a new installation, and who gets back in when nobody can: made at the server's own command line, by a link that works once."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection as django_connection
from django.db import transaction
from django.urls import reverse

from openward.access.actor import Actor
from openward.accounts import actions, factors, resets, signing_out
from openward.accounts.models import Reset, User
from openward.audit.auditor import note
from openward.entrance import notices
from openward.record.connection import connection

ROLE = "administrator"
GOOD_FOR = dt.timedelta(hours=24)


class AdministratorThere(Exception):
    """{name} is an administrator already. They add others under People; if they cannot get in, run `openward administrator recover {name}`."""

    def __init__(self, name: str) -> None:
        super().__init__((type(self).__doc__ or "").format(name=name))


class NoAdministrator(Exception):
    """No administrator who may sign in has this name. There are: {names}."""

    def __init__(self, names: str) -> None:
        super().__init__((type(self).__doc__ or "").format(names=names or "none"))


class NoName(Exception):
    """A sign-in name is an e-mail address, or letters and digits without spaces; a person's name is not empty."""


def administrators() -> list[User]:
    return list(User.objects.filter(role=ROLE, is_active=True).order_by("made_at"))


def first(*, sign_in: str, name: str) -> str:
    """The address where the first administrator chooses their password, within a day and once. While nobody has, it may be asked for again, and the link before ends.

    Raises AdministratorThere, NoName, SignInTaken.
    """
    plain = _checked(sign_in, name)
    by = _operator()
    with transaction.atomic():
        _one_at_a_time()
        there = administrators()
        if (other := next((one for one in there if one.has_usable_password() or one.sign_in != plain), None)) is not None:
            raise AdministratorThere(other.sign_in)
        user = there[0] if there else actions.make_user(sign_in=plain, password=None, role=ROLE, name=name.strip())
        note(connection(), by, "make-user" if not there else "send-sign-in-link", detail=f"user:{user.id} as {ROLE}, at the command line")
        return _link(user)


def recover(*, sign_in: str) -> str:
    """The same for an administrator who cannot get in: their second factors, password, sessions and lock are gone, and they are told. Raises NoAdministrator."""
    by = _operator()
    with transaction.atomic():
        _one_at_a_time()
        there = administrators()
        user = next((one for one in there if one.sign_in == User.objects.normal(sign_in)), None)
        if user is None:
            raise NoAdministrator(", ".join(one.sign_in for one in there))
        factors.remove_all(user)
        user.set_unusable_password()
        user.save(update_fields=["password"])
        signing_out.everywhere(user)
        actions.unlock(user)
        note(connection(), by, "remove-factor", detail=f"user:{user.id} all, and the password, at the command line")
        notices.tell(user, notices.Notice.ALL_REMOVED, by=by)
        return _link(user)


def _checked(sign_in: str, name: str) -> str:
    """Raises NoName."""
    plain = User.objects.normal(sign_in)
    try:
        if "@" in plain:
            validate_email(plain)
    except ValidationError:
        raise NoName(NoName.__doc__) from None
    if not plain or not plain.isprintable() or " " in plain or len(plain) > 150 or not 0 < len(name.strip()) <= 200 or not name.isprintable():
        raise NoName(NoName.__doc__)
    return plain


def _operator() -> Actor:
    return Actor(id="system:command line", name="The operator, at the command line", kind="system", tenant=1, purpose="SECURITY")


def _one_at_a_time() -> None:
    with django_connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended('openward administrators', 0))")


def _link(user: User) -> str:
    Reset.objects.filter(user=user).delete()
    return str(settings.OPENWARD_PUBLIC_URL + reverse("accounts:reset", args=[resets.begin(user, good_for=GOOD_FOR)]))
