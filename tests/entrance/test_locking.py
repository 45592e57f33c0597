"""The locked screen, and switching people by PIN at a shared workstation."""

from __future__ import annotations

import time

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from openward.accounts import stations
from openward.accounts.actions import make_user
from openward.accounts.models import LOCK_FOR, StationVisit, User
from tests.entrance.conftest import INSIDE, PASSWORD, events, grows_stale, has_passkey, is_inside, options, signs_in

pytestmark = pytest.mark.django_db
FRAGMENT = {"X-Openward-Fragment": "1"}
PIN = "4826"


@pytest.fixture
def inside(client: Client, nurse: User) -> Client:
    signs_in(client, nurse)
    client.get(INSIDE)
    return client


class TestTheScreen:
    def test_locks_by_the_servers_clock(self, inside: Client) -> None:
        with time_machine.travel(time.time() + settings.OPENWARD_LOCK_SECONDS + 5):
            assert inside.get(INSIDE)["Location"].startswith("/account/locked?next=")

    def test_stays_locked_however_often_one_asks(self, inside: Client) -> None:
        inside.post("/account/lock")
        assert [inside.get(path).status_code for path in (INSIDE, "/", "/account/security", "/account/set-up")] == [302] * 4
        assert inside.post("/desk/report", {"text": "x"}).status_code == 302

    def test_refuses_what_a_page_asks_by_itself_so_that_the_page_stays(self, inside: Client) -> None:
        inside.post("/account/lock")
        answer = inside.get(INSIDE, headers={"HX-Request": "true"})
        assert (answer.status_code, answer["HX-Trigger"], answer["HX-Reswap"]) == (423, "openward-locked", "none")

    def test_opens_by_password(self, inside: Client) -> None:
        inside.post("/account/lock", headers=FRAGMENT)
        assert inside.post("/account/locked", {"secret": PASSWORD}, headers=FRAGMENT).status_code == 204
        assert is_inside(inside)
        assert (events("lock-screen"), events("unlock-screen")) == (1, 1)

    def test_opens_by_pin(self, inside: Client, nurse: User) -> None:
        stations.set_pin(nurse, PIN)
        inside.post("/account/lock")
        inside.post("/account/locked", {"secret": PIN})
        assert is_inside(inside)

    def test_opens_by_passkey(self, browser: Client, nurse: User) -> None:
        signs_in(browser, nurse)
        key = has_passkey(browser)
        browser.post("/account/lock")
        browser.post("/account/locked", {"credential": key.answers(options(browser, "again"))})
        assert is_inside(browser)

    def test_signs_out_after_five_wrong_ones(self, inside: Client) -> None:
        inside.post("/account/lock", headers=FRAGMENT)
        assert [inside.post("/account/locked", {"secret": "1"}, headers=FRAGMENT).status_code for _ in range(5)] == [422] * 4 + [401]
        assert events("sign-in", 4, "unlocking refused") == 5

    def test_is_not_opened_by_nothing(self, inside: Client) -> None:
        inside.post("/account/lock")
        assert inside.post("/account/locked", {"secret": ""}).status_code == 422
        assert not is_inside(inside)

    def test_unlocking_is_no_fresh_proof(self, inside: Client, nurse: User) -> None:
        stations.set_pin(nurse, PIN)
        grows_stale(inside)
        inside.post("/account/lock")
        inside.post("/account/locked", {"secret": PIN})
        assert "/account/security/again" in inside.get("/account/set-up")["Location"]

    def test_unlocking_by_pin_takes_the_fresh_proof_away(self, inside: Client, nurse: User) -> None:
        """docs/signing-in.md: a PIN opens nothing risky. Who saw it typed makes no passkey of their own minutes after a real sign-in."""
        stations.set_pin(nurse, PIN)
        inside.post("/account/lock")
        inside.post("/account/locked", {"secret": PIN})
        assert is_inside(inside)
        assert "/account/security/again" in inside.get("/account/set-up")["Location"]

    def test_unlocking_by_password_leaves_it(self, inside: Client) -> None:
        inside.post("/account/lock")
        inside.post("/account/locked", {"secret": PASSWORD})
        assert inside.get("/account/set-up").status_code == 200

    def test_that_another_window_opened_is_open_here_too(self, inside: Client) -> None:
        inside.post("/account/lock", headers=FRAGMENT)
        inside.post("/account/locked", {"secret": PASSWORD}, headers=FRAGMENT)
        assert inside.get("/account/locked", headers=FRAGMENT).status_code == 204
        assert inside.post("/account/locked", {"secret": PASSWORD}, headers=FRAGMENT).status_code == 204

    def test_can_still_be_signed_out(self, inside: Client) -> None:
        inside.post("/account/lock")
        assert inside.post("/account/sign-out").status_code == 302
        assert "_auth_user_id" not in inside.session


class TestAPin:
    @pytest.mark.parametrize("pin", ["123", "0000", "1234", "9876", "7890", "12a4", "１２３９", "1234567890123", "12 4"])
    def test_that_anyone_would_try_or_is_none_is_refused(self, inside: Client, pin: str) -> None:
        assert inside.post("/account/security/pin", {"pin": pin}).status_code == 422

    def test_stands_in_the_database_as_argon2(self, nurse: User) -> None:
        stations.set_pin(nurse, PIN)
        nurse.refresh_from_db()
        assert nurse.pin.startswith("argon2$argon2id$")


