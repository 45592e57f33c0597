"""What a password costs whoever steals its hash. The tests themselves hash at the least price: see tests/settings.py."""

from __future__ import annotations

from argon2 import extract_parameters
from argon2.low_level import Type
from django.contrib.auth.hashers import check_password, make_password
from django.test import override_settings

from openward.server import settings as installed

PASSWORD = "correct horse battery"


def kept() -> str:
    with override_settings(PASSWORD_HASHERS=installed.PASSWORD_HASHERS):
        return make_password(PASSWORD)


def test_an_installation_hashes_by_argon2id_at_the_price_owasp_asks_for_or_more() -> None:
    """19 MiB and two passes: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html; ours is five times that."""
    algorithm, _, hashed = kept().partition("$")
    price = extract_parameters(f"${hashed}")
    assert (algorithm, price.type) == ("argon2", Type.ID)
    assert (price.memory_cost, price.time_cost, price.parallelism) == (102_400, 2, 8)
    assert len(installed.PASSWORD_HASHERS) == 1, "a second way would let weaker hashes open an account"


def test_a_hash_of_an_installation_opens_by_its_own_price_wherever_it_is_checked() -> None:
    """The price stands in the hash: what is checked here, at another, is what an installation kept."""
    hashed = kept()
    assert check_password(PASSWORD, hashed)
    assert not check_password(f"{PASSWORD}!", hashed)


def test_a_hash_of_less_is_made_anew_at_the_next_sign_in() -> None:
    cheap, made = make_password(PASSWORD), []
    with override_settings(PASSWORD_HASHERS=installed.PASSWORD_HASHERS):
        assert check_password(PASSWORD, cheap, setter=made.append)
    assert made == [PASSWORD]
