"""What a password may be, by the settings of the product."""

from __future__ import annotations

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from openward.accounts.actions import make_user

LONG = "Nine quiet otters drift " * 8 + "home"


@pytest.mark.parametrize("password", ["qzvkwjxphby", "Qz7!vk w#xp"])
def test_eleven_characters_are_too_few_whatever_they_are(password: str) -> None:
    with pytest.raises(ValidationError, match="at least 12 characters"):
        validate_password(password)


@pytest.mark.parametrize("password", ["qzvkwjxphbyr", "ottersdriftquietlyhome", "水獺在夜裡安靜地漂流回家了喔", LONG])
def test_twelve_of_any_kind_and_very_many_are_taken(password: str) -> None:
    validate_password(password)


@pytest.mark.django_db
@pytest.mark.parametrize("typed", [LONG.lower(), LONG[:-1], LONG + " ", " " + LONG, LONG[:72], LONG.replace("  ", " ")[:-4] + "Home"])
def test_it_is_checked_letter_for_letter_to_its_end(typed: str) -> None:
    make_user(sign_in="otter@example.org", password=LONG, role="nurse", name="Otto")
    assert Client().post("/account/sign-in", {"sign_in": "otter@example.org", "password": typed}).status_code == 422


@pytest.mark.django_db
def test_the_whole_of_it_opens() -> None:
    make_user(sign_in="otter@example.org", password=LONG, role="nurse", name="Otto")
    assert Client().post("/account/sign-in", {"sign_in": "otter@example.org", "password": LONG}).status_code == 302
