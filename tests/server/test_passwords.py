"""What a password may be, by the settings of the product."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from openward.accounts.actions import make_user
from openward.accounts.models import User

LONG = "Nine quiet otters drift " * 8 + "home"


@pytest.mark.parametrize("password", ["qzvkwjxphby", "Qz7!vk w#xp"])
def test_eleven_characters_are_too_few_whatever_they_are(password: str) -> None:
    with pytest.raises(ValidationError, match="at least 12 characters"):
        validate_password(password)


@pytest.mark.parametrize("password", ["qzvkwjxphbyr", "ottersdriftquietlyhome", "水獺在夜裡安靜地漂流回家了喔", LONG])
def test_twelve_of_any_kind_and_very_many_are_taken(password: str) -> None:
    validate_password(password)


@pytest.mark.parametrize("password", ["nell.night@example.org", "Nell Nightingale", "nell nightingales"])
def test_one_s_own_name_is_none(password: str) -> None:
    with pytest.raises(ValidationError, match="too similar"):
        validate_password(password, User(sign_in="nell.night@example.org", name="Nell Nightingale"))


def test_one_that_was_stolen_elsewhere_is_none(tmp_path: Path, settings: LazySettings) -> None:
    (tmp_path / "hashes.txt").write_text(hashlib.sha1(b"seven green boats", usedforsecurity=False).hexdigest().upper())
    settings.OPENWARD_BREACHED_PASSWORDS = str(tmp_path / "hashes.txt")
    with pytest.raises(ValidationError, match="stolen elsewhere"):
        validate_password("seven green boats")


@pytest.mark.parametrize("password", ["qwertyqwerty", "1q2w3e4r5t6y", "password1234"])
def test_one_that_everybody_tries_first_is_none(password: str) -> None:
    with pytest.raises(ValidationError, match="too common"):
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
