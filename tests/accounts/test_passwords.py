"""Passwords known from breaches, looked up in what the operator supplied and nowhere else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured, ValidationError

from openward.accounts.passwords import NotBreached, is_breached

STOLEN = ["hunter2hunter2", "correct horse battery", "seven green boats", "ÄÖÜ unter vielen", "last of them all"]


def digest(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


@pytest.fixture(params=["file", "file with counts", "file of DOS", "folder", "folder with endings"])
def known(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The list in each form it is given away in, among others' digests."""
    digests = sorted([*map(digest, STOLEN), *(digest(f"other {number}") for number in range(500))])
    if request.param.startswith("file"):
        path = tmp_path / "hashes.txt"
        ending = "\r\n" if "DOS" in request.param else "\n"
        path.write_bytes("".join(f"{one}{':12' if 'counts' in request.param else ''}{ending}" for one in digests).encode())
        return path
    for one in digests:
        with (tmp_path / (one[:5] + (".txt" if "endings" in request.param else ""))).open("a") as file:
            file.write(f"{one[5:]}:3\n")
    return tmp_path


def test_what_was_stolen_is_found_in_every_form_of_the_list(known: Path) -> None:
    assert [is_breached(password, known) for password in STOLEN] == [True] * len(STOLEN)


def test_what_was_not_is_not(known: Path) -> None:
    assert [password for password in (f"never seen {number}" for number in range(300)) if is_breached(password, known)] == []


@pytest.mark.parametrize("place", [0, -1])
def test_the_first_and_the_last_line_are_read(tmp_path: Path, place: int) -> None:
    passwords = [f"p{number}" for number in range(40)]
    path = tmp_path / "hashes.txt"
    path.write_text("\n".join(sorted(map(digest, passwords))))
    edge = sorted(passwords, key=digest)[place]
    assert is_breached(edge, path)


def test_an_empty_list_knows_nothing(tmp_path: Path) -> None:
    (tmp_path / "hashes.txt").write_text("")
    assert not is_breached("hunter2hunter2", tmp_path / "hashes.txt")


def test_nobody_may_choose_one(tmp_path: Path, settings: LazySettings) -> None:
    (tmp_path / "hashes.txt").write_text(digest("seven green boats"))
    settings.OPENWARD_BREACHED_PASSWORDS = str(tmp_path / "hashes.txt")
    with pytest.raises(ValidationError, match="stolen"):
        NotBreached().validate("seven green boats")
    NotBreached().validate("nine green boats")


def test_a_list_that_is_not_there_is_no_list_that_knows_nothing(tmp_path: Path, settings: LazySettings) -> None:
    settings.OPENWARD_BREACHED_PASSWORDS = str(tmp_path / "gone.txt")
    with pytest.raises(ImproperlyConfigured):
        NotBreached().validate("seven green boats")
