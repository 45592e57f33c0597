"""What a person is written when something about their sign-in changed: so that the one who did not do it hears of it."""

from __future__ import annotations

from enum import Enum

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openward.access.actor import Actor
from openward.accounts.models import User
from openward.outbox.actions import send
from openward.record import unit_of_work


class Notice(Enum):
    PASSWORD = gettext_lazy("the password was changed")
    APP = gettext_lazy("an authenticator app was added")
    PASSKEY = gettext_lazy("a passkey was added")
    REMOVED = gettext_lazy("a passkey or an authenticator app was removed")
    CODES = gettext_lazy("new recovery codes were made")
    RECOVERY = gettext_lazy("a recovery code was used")
    ALL_REMOVED = gettext_lazy("an administrator removed all passkeys and authenticator apps")
    ELSEWHERE = gettext_lazy("another sign-in was connected")


def tell(person: User, what: Notice, *, by: Actor) -> None:
    """By e-mail, where one is known. Says nothing but that, and nothing of anyone's health."""
    if not person.mail_address:
        return
    body = _("On your Openward sign-in {what}. If this was not you, set a new password at {link} and tell your practice.")
    words = body.format(what=what.value, link=settings.OPENWARD_PUBLIC_URL + reverse("accounts:forgot"))
    with unit_of_work(by=by) as work:
        send(work, to=person.mail_address, kind="sign-in-changed", channel="email", title=_("Your sign-in was changed"), body=words)


def send_link(person: User, token: str, *, by: Actor, is_new: bool = False) -> None:
    """The link that sets a password; for someone new it is their invitation."""
    link = settings.OPENWARD_PUBLIC_URL + reverse("accounts:reset", args=[token])
    body = (
        _("You can sign in to Openward as {name}. Choose your password within a week: {link}")
        if is_new
        else _(
            "Someone asked to set a new password for your Openward sign-in {name}. If it was you, open {link} within the hour. If not, do nothing."
        )
    )
    title = _("Your Openward sign-in") if is_new else _("A new password")
    with unit_of_work(by=by) as work:
        send(work, to=person.mail_address, kind="sign-in-link", channel="email", title=title, body=body.format(name=person.sign_in, link=link))
