"""Apps, who connected them, and their tokens. Of codes, tokens and secrets only the SHA-256 is kept."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import ClassVar
from urllib.parse import urlsplit

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from openward.access.scopes import CONTEXTS, Scopes
from openward.accounts.models import User

EVERY_LEVEL = ("patient", "user", "system")


class App(models.Model):
    """A program of someone else's. It works once an administrator has approved it, within the scopes they approved."""

    class Kind(models.TextChoices):
        PUBLIC = "public", _("Public: runs in a browser or on a phone and can keep no secret")
        SECRET = "secret", _("Confidential: a server that keeps a secret")
        KEYS = "keys", _("Confidential: a server that signs with its own key (recommended)")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField(default=1)
    name = models.CharField(max_length=100)
    about = models.CharField(max_length=400, blank=True)
    publisher = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    secret_digest = models.BinaryField(max_length=32, null=True)
    jwks = models.JSONField(null=True, blank=True)
    jwks_uri = models.CharField(max_length=500, blank=True)
    redirect_uris = ArrayField(models.CharField(max_length=500), default=list, blank=True)
    launch_url = models.CharField(max_length=500, blank=True)
    scope = models.TextField()
    for_staff = models.BooleanField(default=False)
    for_patients = models.BooleanField(default=False)
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.CharField(max_length=200)
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="app_kind_known", condition=Q(kind__in=["public", "secret", "keys"])),
            models.CheckConstraint(name="app_secret_only_of_its_kind", condition=Q(kind="secret") | Q(secret_digest__isnull=True)),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def client_id(self) -> str:
        return str(self.id)

    @property
    def is_open(self) -> bool:
        """Whether it works: approved, and not ended."""
        return self.approved_at is not None and self.ended_at is None

    @property
    def scopes(self) -> Scopes:
        return Scopes.parse(self.scope, EVERY_LEVEL, CONTEXTS)

    @property
    def is_interactive(self) -> bool:
        return bool(self.redirect_uris)

    @property
    def acts_alone(self) -> bool:
        """Whether it may ask for tokens of its own, without a person. https://hl7.org/fhir/smart-app-launch/backend-services.html"""
        return self.kind == self.Kind.KEYS and any(scope.level == "system" for scope in self.scopes.resources)

    @property
    def origins(self) -> set[str]:
        """Where its pages are, of those that run in browsers."""
        parts = [urlsplit(url) for url in [*self.redirect_uris, self.launch_url] if url]
        return {f"{part.scheme}://{part.netloc}" for part in parts if part.scheme in ("https", "http")}

    def is_for(self, user: User) -> bool:
        return self.tenant == user.tenant and (self.for_patients if user.role == "patient" else self.for_staff)


class Launch(models.Model):
    """The opaque `launch` of an app started here: for one app, one person and one patient, once, for a few minutes."""

    digest = models.BinaryField(max_length=32, primary_key=True)
    app = models.ForeignKey(App, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    patient = models.CharField(max_length=64, blank=True)
    encounter = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"launch of {self.app_id}"


class Asked(models.Model):
    """A request to authorise that came by POST, kept until the person is here with their session."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    query = models.TextField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"asked {self.id}"


class Connection(models.Model):
    """What one person let one app do (or a program itself, then without a person): every token that follows from it is its family."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.IntegerField(default=1)
    app = models.ForeignKey(App, on_delete=models.PROTECT, related_name="connections")
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True)
    scope = models.TextField()
    patient = models.CharField(max_length=64, blank=True)
    encounter = models.CharField(max_length=64, blank=True)
    nonce = models.CharField(max_length=300, blank=True)
    session = models.BinaryField(max_length=32, null=True)
    signed_in_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("tenant", "user", "app"), name="connection_of_user"),
            models.Index(fields=("session",), name="connection_of_session", condition=Q(session__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.app_id} for {self.user_id}"

    @property
    def stands(self) -> bool:
        now = timezone.now()
        person = self.user is None or (self.user.is_active and self.app.is_for(self.user))
        return self.ended_at is None and self.expires_at > now and self.app.is_open and person

    @property
    def scopes(self) -> Scopes:
        return bound(self, self.scope)


class Code(models.Model):
    """An authorization code: once, for a minute, for the client, the redirect address and the verifier it was made for."""

    LIVES: ClassVar[dt.timedelta] = dt.timedelta(seconds=60)

    digest = models.BinaryField(max_length=32, primary_key=True)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE)
    redirect_uri = models.CharField(max_length=500)
    challenge = models.CharField(max_length=128)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"code of {self.connection_id}"


class RefreshToken(models.Model):
    """Good for one use; a second use means that someone else has it too."""

    digest = models.BinaryField(max_length=32, primary_key=True)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE)
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"refresh token of {self.connection_id}"


class AccessToken(models.Model):
    digest = models.BinaryField(max_length=32, primary_key=True)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE)
    scope = models.TextField()
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"access token of {self.connection_id}"


class Assertion(models.Model):
    """A signed statement a client has used to prove itself: never a second time."""

    app = models.ForeignKey(App, on_delete=models.CASCADE)
    jti = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(name="assertion_once", fields=("app", "jti")),)

    def __str__(self) -> str:
        return f"assertion of {self.app_id}"


def bound(connection: Connection, scope: str) -> Scopes:
    """The scopes of a token of this connection, bound to its patient and its app."""
    levels = ("system",) if connection.user_id is None else ("patient", "user")
    return Scopes.parse(scope, levels, CONTEXTS).bound_to(patient=connection.patient or None, app=str(connection.app_id))
