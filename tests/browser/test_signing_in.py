"""Signing in as people do it, with Chromium's virtual authenticator for passkeys. https://chromedevtools.github.io/devtools-protocol/tot/WebAuthn/"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, expect

from tests.browser.house import House
from tests.browser.people import Person, signs_in

pytestmark = pytest.mark.browser
PASSWORD = "demo-openward-7"
KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def address(clinic: House) -> str:
    """A browser does WebAuthn at `localhost` without TLS, not at 127.0.0.1."""
    return clinic.url.replace("127.0.0.1", "localhost")


def someone(browser: Browser, address: str, *, width: int = 1440) -> Person:
    return Person(address, browser.new_context(viewport={"width": width, "height": 900}).new_page())


def gives_password(person: Person, name: str, password: str = PASSWORD) -> Person:
    person.goes_to("/account/sign-in").types("Sign-in name or e-mail", name).types("Password", password)
    return person.clicks_on("Sign in", exact=True)


def is_in(person: Person) -> None:
    expect(person.page.get_by_label(re.compile("^Account of "))).to_be_visible()


def chooses(person: Person, entry: str) -> Person:
    """In the menu of one's own name."""
    person.page.get_by_label(re.compile("^Account of ")).click()
    return person.clicks_on(entry)


def holds_a_key(person: Person) -> Any:
    """A fingerprint reader is plugged into this browser."""
    wire = person.page.context.new_cdp_session(person.page)
    wire.send("WebAuthn.enable")
    wire.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    return wire


def test_a_passkey_is_made_and_is_then_the_only_way_in(address: str, browser: Browser, pictures: Path | None) -> None:
    nurse = someone(browser, address)
    holds_a_key(nurse)
    gives_password(nurse, "nurse")
    is_in(nurse)
    nurse.goes_to("/account/set-up").photographs(pictures, "sign-in-1-set-up").finds_no_accessibility_fault()
    nurse.types("Name of the passkey", "front desk reader").clicks_on("Make a passkey").sees("Your recovery codes")
    nurse.photographs(pictures, "sign-in-2-codes").finds_no_accessibility_fault().follows("I have kept them")
    nurse.sees("front desk reader").photographs(pictures, "sign-in-3-security").finds_no_accessibility_fault()
    nurse.page.once("dialog", lambda dialog: dialog.accept())
    nurse.clicks_on("Remove my password")
    if nurse.page.get_by_role("button", name="Yes, go on").is_visible():
        nurse.clicks_on("Yes, go on")
    nurse.sees("none: passkey only")
    chooses(nurse, "Sign out")
    gives_password(nurse, "nurse").sees("do not belong together").finds_no_accessibility_fault()
    nurse.clicks_on("Sign in with a passkey")
    is_in(nurse)
    nurse.had_no_trouble()


