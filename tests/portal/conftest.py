"""A patient at the portal of a small clinic."""

from __future__ import annotations

import pytest
from django.test import Client

from openward.access.actor import Actor
from openward.accounts.models import User
from tests.scheduling.conftest import Clinic, clinic, morning  # noqa: F401 - the clinic is the scheduling tests' own


def sign_in(patient: str, name: str) -> User:
    return User.objects.create_user(sign_in=f"{name}@example.org", password=None, role="patient", name=name, reference=f"Patient/{patient}")


@pytest.fixture
def ada(clinic: Clinic) -> User:  # noqa: F811 - the fixture of that name
    return sign_in(clinic.ada, "Ada Okafor")


@pytest.fixture
def by_ada(ada: User) -> Actor:
    return ada.actor()


@pytest.fixture
def portal(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


@pytest.fixture
def bens_portal(clinic: Clinic) -> Client:  # noqa: F811
    client = Client()
    client.force_login(sign_in(clinic.ben, "Ben Brandt"))
    return client
