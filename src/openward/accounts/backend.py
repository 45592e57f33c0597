"""Who a session is of: Django's own backend, but for the person who was read together with the session."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from django.contrib.auth.backends import ModelBackend

from openward.accounts.models import User

_met: ContextVar[User | None] = ContextVar("met", default=None)


def met(user: User | None) -> None:
    """Called by whatever reads a session, each time: nobody read for an earlier request is left."""
    _met.set(user)


class AccountBackend(ModelBackend):
    """Django asks for the person right after it has read their session, in the same request; what was read with it answers once."""

    def get_user(self, user_id: Any) -> User | None:
        user = _met.get()
        _met.set(None)
        if user is None or user.pk != user_id:
            found: User | None = super().get_user(user_id)
            return found
        return user if self.user_can_authenticate(user) else None
