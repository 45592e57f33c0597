"""Shared workstations: who signed in wholly there may come back with a short PIN for the rest of the shift.

A station is a browser that someone made one: it holds a random name in a signed cookie. A PIN is worth nothing without it.
Three wrong PINs end the visit: then it takes a whole sign-in.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from openward.accounts.models import StationVisit, User
from openward.accounts.tokens import digest

LEAST_DIGITS, MOST_DIGITS = 4, 12
WRONG_PINS = 3


class WrongPin(Exception):
    """This is not the PIN. After three wrong ones it takes a whole sign-in."""


def set_pin(user: User, pin: str) -> None:
    """Raises ValidationError for one that is no PIN or that anybody would try first. An empty one takes the PIN away."""
    if pin:
        _judge(pin)
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(pin=make_password(pin) if pin else "")
        if not pin:
            StationVisit.objects.filter(user=user).delete()


def _judge(pin: str) -> None:
    if not (pin.isdecimal() and pin.isascii() and LEAST_DIGITS <= len(pin) <= MOST_DIGITS):
        raise ValidationError(_("A PIN is 4 to 12 digits."))
    steps = {(ord(after) - ord(before)) % 10 for before, after in zip(pin, pin[1:], strict=False)}
    if len(steps) == 1 and steps <= {0, 1, 9}:
        raise ValidationError(_("This PIN is among the first that anybody would try. Choose another."))


def visit(station: str, user: User) -> None:
    """They signed in wholly at this station, and have a PIN."""
    until = timezone.now() + dt.timedelta(hours=settings.OPENWARD_STATION_HOURS)
    StationVisit.objects.update_or_create(station=digest(station), user=user, defaults={"until": until, "wrong_pins": 0})


def leave(station: str, user: User, at: str) -> None:
    """They step aside and will come back to this page."""
    StationVisit.objects.filter(station=digest(station), user=user).update(left_at=at[:500])


def visitors(station: str) -> list[StationVisit]:
    """Who may come back here with a PIN, by name."""
    open_ = StationVisit.objects.filter(station=digest(station), until__gt=timezone.now(), user__is_active=True).exclude(user__pin="")
    return list(open_.select_related("user").order_by("user__name"))


def come_back(station: str, user_id: str, pin: str) -> StationVisit:
    """The visit of who typed the right PIN. Raises WrongPin, also for who never was here or is locked out."""
    with transaction.atomic():
        row = _visit_of(station, user_id)
        is_right = row is not None and not row.user.is_locked and check_password(pin, row.user.pin)
        if row is not None and not is_right:
            row.wrong_pins += 1
            row.save(update_fields=["wrong_pins"]) if row.wrong_pins < WRONG_PINS else row.delete()
    if row is None or not is_right:
        raise WrongPin
    StationVisit.objects.filter(pk=row.pk).update(wrong_pins=0)
    return row


def _visit_of(station: str, user_id: str) -> StationVisit | None:
    try:
        rows = StationVisit.objects.select_for_update(of=("self",)).select_related("user")
        return rows.filter(station=digest(station), user_id=user_id, until__gt=timezone.now(), user__is_active=True).exclude(user__pin="").first()
    except ValidationError:
        return None


def is_pin_of(user: User, pin: str) -> bool:
    return bool(user.pin) and check_password(pin, user.pin)


def forget_old() -> int:
    return StationVisit.objects.filter(until__lt=timezone.now()).delete()[0]
