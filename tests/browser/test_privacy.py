"""A closed record, opened in an emergency and reviewed; a relative who looks after another's record; a role made for one facility. In real browsers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.house import House
from tests.browser.people import signs_in

pytestmark = pytest.mark.browser


def a_patient(clinic: House, place: int) -> dict[str, Any]:
    return clinic.all("Patient?_count=12&_sort=birthdate")[place]


def number_of(patient: dict[str, Any]) -> str:
    return str(next(one["value"] for one in patient["identifier"] if one["system"] == "urn:openward:mrn"))


def test_a_closed_record_is_opened_in_an_emergency_and_reviewed(clinic: House, browser: Browser, pictures: Path | None) -> None:
    patient = a_patient(clinic, 3)
    chart = f"/chart/{patient['id']}"
    officer = signs_in(browser, clinic.url, "privacy").goes_to(f"/privacy/labels/Patient/{patient['id']}")
    officer.page.get_by_label(re.compile("^Very restricted")).check()
    officer.finds_no_accessibility_fault().photographs(pictures, "labels").clicks_on("Keep these labels").sees("The labels are kept")

    nurse = signs_in(browser, clinic.url, "nurse").goes_to(chart)
    nurse.sees("There is nothing here")
    nurse.goes_to("/privacy/emergency").finds_no_accessibility_fault()
    nurse.types("Medical record number", number_of(patient)).types("Birth date", patient["birthDate"])
    nurse.page.get_by_label(re.compile("An emergency")).check()
    nurse.types("In your own words", "Found unconscious at the bus stop").photographs(pictures, "emergency")
    nurse.clicks_on("Open the record for an hour")
    nurse.page.wait_for_url(re.compile(re.escape(chart)))
    nurse.sees("Emergency access is open").finds_no_accessibility_fault().photographs(pictures, "glass")

    officer.goes_to("/privacy/openings").sees("Open now").finds_no_accessibility_fault().photographs(pictures, "openings")
    officer.page.locator("#waiting tbody a").first.click()
    expect(officer.panel.get_by_text("Found unconscious")).to_be_visible()
    officer.panel.get_by_label("Not in order").check()
    officer.types("What you found", "Nobody was brought in that day.").finds_no_accessibility_fault().photographs(pictures, "review")
    officer.clicks_on("Save the review", within=officer.panel)
    expect(officer.page.get_by_text("Reviewed.").first).to_be_visible()
    nurse.goes_to(chart).does_not_see("Emergency access is open")
    nurse.sees("There is nothing here")

    officer.goes_to(f"/privacy/labels/Patient/{patient['id']}")
    officer.page.get_by_label(re.compile("^Very restricted")).uncheck()
    officer.clicks_on("Keep these labels").sees("The labels are kept")
    officer.goes_to("/privacy/lookups").sees("Look-ups to examine").finds_no_accessibility_fault()
    for person in (officer, nurse):
        person.had_no_trouble()


def test_a_carer_looks_after_anothers_record(clinic: House, browser: Browser, pictures: Path | None) -> None:
    patient = clinic.all("Patient?_count=1&_sort=-birthdate")[0]
    desk = signs_in(browser, clinic.url, "frontdesk").goes_to(f"/privacy/proxies/of/{patient['id']}")
    desk.types("Their portal sign-in", "patient1")
    desk.page.get_by_label("Carer").check()
    desk.page.get_by_label(re.compile("^Appointments")).check()
    desk.finds_no_accessibility_fault().photographs(pictures, "proxies").clicks_on("Give leave").sees("They may look after this record now")

    carer = signs_in(browser, clinic.url, "patient1", width=390, height=844).goes_to("/portal/family")
    carer.finds_no_accessibility_fault().photographs(pictures, "family")
    carer.clicks_on(re.compile("^Open the record of")).sees("You are in the record of").finds_no_accessibility_fault().photographs(
        pictures, "looking-after"
    )
    carer.does_not_see("Write to us")
    carer.goes_to("/portal/family").clicks_on("Back to my own record").does_not_see("You are in the record of")
    for person in (desk, carer):
        person.had_no_trouble()


def test_a_role_is_made_for_a_part_of_the_work(clinic: House, browser: Browser, pictures: Path | None) -> None:
    admin = signs_in(browser, clinic.url, "admin").goes_to("/admin/roles/own").finds_no_accessibility_fault()
    admin.follows("Nurse").types("Name of the role", "Nurse who only reads").types(re.compile("one sentence"), "Reads charts at night.")
    admin.page.get_by_label("Only reads, writes nothing").check()
    admin.finds_no_accessibility_fault().photographs(pictures, "own-role-new").clicks_on("Make the role").sees("The role is made")
    admin.finds_no_accessibility_fault().photographs(pictures, "own-role")
    admin.clicks_on("Remove this role")
    admin.clicks_on("Yes, go on")
    admin.sees("The role is gone").goes_to("/admin/clearances").finds_no_accessibility_fault()
    admin.goes_to("/admin/people").page.locator("tbody a").first.click()
    admin.follows("What they can see, and why").sees("and why").finds_no_accessibility_fault().photographs(pictures, "access")
    admin.had_no_trouble()
