"""What subscribers have us send along stands sealed in this installation's record."""

from __future__ import annotations

import pytest

from openward.record.subscriptions import INSTALLATION

pytestmark = pytest.mark.django_db
ABOUT = ("Subscription", "s", "https://clinic.example/hook", "authorization")


def test_a_value_is_sealed_once_and_opens_for_its_own_endpoint() -> None:
    sealed = INSTALLATION.seal(1, "Bearer abc", ABOUT)
    assert "abc" not in sealed
    assert INSTALLATION.seal(1, sealed, ABOUT) == sealed
    assert INSTALLATION.unseal(1, sealed, ABOUT) == "Bearer abc"


def test_a_value_of_before_is_sent_as_it_stands() -> None:
    assert INSTALLATION.unseal(1, "Bearer abc", ABOUT) == "Bearer abc"


@pytest.mark.parametrize(
    ("tenant", "about"),
    [(2, ABOUT), (1, ("Subscription", "s", "https://thief.example/hook", "authorization")), (1, ("Subscription", "t", *ABOUT[2:]))],
)
def test_a_sealed_value_opens_for_nobody_else(tenant: int, about: tuple[str, ...]) -> None:
    sealed = INSTALLATION.seal(1, "Bearer abc", ABOUT)
    with pytest.raises(ValueError):
        INSTALLATION.seal(tenant, sealed, about)
    with pytest.raises(ValueError):
        INSTALLATION.unseal(tenant, sealed, about)


def test_what_only_looks_sealed_is_refused() -> None:
    with pytest.raises(ValueError):
        INSTALLATION.seal(1, "ow1.AAAA", ABOUT)
