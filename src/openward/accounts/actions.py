"""Making users, inviting patients, signing in and locking out."""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
import uuid

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from openward.access.actor import Actor
from openward.accounts import factors, signing_out, throttle, young
from openward.accounts.models import LOCK_AFTER, LOCK_FOR, Invitation, User
from openward.accounts.tokens import digest

INVITATION_DAYS = 14
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


class Locked(Exception):
    """Too many wrong tries. This sign-in is locked for a quarter of an hour."""


class InvitationClosed(Exception):
    """This invitation was used, has expired or was tried too often. Ask the practice for a new one."""


class WrongBirthDate(Exception):
    """The birth date does not match the one the practice has."""


class SignInTaken(Exception):
    """Someone already signs in with this name or address. Choose another."""


def make_user(
    *, sign_in: str, password: str | None, role: str, name: str, tenant: int = 1, reference: str = "", email: str = "", check_password: bool = True
) -> User:
    """A new user; without a password they need a link to set one. Raises SignInTaken, KeyError for an unknown role, ValidationError for a weak password."""
    if User.objects.filter(sign_in=User.objects.normal(sign_in)).exists():
        raise SignInTaken
    if check_password and password is not None:
        validate_password(password, User(sign_in=sign_in, name=name))
    return User.objects.create_user(sign_in=sign_in, password=password, role=role, name=name, tenant=tenant, reference=reference, email=email)


def check_sign_in(*, sign_in: str, password: str, address: str | None = None) -> User | None:
    """The user whose sign-in and password these are, else None. Raises Locked, and TooManyTries for an address that was wrong too often.

    An unknown name costs the same statements and the same digest as a wrong password, and locks like one that is known, by the same count and no
    other, so that neither the answer nor its delay tells who exists.
    """
    throttle.refuse("address", address)
    name = User.objects.normal(sign_in)
    user = User.objects.filter(sign_in=name, is_active=True).first()
    if _is_right(user, name, password):
        if user is not None and not factors.second_factors(user):
            forgive(user)
        return user
    throttle.count("address", address, at_most=throttle.FROM_ONE_ADDRESS)
    if throttle.count("name", name):
        User.objects.filter(pk=(user or User()).pk).update(locked_until=timezone.now() + LOCK_FOR)
    return None


def _is_right(user: User | None, name: str, password: str) -> bool:
    """One digest, whoever it is; none for a name that is locked, of which both is said. Raises Locked."""
    try:
        throttle.refuse("name", name)
    except throttle.TooManyTries:
        raise Locked from None
    if user is not None and user.is_locked:
        raise Locked
    if user is None or not user.has_usable_password():
        User().set_password(password)
        return False
    return user.check_password(password)


def forgive(user: User) -> None:
    """Forget the wrong tries of who has signed in wholly. A right password alone is no reason where a second factor is asked for: its codes would be free."""
    User.objects.filter(pk=user.pk).update(failed_tries=0, locked_until=None)
    throttle.forgive("name", user.sign_in)


def check_again(user: User, password: str) -> bool:
    """Whether this is the password of who is signed in already. Raises Locked; wrong tries count."""
    user.refresh_from_db()
    if user.is_locked:
        raise Locked
    if user.check_password(password):
        return True
    count_wrong_try(user)
    return False


def count_wrong_try(user: User) -> None:
    """Of who is known by what they proved before: password, code, PIN. The fifth locks the sign-in, however long after the first."""
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=user.pk)
        row.failed_tries = (row.failed_tries + 1) % LOCK_AFTER
        if row.failed_tries == 0:
            row.locked_until = timezone.now() + LOCK_FOR
        User.objects.filter(pk=user.pk).update(failed_tries=row.failed_tries, locked_until=row.locked_until)


def unlock(user: User) -> None:
    """Let who was locked out try again at once."""
    forgive(user)


def new_code() -> str:
    """What a letter can carry and a person can type: ten letters and digits, 49 bits, none of them like another."""
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(10))
    return f"{code[:5]}-{code[5:]}"


def plain_code(typed: str) -> str:
    return "".join(letter for letter in typed.upper() if letter.isalnum())


