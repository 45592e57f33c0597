"""Whom one may sign in as on a demo instance."""

from __future__ import annotations

from collections.abc import Sequence

from openward.access.roles import ROLES
from openward.accounts.models import User
from openward.demo.content.staff import DEMO_PASSWORD
from openward.demo.models import Instance, Persona


def personas(tenant: int = 1) -> Sequence[Persona]:
    """All personas in order; none where there is no demo clinic."""
    if not Instance.objects.filter(tenant=tenant).exists():
        return []
    return list(Persona.objects.filter(tenant=tenant))


def person(sign_in: str, tenant: int = 1) -> User | None:
    """The user of a persona; None for anyone else, whoever they are."""
    if sign_in not in {persona.sign_in for persona in personas(tenant)}:
        return None
    return User.objects.filter(tenant=tenant, sign_in=sign_in, is_active=True).first()


def sign_ins(tenant: int = 1) -> str:
    """What `openward serve` prints: one sign-in per role and the password of all of them."""
    first = {persona.role: persona for persona in reversed(personas(tenant))}
    lines = [f"  {first[role].sign_in:<12} {ROLES[role].title}" for role in ROLES if role in first]
    return "\n".join([f"Sign in with the password {DEMO_PASSWORD} as", *lines]) if lines else ""
