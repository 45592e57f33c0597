"""Neither what a door answers nor the work it does for it tells who exists. Counted, not timed: digests of passwords, and statements to the database."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from openward.accounts.actions import make_user
from openward.accounts.models import User
from tests.entrance.conftest import PASSWORD, SIGN_IN

pytestmark = pytest.mark.django_db
KNOWN, WITHOUT, ENDED, UNKNOWN = "known@example.org", "without@example.org", "ended@example.org", "unknown@example.org"
EVERYBODY = (KNOWN, WITHOUT, ENDED, UNKNOWN)


@pytest.fixture(autouse=True)
def everybody(db: None) -> None:
    make_user(sign_in=KNOWN, password=PASSWORD, role="nurse", name="Nell", email=KNOWN)
    make_user(sign_in=WITHOUT, password=None, role="nurse", name="Wim")
    make_user(sign_in=ENDED, password=PASSWORD, role="nurse", name="Eve")
    User.objects.filter(sign_in=ENDED).update(is_active=False)
    Client().post(SIGN_IN, {"sign_in": "somebody@example.org", "password": "wrong"})  # the address was counted before


@pytest.fixture
def digests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One for each time a password was made into a digest, to keep it or to compare it."""
    made: list[str] = []
    for name in ("encode", "verify"):
        before: Callable[..., Any] = getattr(Argon2PasswordHasher, name)

        def counted(self: Any, *args: Any, _before: Callable[..., Any] = before, _name: str = name, **kwargs: Any) -> Any:
            made.append(_name)
            return _before(self, *args, **kwargs)

        monkeypatch.setattr(Argon2PasswordHasher, name, counted)
    return made


def work(path: str, sent: dict[str, str], digests: list[str]) -> tuple[int, int, list[str]]:
    """(status, digests, the kind of each statement)."""
    digests.clear()
    with CaptureQueriesContext(connection) as seen:
        status = Client().post(path, sent).status_code
    kinds = [re.sub(r"[^A-Za-z ]", "", one["sql"].split("WHERE")[0].split("VALUES")[0])[:60] for one in seen]
    return status, len(digests), [kind.split(" ")[0] for kind in kinds]


@pytest.mark.parametrize("before", [0, 4])
def test_a_wrong_password_costs_the_same_whoever_it_is_for(digests: list[str], before: int) -> None:
    """At the first wrong try, and at the one that locks."""
    for name in EVERYBODY:
        for _ in range(before):
            Client().post(SIGN_IN, {"sign_in": name, "password": "wrong"})
    costs = {name: work(SIGN_IN, {"sign_in": name, "password": "wrong"}, digests) for name in EVERYBODY}
    assert len({str(cost) for cost in costs.values()}) == 1, costs
    assert costs[KNOWN][1] == 1


def test_tries_that_are_long_ago_lock_nobody_whoever_it_is() -> None:
    """Four wrong tries, a while, a fifth: if that locked only who exists, the sixth answer would tell."""
    said = {}
    for name in EVERYBODY:
        for _ in range(4):
            Client().post(SIGN_IN, {"sign_in": name, "password": "wrong"})
        with time_machine.travel(time.time() + 16 * 60, tick=True):
            answers = [Client().post(SIGN_IN, {"sign_in": name, "password": "wrong"}).content.decode() for _ in range(2)]
        said[name] = ["Too many wrong tries" in answer for answer in answers]
    assert said == dict.fromkeys(EVERYBODY, [False, False])


def test_a_locked_name_costs_the_same_whoever_it_is_of(digests: list[str]) -> None:
    for name in EVERYBODY:
        for _ in range(5):
            Client().post(SIGN_IN, {"sign_in": name, "password": "wrong"})
    costs = {name: work(SIGN_IN, {"sign_in": name, "password": PASSWORD}, digests) for name in EVERYBODY}
    assert len({str(cost) for cost in costs.values()}) == 1, costs
    assert costs[KNOWN][1] == 0


def test_the_right_password_of_who_was_ended_costs_as_a_wrong_one(digests: list[str]) -> None:
    assert work(SIGN_IN, {"sign_in": ENDED, "password": PASSWORD}, digests) == work(SIGN_IN, {"sign_in": UNKNOWN, "password": PASSWORD}, digests)


def test_a_forgotten_password_costs_the_same_whoever_asks(digests: list[str]) -> None:
    Client().post("/account/forgot", {"sign_in": "somebody@example.org"})  # the address was counted before
    costs = {name: work("/account/forgot", {"sign_in": name}, digests) for name in EVERYBODY}
    assert len({str(cost) for cost in costs.values()}) == 1, costs


def test_a_locked_name_opens_again_for_who_is_unlocked() -> None:
    from openward.accounts.actions import unlock

    for _ in range(5):
        Client().post(SIGN_IN, {"sign_in": KNOWN, "password": "wrong"})
    unlock(User.objects.get(sign_in=KNOWN))
    assert Client().post(SIGN_IN, {"sign_in": KNOWN, "password": PASSWORD}).status_code == 302
