"""The first administrator, and one who lost everything: by an address printed once at the command line."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.conf import LazySettings
from django.db import connection
from django.test import Client

from openward.accounts import factors, throttle
from openward.accounts.actions import SignInTaken, make_user
from openward.accounts.models import Reset, User
from openward.entrance.administrators import AdministratorThere, NoAdministrator, NoName, administrators, first, recover
from openward.outbox.models import Message
from tests.entrance.conftest import PASSWORD, events, is_inside, signs_in
from tests.entrance.test_second_step import sets_up_an_app

pytestmark = pytest.mark.django_db
NEW = "another good password"


def invited(sign_in: str = "boss@example.org") -> str:
    return first(sign_in=sign_in, name="Bo Boss")


def path(link: str) -> str:
    return "/" + link.split("/", 3)[3]


def chooses(client: Client, link: str, password: str = NEW) -> int:
    return client.post(path(link), {"password": password, "again": password}).status_code


class TestTheFirst:
    def test_chooses_a_password_at_the_address_and_is_inside(self, client: Client, settings: LazySettings) -> None:
        settings.OPENWARD_MFA_ROLES = frozenset()
        assert chooses(client, invited()) == 302
        assert is_inside(client)
        assert [one.role for one in administrators()] == ["administrator"]

    def test_must_set_up_a_second_factor_before_anything_opens(self, client: Client, settings: LazySettings) -> None:
        settings.OPENWARD_MFA_ROLES = frozenset(["staff"])
        chooses(client, invited())
        assert not is_inside(client)

    def test_is_reached_at_the_address_people_know(self, settings: LazySettings) -> None:
        settings.OPENWARD_PUBLIC_URL = "https://clinic.example"
        assert invited().startswith("https://clinic.example/account/reset/")

    def test_has_no_password_before(self) -> None:
        invited()
        assert signs_in(Client(), User.objects.get()).status_code == 422

    def test_finds_the_address_used_up(self, client: Client) -> None:
        link = invited()
        chooses(client, link)
        assert Client().get(path(link)).status_code == 410

    def test_finds_the_address_over_after_a_day(self, client: Client) -> None:
        link = invited()
        with time_machine.travel(time.time() + 24 * 60 * 60 + 60):
            assert client.get(path(link)).status_code == 410

    def test_may_be_given_another_address_until_they_came_and_the_one_before_ends(self, client: Client) -> None:
        before, link = invited(), invited(" BOSS@example.org")
        assert (client.get(path(before)).status_code, client.get(path(link)).status_code) == (410, 200)
        assert User.objects.count() == 1

    def test_is_the_only_one_made_like_this(self, client: Client) -> None:
        chooses(client, invited())
        for name in ("boss@example.org", "other@example.org"):
            with pytest.raises(AdministratorThere, match=r"boss@example\.org is an administrator already"):
                invited(name)

    def test_is_the_only_one_even_before_they_came(self) -> None:
        invited()
        with pytest.raises(AdministratorThere):
            invited("other@example.org")

    def test_is_made_anew_where_the_one_there_was_is_ended(self) -> None:
        User.objects.create_user(sign_in="gone@example.org", password=None, role="administrator", name="Gus", is_active=False)
        assert invited()

    def test_is_on_the_trail(self, client: Client) -> None:
        chooses(client, invited())
        assert (events("make-user"), events("change-password")) == (1, 1)

    def test_cannot_have_a_name_that_someone_has(self) -> None:
        make_user(sign_in="boss@example.org", password=PASSWORD, role="nurse", name="Nell")
        with pytest.raises(SignInTaken):
            invited()

    @pytest.mark.parametrize("sign_in", ["", " ", "two words", "a@b@c", "@", "x" * 151, "line\nbreak", "nul\0"])
    def test_cannot_have_a_name_that_is_none(self, sign_in: str) -> None:
        with pytest.raises(NoName):
            invited(sign_in)
        assert User.objects.count() == 0

    def test_keeps_only_the_digest_of_the_address(self) -> None:
        assert invited().rpartition("/")[2].encode() not in bytes(Reset.objects.get().token_digest)


class TestWhoLostEverything:
    @pytest.fixture
    def boss(self, client: Client) -> User:
        boss = make_user(sign_in="boss@example.org", password=PASSWORD, role="administrator", name="Bo")
        signs_in(client, boss)
        sets_up_an_app(client)
        return boss

    def test_gets_in_again_with_nothing_of_before(self, client: Client, boss: User, settings: LazySettings) -> None:
        settings.OPENWARD_MFA_ROLES = frozenset()
        link = recover(sign_in="Boss@example.org")
        assert not is_inside(client)
        assert factors.second_factors(boss) == set()
        assert signs_in(Client(), boss).status_code == 422
        assert chooses(client, link) == 302
        assert is_inside(client)

    def test_is_told_and_it_stands_on_the_trail(self, boss: User) -> None:
        before = events("remove-factor")
        recover(sign_in=boss.sign_in)
        assert "an administrator removed all passkeys" in Message.objects.filter(kind="sign-in-changed").latest("made_at").body
        assert events("remove-factor") == before + 1

    def test_is_unlocked(self, boss: User) -> None:
        for _ in range(5):
            Client().post("/account/sign-in", {"sign_in": boss.sign_in, "password": "wrong"})
        recover(sign_in=boss.sign_in)
        boss.refresh_from_db()
        assert not boss.is_locked
        throttle.refuse("name", boss.sign_in)

    @pytest.mark.parametrize("role", ["nurse", "patient"])
    def test_is_an_administrator_and_nobody_else(self, boss: User, role: str) -> None:
        make_user(sign_in="other@example.org", password=PASSWORD, role=role, name="Oda")
        with pytest.raises(NoAdministrator, match=r"There are: boss@example\.org"):
            recover(sign_in="other@example.org")
        assert User.objects.get(sign_in="other@example.org").has_usable_password()

    def test_is_not_someone_whose_sign_in_was_ended(self, boss: User) -> None:
        User.objects.update(is_active=False)
        with pytest.raises(NoAdministrator, match="none"):
            recover(sign_in=boss.sign_in)


@pytest.mark.usefixtures("committed_db")
@pytest.mark.django_db(transaction=True)
def test_of_several_at_once_one_is_the_first() -> None:
    def ask(number: int) -> bool:
        try:
            invited(f"boss-{number}@example.org")
            return True
        except AdministratorThere:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(ask, range(4))) == [False, False, False, True]