def test_an_authenticator_app_and_recovery_codes_are_the_second_step(address: str, browser: Browser, pictures: Path | None) -> None:
    biller = someone(browser, address, width=390)
    gives_password(biller, "biller")
    biller.page.wait_for_url(re.compile(r"localhost:\d+/(?!account)"))
    biller.goes_to("/account/set-up/app").page.get_by_text("I cannot read it with the phone").click()
    secret = biller.page.locator("code.secret").inner_text().replace(" ", "")
    biller.photographs(pictures, "sign-in-4-app").finds_no_accessibility_fault()
    biller.types("The code the app shows", format_hotp_value(hotp_value(secret, int(time.time()) // 30)))
    biller.clicks_on("It works").sees("Your recovery codes")
    code = biller.page.locator(".recovery-codes code").first.inner_text()
    biller.page.context.clear_cookies()
    for expected in ("/", "/account/second-step"):
        gives_password(biller, "biller").sees("Second step").finds_no_accessibility_fault()
        biller.types("Code", code).clicks_on("Go on", exact=True)
        biller.page.wait_for_url(re.compile(rf"localhost:\d+{expected}$") if expected != "/" else re.compile(r"localhost:\d+/(?!account)"))
        if expected == "/":
            biller.page.context.clear_cookies()
    biller.sees("This is not the code").photographs(pictures, "sign-in-5-second").had_no_trouble()


def test_a_draft_waits_behind_the_lock_and_for_who_comes_back_by_pin(clinic: House, address: str, browser: Browser, pictures: Path | None) -> None:
    doctor = someone(browser, address)
    gives_password(doctor, "clinician")
    is_in(doctor)
    doctor.goes_to("/account/security/pin").types("PIN", "4826").page.get_by_label("This browser is a shared workstation").check()
    doctor.photographs(pictures, "sign-in-6-pin").finds_no_accessibility_fault().clicks_on("Save", exact=True)
    doctor.sees("Where you are signed in")
    note = begins_a_note(clinic, doctor)
    field = doctor.page.get_by_label("Assessment and plan")
    field.fill("Wait for the second reading.")
    doctor.sees(re.compile("Saved|saved"))
    field.fill("Wait for the second reading. And not yet saved.")
    chooses(doctor, "Lock the screen").sees("is it you?").photographs(pictures, "sign-in-7-locked").finds_no_accessibility_fault()
    expect(doctor.page).to_have_title("Locked · Openward")
    doctor.page.keyboard.press("Escape")
    doctor.sees("is it you?")
    doctor.types("PIN or password", "1111").clicks_on("Unlock").sees("This is not it")
    doctor.types("PIN or password", "4826").clicks_on("Unlock")
    doctor.does_not_see("is it you?")
    expect(field).to_have_value("Wait for the second reading. And not yet saved.")
    doctor.sees(re.compile("Saved|saved"))
    chooses(doctor, "Let someone else in").sees("Who is there?")
    doctor.photographs(pictures, "sign-in-8-switch").finds_no_accessibility_fault()
    doctor.follows("Someone else: sign in")
    gives_password(doctor, "frontdesk")
    is_in(doctor)
    chooses(doctor, "Let someone else in").sees("Dr. Mara Lindqvist")
    doctor.page.get_by_label(re.compile("Lindqvist")).fill("4826")
    doctor.clicks_on("Come back")
    doctor.page.wait_for_url(note)
    expect(doctor.page.get_by_label("Assessment and plan")).to_have_value("Wait for the second reading. And not yet saved.")
    doctor.had_no_trouble()


def begins_a_note(clinic: House, doctor: Person) -> str:
    lindqvist = next(one["id"] for one in clinic.all("Practitioner?family=Lindqvist"))
    visit = clinic.all(f"Encounter?participant=Practitioner/{lindqvist}&_count=1")[0]
    patient = visit["subject"]["reference"].split("/")[1]
    doctor.goes_to(f"/chart/{patient}/notes/new/").clicks_on("Follow-up", within=doctor.panel)
    doctor.page.get_by_label("Assessment and plan").wait_for()
    return doctor.page.url


def test_an_idle_screen_hides_itself(address: str, browser: Browser) -> None:
    manager = someone(browser, address)
    manager.page.clock.install()
    gives_password(manager, "manager")
    is_in(manager)
    manager.page.clock.run_for(16 * 60 * 1000)
    manager.sees("is it you?").finds_no_accessibility_fault()
    manager.types("PIN or password", PASSWORD).clicks_on("Unlock").does_not_see("is it you?")


@pytest.mark.parametrize("touch", ["pointer", "key"])
def test_the_first_touch_after_the_machine_slept_does_not_pass_for_work(address: str, browser: Browser, touch: str) -> None:
    """A lid that was shut runs no clock: the time has moved on and no timer has. ONC 170.315(d)(5) asks for the lock after the inactivity itself."""
    manager = someone(browser, address)
    manager.page.clock.install()
    gives_password(manager, "manager")
    is_in(manager)
    manager.goes_to("/desk/report?page=/").types("What went wrong?", "Half a sentence")
    manager.page.clock.set_system_time(time.time() + 16 * 60)
    if touch == "pointer":
        manager.page.mouse.move(200, 200)
    else:
        manager.page.keyboard.press("Enter")
    manager.sees("is it you?").types("PIN or password", PASSWORD).clicks_on("Unlock").does_not_see("is it you?")
    expect(manager.page.get_by_label("What went wrong?")).to_have_value("Half a sentence")


def test_a_session_is_ended_from_afar_and_by_the_administrator(clinic: House, address: str, browser: Browser) -> None:
    here, there = someone(browser, address), someone(browser, address)
    for one in (here, there):
        gives_password(one, "manager")
        is_in(one)
    here.goes_to("/account/security").clicks_on("Sign out there", exact=True).sees("That session is over")
    there.goes_to("/").sees("Sign-in name or e-mail")
    admin = signs_in(browser, clinic.url, "admin")
    admin.goes_to("/admin/people?q=manager").page.get_by_role("table").get_by_role("link").first.click()
    admin.clicks_on("Sign out everywhere", within=admin.panel).sees("is signed out everywhere")
    here.goes_to("/account/security").sees("Sign-in name or e-mail")


def test_a_guesser_locks_the_sign_in_and_the_administrator_unlocks_it(clinic: House, address: str, browser: Browser) -> None:
    agent = someone(browser, address)
    for _ in range(5):
        gives_password(agent, "itagent", "a guess").sees("do not belong together")
    gives_password(agent, "itagent").sees("Too many wrong tries")
    admin = signs_in(browser, clinic.url, "admin")
    admin.goes_to("/admin/people?q=itagent").sees("locked").page.get_by_role("table").get_by_role("link").first.click()
    admin.panel.get_by_role("button", name="Unlock").wait_for()
    admin.finds_no_accessibility_fault().clicks_on("Unlock", within=admin.panel).sees("can sign in again")
    gives_password(agent, "itagent")
    is_in(agent)


def test_a_forgotten_password_is_set_by_the_link_of_a_letter(clinic: House, address: str, browser: Browser) -> None:
    admin = signs_in(browser, clinic.url, "admin")
    admin.goes_to("/admin/people/add").panel.get_by_label("Name", exact=True).fill("Nora New")
    admin.types("Sign-in name or e-mail", "nora@example.org").page.get_by_label(re.compile("^Biller")).check()
    admin.clicks_on("Add", within=admin.panel, exact=True).sees("Nora New can sign in now")
    first = follows_letter(clinic, someone(browser, address), "Choose your password")
    first.types("New password", "seven green boats").types("The same password again", "seven green boats").clicks_on("Set the password")
    is_in(first)
    forgetful = someone(browser, address)
    forgetful.goes_to("/account/sign-in").follows("I forgot my password").types("Sign-in name or e-mail", "nora@example.org")
    forgetful.finds_no_accessibility_fault().clicks_on("Send the link").sees("Look into your mail")
    follows_letter(clinic, forgetful, "a new password for your Openward sign-in nora@example.org").types("New password", "eight green boats").types(
        "The same password again", "eight green boats"
    )
    forgetful.finds_no_accessibility_fault().clicks_on("Set the password")
    is_in(forgetful)
    first.goes_to("/account/security").sees("Sign-in name or e-mail")


def follows_letter(clinic: House, person: Person, words: str) -> Person:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for letter in reversed(clinic.outbox()):
            if words in letter and (found := re.search(r"/account/reset/[\w-]+", letter)):
                return person.goes_to(found[0])
        time.sleep(0.5)
    raise AssertionError(f"no letter says {words}")
