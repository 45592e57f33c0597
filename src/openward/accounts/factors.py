"""What a person proves themselves with besides a password: an authenticator app, passkeys, recovery codes.

The rows are django-allauth's `Authenticator`, passkeys are its WebAuthn over `fido2`. The secret of an authenticator app stands sealed in the database;
which of its codes was used last stands beside it, so that no code works twice in any worker (RFC 6238 §5.2). Recovery codes are kept as digests and
go when they are used.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from openward.accounts.models import User
from openward.keys.sealing import seal, unseal

PERIOD = 30
DRIFT = 1
RECOVERY_CODES = 10
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
KINDS = Authenticator.Type


class WrongCode(Exception):
    """This is not the code. Each code works once; wait for the next one."""


def second_factors(user: User) -> set[str]:
    """Which kinds of second factor a person has; recovery codes alone are none."""
    kinds = Authenticator.objects.filter(user_id=user.pk, type__in=(KINDS.TOTP, KINDS.WEBAUTHN)).values_list("type", flat=True)
    return set(kinds)


def is_required(user: User) -> bool:
    """Whether this person's role may only sign in with a second factor or a passkey (`OPENWARD_MFA_ROLES`)."""
    roles: frozenset[str] = settings.OPENWARD_MFA_ROLES
    return user.role in roles or ("staff" in roles and user.actor().kind == "staff")


# An authenticator app


def new_secret() -> str:
    """160 random bits in base 32, as authenticator apps take them."""
    return generate_totp_secret()


def secret_address(user: User, secret: str) -> str:
    """What the square code says. https://github.com/google/google-authenticator/wiki/Key-Uri-Format"""
    return get_adapter().build_totp_url(user, secret)


def seal_secret(user: User, secret: str) -> str:
    return seal("factors", secret, about=("totp", str(user.pk)), tenant=user.tenant)


def unseal_secret(user: User, sealed: str) -> str:
    return unseal("factors", sealed, about=("totp", str(user.pk)), tenant=user.tenant)


def add_app(user: User, secret: str, code: str) -> None:
    """Raises WrongCode unless the app already shows the right code. Another app of theirs is replaced."""
    step = _step_of(secret, code, after=-1)
    with transaction.atomic():
        Authenticator.objects.filter(user_id=user.pk, type=KINDS.TOTP).delete()
        Authenticator.objects.create(
            user=user, type=KINDS.TOTP, data={"secret": seal_secret(user, secret), "used": step}, last_used_at=timezone.now()
        )


def check_app(user: User, code: str) -> None:
    """Raises WrongCode, also for a code that was right and was used before, here or in another worker."""
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().filter(user_id=user.pk, type=KINDS.TOTP).first()
        if row is None:
            raise WrongCode
        row.data["used"] = _step_of(unseal_secret(user, row.data["secret"]), code, after=row.data["used"])
        row.last_used_at = timezone.now()
        row.save(update_fields=["data", "last_used_at"])


def _step_of(secret: str, code: str, *, after: int) -> int:
    """The half minute whose code this is, if it is later than `after`; clocks may differ by one."""
    now = int(time.time()) // PERIOD
    typed = "".join(code.split())
    for step in range(max(now - DRIFT, after + 1), now + DRIFT + 1):
        if hmac.compare_digest(format_hotp_value(hotp_value(secret, step)).encode(), typed.encode()):
            return step
    raise WrongCode


# Recovery codes


def new_recovery_codes(user: User) -> list[str]:
    """Ten codes of 49 bits, told once; the ones before no longer work."""
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        Authenticator.objects.filter(user_id=user.pk, type=KINDS.RECOVERY_CODES).delete()
        Authenticator.objects.create(user=user, type=KINDS.RECOVERY_CODES, data={"digests": [_recovery_digest(user, code) for code in codes]})
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def check_recovery(user: User, code: str) -> int:
    """Use a recovery code up; how many are left. Raises WrongCode."""
    digest = _recovery_digest(user, code.lower().replace("-", "").replace(" ", ""))
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().filter(user_id=user.pk, type=KINDS.RECOVERY_CODES).first()
        if row is None or digest not in row.data["digests"]:
            raise WrongCode
        row.data["digests"].remove(digest)
        row.last_used_at = timezone.now()
        row.save(update_fields=["data", "last_used_at"])
        return len(row.data["digests"])


def recovery_codes_left(user: User) -> int:
    row = Authenticator.objects.filter(user_id=user.pk, type=KINDS.RECOVERY_CODES).first()
    return len(row.data["digests"]) if row else 0


def _recovery_digest(user: User, code: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), f"recovery\0{user.pk}\0{code}".encode(), hashlib.sha256).hexdigest()


# All of them


def of(user: User) -> list[Authenticator]:
    return list(Authenticator.objects.filter(user_id=user.pk).exclude(type=KINDS.RECOVERY_CODES).order_by("created_at"))


def remove(user: User, id: int) -> Authenticator:
    """Take one factor away; recovery codes go with the last. Raises Authenticator.DoesNotExist for one that is not theirs."""
    with transaction.atomic():
        row = Authenticator.objects.exclude(type=KINDS.RECOVERY_CODES).get(pk=id, user_id=user.pk)
        row.delete()
        if not second_factors(user):
            Authenticator.objects.filter(user_id=user.pk).delete()
    return row


def remove_all(user: User) -> int:
    """For who lost them all: they sign in with their password and enrol anew. How many there were."""
    return Authenticator.objects.filter(user_id=user.pk).delete()[0]


def name_of(row: Authenticator) -> str:
    return str(row.data.get("name", "")) if row.type == KINDS.WEBAUTHN else ""
