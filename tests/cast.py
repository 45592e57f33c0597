"""The cast that tries every door: one actor per role, and nobody."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from openward.access.actor import Actor
from openward.access.roles import ROLES
from openward.access.scopes import Scopes

PRACTITIONER_ID = "0199c1f0-0000-7000-8000-00000000d0c1"
PATIENT_ID = "0199c1f0-0000-7000-8000-0000000000a1"
OTHER_PATIENT_ID = "0199c1f0-0000-7000-8000-0000000000b2"
SignIn = Callable[[str], Client]


def staff(role: str, *, reference: str | None = None, name: str | None = None) -> Actor:
    """A member of staff; clinicians are `Practitioner/<PRACTITIONER_ID>` unless told otherwise."""
    reference = reference or (f"Practitioner/{PRACTITIONER_ID}" if role == "clinician" else None)
    return Actor(id=f"user:{role}", name=name or ROLES[role].title, kind="staff", tenant=1, role=role, reference=reference, user_id=None)


def patient(id: str = PATIENT_ID) -> Actor:
    return Actor(id=f"user:patient-{id[-2:]}", name="Patient", kind="patient", tenant=1, role="patient", reference=f"Patient/{id}")


def client(scope: str = "system/*.cruds", name: str = "test-client") -> Actor:
    return Actor(id=f"client:{name}", name=name, kind="client", tenant=1, scopes=Scopes.parse(scope))


def system(purpose: str = "test") -> Actor:
    return Actor.system(purpose, tenant=1)
