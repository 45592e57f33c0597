"""People who sign in, invitations to do so, and the clients that hold tokens."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone

from openward.access.actor import Actor
from openward.access.roles import ROLES
from openward.access.scopes import Scopes

LOCK_AFTER = 5
LOCK_FOR = dt.timedelta(minutes=15)


class UserManager(BaseUserManager["User"]):
    def create_user(self, *, sign_in: str, password: str | None, role: str, name: str, tenant: int = 1, reference: str = "", **fields: Any) -> User:
        """Raises KeyError for a role that does not exist."""
        user = self.model(sign_in=self.normal(sign_in), role=ROLES[role].key, name=name, tenant=tenant, reference=reference, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(sign_in=self.normal(username or ""))

    @staticmethod
    def normal(sign_in: str) -> str:
        """Sign-in names do not differ by case or by space at the ends."""
        return sign_in.strip().casefold()


class User(AbstractBaseUser):
    """Someone who signs in. Their role decides; `reference` is their Practitioner or Patient."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField(default=1)
    sign_in = models.CharField(max_length=150, unique=True)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=40, choices=[(key, role.title) for key, role in ROLES.items()])
    reference = models.CharField(max_length=120, blank=True)
    email = models.EmailField(max_length=254, blank=True)
    pin = models.CharField(max_length=128, blank=True)
    is_active = models.BooleanField(default=True)
    failed_tries = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "sign_in"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name", "role"]
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints = (
            models.CheckConstraint(name="user_role_known", condition=models.Q(role__in=list(ROLES))),
            models.UniqueConstraint(name="one_user_per_record", fields=("tenant", "reference"), condition=~models.Q(reference="")),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.role})"

    @property
    def is_locked(self) -> bool:
        return self.locked_until is not None and self.locked_until > timezone.now()

    @property
    def mail_address(self) -> str:
        """Where letters about the sign-in itself go; empty when nobody said. A sign-in name that is an address is one."""
        return self.email or (self.sign_in if "@" in self.sign_in else "")

    def actor(self) -> Actor:
        kind = "patient" if self.role == "patient" else "staff"
        return Actor(
            id=f"user:{self.id}",
            name=self.name,
            kind=kind,  # type: ignore[arg-type]
            tenant=self.tenant,
            role=self.role,
            reference=self.reference or None,
            user_id=str(self.id),
        )


class Invitation(models.Model):
    """A one-time way for a patient or their proxy to make their sign-in: the link's token or the code of a letter (hashed here), and their birth date.

    `proofed_by` is how the practice made sure whom it invites; `reference` is whose record it is (`Patient/<id>`), empty for
    someone who has none here and looks after others'; `birth_digest` is then what the practice was told, under a keyed hash.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField(default=1)
    token_digest = models.BinaryField(max_length=32, unique=True)
    reference = models.CharField(max_length=120)
    name = models.CharField(max_length=200)
    code_digest = models.BinaryField(max_length=32, unique=True, null=True, blank=True)
    role = models.CharField(max_length=40, default="patient")
    proofed_by = models.CharField(max_length=40, blank=True)
    birth_digest = models.CharField(max_length=64, blank=True)
    made_by = models.CharField(max_length=200)
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    failed_tries = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"invitation for {self.reference}"

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.expires_at > timezone.now() and self.failed_tries < LOCK_AFTER


class Session(AbstractBaseSession):
    """A browser in which someone is signed in. What people see of it stands in columns: whose it is, from where, with what, since when, last seen."""

    user_id = models.UUIDField(null=True, db_index=True)
    address = models.GenericIPAddressField(null=True)
    device = models.CharField(max_length=80, blank=True)
    method = models.CharField(max_length=120, blank=True)
    began_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "accounts_session"

    @classmethod
    def get_session_store_class(cls) -> type[Any]:
        from openward.accounts.sessions import SessionStore

        return SessionStore

    @property
    def handle(self) -> str:
        """Names the session on a page without giving its key away: whoever has the key has the session."""
        return hashlib.sha256(b"session\0" + self.session_key.encode()).hexdigest()[:32]


class Tries(models.Model):
    """Wrong tries at one door by one name or from one address, kept under a keyed hash: what was typed there may have been a password."""

    key = models.BinaryField(max_length=32, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    since = models.DateTimeField(default=timezone.now)
    locked_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.count} tries"


class Reset(models.Model):
    """A one-time link by which a person sets a new password. Only the digest of its token is kept."""

    token_digest = models.BinaryField(max_length=32, primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"reset of {self.user_id}"


class StationVisit(models.Model):
    """Who signed in fully at a shared workstation not long ago and may come back there with their PIN; `left_at` is the page they left."""

    station = models.BinaryField(max_length=32)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    until = models.DateTimeField()
    wrong_pins = models.PositiveSmallIntegerField(default=0)
    left_at = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(name="one_visit_per_person_and_station", fields=("station", "user")),)

    def __str__(self) -> str:
        return f"visit of {self.user_id}"


class ClientToken(models.Model):
    """A bearer token of a client program. Only its SHA-256 is kept."""

    digest = models.BinaryField(max_length=32, primary_key=True)
    tenant = models.IntegerField(default=1)
    client = models.CharField(max_length=100)
    scope = models.TextField()
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"token of {self.client}"

    def actor(self) -> Actor:
        return Actor(
            id=f"client:{self.client}", name=self.client, kind="client", tenant=self.tenant, scopes=Scopes.parse(self.scope), purpose="TREAT"
        )
