"""People who sign in, invitations to do so, and the clients that hold tokens."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
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
    """A one-time way for a patient to make their sign-in: the link's token (hashed here), and their birth date to prove it is them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField(default=1)
    token_digest = models.BinaryField(max_length=32, unique=True)
    reference = models.CharField(max_length=120)
    name = models.CharField(max_length=200)
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