def invite_patient(*, reference: str, name: str, by: Actor, proofed_by: str = "", role: str = "patient", code: str = "") -> tuple[Invitation, str]:
    """A one-time invitation to the portal and the token of its link. Earlier open ones of the same patient end.

    `code`, from `new_code`, opens it too, for a letter; `proofed_by` says how the practice made sure who they are.
    Raises TooYoung for a child, and InPersonOnly for a young person who would get it by message.
    """
    young.check(tenant=by.tenant, reference=reference, in_person=bool(code))
    token = secrets.token_urlsafe(24)
    now = timezone.now()
    with transaction.atomic():
        Invitation.objects.filter(tenant=by.tenant, reference=reference, accepted_at__isnull=True).update(expires_at=now)
        invitation = Invitation.objects.create(
            tenant=by.tenant,
            token_digest=digest(token),
            reference=reference,
            name=name,
            role=role,
            proofed_by=proofed_by,
            code_digest=digest(plain_code(code)) if code else None,
            made_by=by.id,
            expires_at=now + dt.timedelta(days=INVITATION_DAYS),
        )
    return invitation, token


def invite_carer(*, name: str, birth_date: str, proofed_by: str, by: Actor, code: str = "") -> tuple[Invitation, str]:
    """The same for someone who has no record here and is to look after another's. `birth_date` (ISO) is what the practice saw on their papers.

    It gives them a sign-in and no more: whose record they may look after, and how far, is said by who grants it (openward.privacy.proxies).
    """
    token = secrets.token_urlsafe(24)
    id = uuid.uuid4()
    invitation = Invitation.objects.create(
        id=id,
        tenant=by.tenant,
        token_digest=digest(token),
        reference="",
        name=name,
        proofed_by=proofed_by,
        birth_digest=_birth_digest(str(id), birth_date),
        code_digest=digest(plain_code(code)) if code else None,
        made_by=by.id,
        expires_at=timezone.now() + dt.timedelta(days=INVITATION_DAYS),
    )
    return invitation, token


def _birth_digest(salt: str, birth_date: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), f"birth\0{salt}\0{birth_date}".encode(), "sha256").hexdigest()


def is_birth_date(invitation: Invitation, birth_date: str, known: str | None) -> bool:
    """Whether the date typed is the one of the record (`known`), or the one told when a carer was invited."""
    if invitation.birth_digest:
        return secrets.compare_digest(invitation.birth_digest, _birth_digest(str(invitation.id), birth_date))
    return bool(known) and secrets.compare_digest(birth_date, str(known))


def invitation_for(token: str) -> Invitation:
    """By the token of a link or the code of a letter. Raises InvitationClosed, also for one that never was."""
    found = Q(token_digest=digest(token)) | Q(code_digest=digest(plain_code(token)))
    invitation = Invitation.objects.filter(found).first()
    if invitation is None or not invitation.is_open:
        raise InvitationClosed
    return invitation


def accept_invitation(*, token: str, birth_date: str, known_birth_date: str | None, sign_in: str, password: str) -> User:
    """Make the patient's sign-in. `known_birth_date` is the practice's (ISO). Raises InvitationClosed, WrongBirthDate, SignInTaken, ValidationError."""
    invitation = invitation_for(token)
    if not is_birth_date(invitation, birth_date, known_birth_date):
        Invitation.objects.filter(pk=invitation.pk).update(failed_tries=F("failed_tries") + 1)
        raise WrongBirthDate
    with transaction.atomic():
        locked = Invitation.objects.select_for_update().get(pk=invitation.pk)
        if not locked.is_open:
            raise InvitationClosed
        known = User.objects.select_for_update().filter(tenant=locked.tenant, reference=locked.reference).first() if locked.reference else None
        user = _anew(known, locked, sign_in, password) if known else _first_time(locked, sign_in, password)
        locked.accepted_at = timezone.now()
        locked.save(update_fields=["accepted_at"])
        return user


def _first_time(invited: Invitation, sign_in: str, password: str) -> User:
    return make_user(sign_in=sign_in, password=password, role=invited.role, name=invited.name, tenant=invited.tenant, reference=invited.reference)


def _anew(user: User, invited: Invitation, sign_in: str, password: str) -> User:
    """Who was invited before comes in by this alone: every earlier way in ends. They stay the same person to those who gave them leave or wrote their name."""
    if User.objects.filter(sign_in=User.objects.normal(sign_in)).exclude(pk=user.pk).exists():
        raise SignInTaken
    user.sign_in, user.name, user.role = User.objects.normal(sign_in), invited.name, invited.role
    user.email = user.pin = ""
    user.is_active = True
    validate_password(password, user)
    user.set_password(password)
    user.save()
    signing_out.everywhere(user)
    factors.remove_all(user)
    SocialAccount.objects.filter(user_id=user.pk).delete()
    unlock(user)
    return user