class TestAStation:
    @pytest.fixture
    def station(self, inside: Client) -> Client:
        inside.post("/account/security/pin", {"pin": PIN, "is_station": "on"})
        return inside

    def come_back(self, client: Client, user: User, pin: str = PIN) -> int:
        return client.post("/account/switch/come-back", {"person": str(user.pk), "pin": pin}).status_code

    def test_brings_back_by_pin_to_the_page_one_left(self, station: Client, nurse: User) -> None:
        station.post("/account/switch/leave", {"next": "/desk/mine?page=2"})
        assert not is_inside(station)
        answer = station.post("/account/switch/come-back", {"person": str(nurse.pk), "pin": PIN})
        assert answer["Location"] == "/desk/mine?page=2"
        assert is_inside(station)

    def test_leads_to_no_other_site(self, station: Client, nurse: User) -> None:
        station.post("/account/switch/leave", {"next": "https://evil.example/"})
        assert station.post("/account/switch/come-back", {"person": str(nurse.pk), "pin": PIN})["Location"] == "/"

    def test_brings_nobody_back_elsewhere(self, station: Client, nurse: User) -> None:
        elsewhere = Client()
        self.come_back(elsewhere, nurse)
        assert not is_inside(elsewhere)

    def test_brings_nobody_back_with_a_made_up_cookie(self, station: Client, nurse: User) -> None:
        elsewhere = Client()
        elsewhere.cookies["openward_station"] = "made-up:signature"
        self.come_back(elsewhere, nurse)
        assert not is_inside(elsewhere)

    def test_brings_back_only_who_signed_in_wholly_there(self, station: Client) -> None:
        other = make_user(sign_in="o@example.org", password=PASSWORD, role="nurse", name="Oda")
        stations.set_pin(other, PIN)
        station.post("/account/switch/leave")
        assert self.come_back(station, other) == 422
        assert not is_inside(station)

    def test_forgets_after_the_shift(self, station: Client, nurse: User) -> None:
        station.post("/account/switch/leave")
        with time_machine.travel(time.time() + 13 * 3600):
            self.come_back(station, nurse)
            assert not is_inside(station)

    def test_forgets_whoever_changed_their_password_elsewhere(self, station: Client, nurse: User) -> None:
        station.post("/account/switch/leave")
        elsewhere = Client()
        signs_in(elsewhere, nurse)
        new = "another horse battery"
        elsewhere.post("/account/password", {"current": PASSWORD, "password": new, "again": new})
        self.come_back(station, nurse)
        assert not is_inside(station)

    def test_remembers_whoever_changed_it_there(self, station: Client, nurse: User) -> None:
        new = "another horse battery"
        station.post("/account/password", {"current": PASSWORD, "password": new, "again": new})
        station.post("/account/switch/leave")
        self.come_back(station, nurse)
        assert is_inside(station)

    def test_takes_three_wrong_pins_and_no_more(self, station: Client, nurse: User) -> None:
        station.post("/account/switch/leave")
        for _ in range(3):
            self.come_back(station, nurse, "1111")
        self.come_back(station, nurse)
        assert not is_inside(station)
        assert StationVisit.objects.count() == 0

    def test_gives_no_fresh_proof(self, station: Client, nurse: User) -> None:
        station.post("/account/switch/leave")
        self.come_back(station, nurse)
        assert "/account/security/again" in station.get("/account/set-up")["Location"]

    def test_shows_nobody_to_who_is_no_station(self, client: Client) -> None:
        assert client.get("/account/switch")["Location"] == "/account/sign-in"

    def test_lets_the_next_person_in_beside(self, station: Client, nurse: User) -> None:
        other = make_user(sign_in="o@example.org", password=PASSWORD, role="nurse", name="Oda")
        stations.set_pin(other, "7351")
        station.post("/account/switch/leave")
        signs_in(station, other)
        station.post("/account/switch/leave")
        page = station.get("/account/switch").content.decode()
        assert ("Nell Night" in page, "Oda" in page) == (True, True)
        assert self.come_back(station, nurse) == 302

    def test_brings_back_nobody_whose_sign_in_is_locked(self, station: Client, nurse: User) -> None:
        station.post("/account/switch/leave")
        User.objects.filter(pk=nurse.pk).update(locked_until=timezone.now() + LOCK_FOR)
        assert self.come_back(station, nurse) == 422
        assert not is_inside(station)

    def test_brings_back_nobody_who_was_ended(self, station: Client, nurse: User) -> None:
        station.post("/account/switch/leave")
        User.objects.filter(pk=nurse.pk).update(is_active=False)
        self.come_back(station, nurse)
        assert events("sign-in", detail="PIN") == 0

    def test_leaves_an_event_for_a_wrong_pin(self, station: Client, nurse: User) -> None:
        station.post("/account/switch/leave")
        self.come_back(station, nurse, "1111")
        assert events("sign-in", outcome=4, detail="PIN refused") == 1

    def test_leaving_leaves_an_event(self, station: Client) -> None:
        station.post("/account/switch/leave")
        assert events("sign-out", detail="switching person") == 1
