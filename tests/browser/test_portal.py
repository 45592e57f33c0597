"""What a patient's own browser does to the portal: going back, losing the session, keys and a narrow window."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.house import House
from tests.browser.people import Person, signs_in

pytestmark = pytest.mark.browser
TYPED = "I have had a headache since Monday.\nIt is worse at night."


def a_patient(browser: Browser, clinic: House) -> Person:
    return signs_in(browser, clinic.url, "patient1", width=390, height=844)


def test_a_card_is_not_there_any_more_for_who_goes_back(clinic: House, browser: Browser, pictures: Path | None) -> None:
    patient = a_patient(browser, clinic).goes_to("/portal/bills/pay")
    patient.types("How much do you want to pay?", "1").types("Card number", "4242 4242 4242 4242").types("Expiry month", "12")
    patient.types("Expiry year", "2030").types("Security code", "917").types("Name on the card", "Mateo").clicks_on("Pay", exact=True)
    patient.sees(re.compile("went through"))
    patient.page.go_back()
    expect(patient.page.get_by_label("Card number")).to_have_value("")
    expect(patient.page.get_by_label("Security code")).to_have_value("")
    patient.photographs(pictures, "portal-1-back").finds_no_accessibility_fault().had_no_trouble()


def test_a_message_outlives_the_session_it_was_written_in(clinic: House, browser: Browser, pictures: Path | None) -> None:
    patient = a_patient(browser, clinic).goes_to("/portal/messages/write")
    patient.page.get_by_label("Something else").check()
    patient.types("Your message", TYPED)
    window = patient.page.context
    kept = [cookie for cookie in window.cookies() if "session" not in cookie["name"]]
    window.clear_cookies()
    window.add_cookies(kept)  # type: ignore[arg-type]
    patient.clicks_on("Send", exact=True).sees("this was not saved").sees("It is worse at night.")
    patient.photographs(pictures, "portal-2-given-back").finds_no_accessibility_fault()
    with window.expect_page() as opened:
        patient.follows(re.compile("Sign in, in another tab"))
    opened.value.locator("form[action*='/as/patient1/'] button").click()
    opened.value.wait_for_url(re.compile("/portal/"))
    token = "document.cookie.includes(document.querySelector('[name=csrfmiddlewaretoken]').value)"
    patient.page.bring_to_front()
    for _ in range(100):
        if patient.page.evaluate(token):
            break
        patient.page.wait_for_timeout(200)
    patient.clicks_on("Send it again").sees("Your message is with the practice.")
    patient.follows(re.compile("Something else")).sees("It is worse at night.")


def test_a_form_takes_over_the_token_of_a_sign_in_right_after_its_page_was_there(clinic: House, browser: Browser) -> None:
    patient, new = a_patient(browser, clinic), "x" * 32
    patient.page.add_init_script(f"addEventListener('DOMContentLoaded', () => {{ document.cookie = 'openward_csrf={new}; path=/'; }})")
    patient.goes_to("/portal/messages/write")
    for field in patient.page.locator("[name=csrfmiddlewaretoken]").all():
        expect(field).to_have_value(new)


def test_a_visit_is_booked_and_taken_back_by_keys_alone(clinic: House, browser: Browser, pictures: Path | None) -> None:
    patient = a_patient(browser, clinic).goes_to("/portal/book")
    for name in ("Annual physical", "Whoever is free first"):
        patient.page.get_by_role("link", name=re.compile(name)).focus()
        patient.page.keyboard.press("Enter")
    patient.page.get_by_role("button", name=re.compile(r"\d:\d\d")).first.focus()
    patient.page.keyboard.press("Enter")
    patient.sees("Book this visit?").photographs(pictures, "portal-3-sure").finds_no_accessibility_fault()
    patient.page.get_by_role("button", name="Yes, book it").press("Enter")
    patient.sees(re.compile("Your visit is booked"))
    patient.page.get_by_role("button", name="Undo").press("Enter")
    patient.sees("Your visit is cancelled.").had_no_trouble()
