"""Hands that are quicker than the answer, and hands that slip: nothing is taken from an older list, nothing that was typed is lost unasked."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Browser, Dialog, Route, expect

from tests.browser.house import House
from tests.browser.people import Person, signs_in

pytestmark = pytest.mark.browser

CHART = re.compile(r"/(patients|chart)/[0-9a-f-]{36}")


def slowly(route: Route) -> None:
    """A second on the way: as from a bad line."""
    time.sleep(1)
    route.continue_()


@pytest.fixture(scope="module")
def clinician(clinic: House, browser: Browser) -> Person:
    return signs_in(browser, clinic.url, "clinician")


@pytest.fixture(scope="module")
def names(clinic: House) -> list[str]:
    """Family names that one patient alone has."""
    families = [one["name"][0]["family"] for one in clinic.all("Patient?_count=50")]
    return [name for name in families if families.count(name) == 1]


def test_enter_in_the_palette_opens_nobody_of_an_older_search(clinician: Person, names: list[str]) -> None:
    page, (former, meant) = clinician.page, names[:2]
    page.keyboard.press("Control+k")
    page.locator("#palette-text").fill(former)
    expect(page.locator("#palette-found [role=option]").first).to_contain_text(former.upper())
    page.route("**/palette", slowly)
    page.locator("#palette-text").fill(meant)
    page.keyboard.press("Enter")
    expect(page.locator("#palette-found [role=option]").first).to_contain_text(meant.upper())
    assert not CHART.search(page.url)
    page.keyboard.press("Enter")
    page.wait_for_url(CHART)
    page.unroute("**/palette")
    clinician.sees(re.compile(f"^{meant.upper()}"))


def test_enter_in_a_search_field_takes_nothing_of_an_older_search(clinic: House, clinician: Person) -> None:
    page = clinician.page
    clinician.goes_to(f"/chart/{clinic.all('Patient?_count=1')[0]['id']}/problems/new/")
    box = page.locator("#panel [role=combobox]")
    box.fill("asthma")
    expect(page.locator("#panel [role=option]").first).to_contain_text(re.compile("asthma", re.IGNORECASE))
    page.route("**/find/**", slowly)
    box.fill("gout")
    page.keyboard.press("Enter")
    assert page.locator("#panel .combobox input[type=hidden]").input_value() == ""
    expect(page.locator("#panel [role=option]").first).to_contain_text(re.compile("gout", re.IGNORECASE))
    page.keyboard.press("Enter")
    expect(box).to_have_value(re.compile("gout", re.IGNORECASE))
    page.unroute("**/find/**")


def test_looking_for_another_drug_takes_the_former_one_off_the_prescription(clinic: House, clinician: Person) -> None:
    page = clinician.page
    clinician.goes_to(f"/chart/{clinic.all('Patient?_count=1')[0]['id']}/medications/new/")
    box = page.locator("#panel [role=combobox]")
    box.fill("ibuprofen")
    page.locator("#panel [role=option]").first.click()
    expect(page.locator("#rx-details input[name=drug]")).to_have_value(re.compile("ibuprofen"))
    box.fill("metformin")
    page.keyboard.press("Escape")
    assert page.locator("#panel input[name=drug]").evaluate_all("all => all.map(one => one.value)") == [""]


def test_what_was_typed_when_the_session_was_over_is_saved_after_signing_in_again(clinic: House, browser: Browser) -> None:
    desk = signs_in(browser, clinic.url, "frontdesk")
    desk.goes_to(f"/patients/{clinic.all('Patient?_count=1')[0]['id']}").follows("Edit").types("Goes by", "Bee")
    token = desk.panel.locator("[name=csrfmiddlewaretoken]")
    former = token.input_value()
    desk.page.context.clear_cookies(name=re.compile("session"))
    desk.clicks_on("Save", within=desk.panel).sees("What you typed is still here")
    elsewhere = Person(clinic.url, desk.page.context.new_page()).goes_to("/account/sign-in")
    elsewhere.page.locator("form[action*='/as/frontdesk/'] button").click()
    elsewhere.page.wait_for_url(lambda address: "/account/sign-in" not in address)
    expect(token).not_to_have_value(former)
    desk.clicks_on("Save", within=desk.panel).sees("Details saved.")


def test_what_was_typed_in_a_panel_is_not_lost_by_a_click_beside_it(clinic: House, browser: Browser) -> None:
    desk = signs_in(browser, clinic.url, "frontdesk")
    page, asked = desk.page, list[str]()

    def stays(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stays)
    desk.goes_to(f"/patients/{clinic.all('Patient?_count=1')[0]['id']}").follows("Edit")
    page.locator("#panel [name=phone]").fill("(716) 555-0188")
    page.get_by_role("region", name="Insurance").get_by_role("link", name="Add").click()
    page.locator("#nav").get_by_role("link", name="Calendar").click(no_wait_after=True)
    page.locator("#panel h2").click()
    page.keyboard.press("Escape")
    expect(page.locator("#panel [name=phone]")).to_have_value("(716) 555-0188")
    assert asked == ["confirm", "beforeunload", "confirm"]
