"""A person who was registered twice, at the front desk: found, compared, made one, and taken apart again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.house import House
from tests.browser.people import Person, signs_in

pytestmark = pytest.mark.browser


def registers(desk: Person, given: str, *, warned: bool) -> str:
    """The new record's address; past the warning that someone like this is on record."""
    desk.goes_to("/patients/new").types("Family name", "Wrenfield").types("Given names", given).types("Birth date", "14-Mar-1971").types(
        "Telephone", "(212) 555-0142"
    )
    desk.page.get_by_label("Female").check()
    desk.clicks_on("Register", exact=True)
    if warned:
        desk.sees("Is this person registered already?").finds_no_accessibility_fault().types(re.compile("different"), "says so").clicks_on(
            "This is a different person"
        )
    desk.page.wait_for_url(re.compile(r"/patients/[0-9a-f-]{36}"))
    return desk.page.url.removeprefix(desk.url).split("?")[0]


@pytest.mark.parametrize("width", [1440, 390])
def test_two_records_of_one_person_become_one_and_two_again(clinic: House, browser: Browser, pictures: Path | None, width: int) -> None:
    desk = signs_in(browser, clinic.url, "frontdesk", width=width)
    registers(desk, "Thea", warned=width == 390)
    second = registers(desk, "Theah", warned=True)
    desk.goes_to(second).follows("Look for other records").sees("WRENFIELD, Thea").photographs(pictures, f"merge-1-found-{width}")
    desk.finds_no_accessibility_fault().follows("Compare").sees("Which record stays?").photographs(pictures, f"merge-2-compared-{width}")
    desk.finds_no_accessibility_fault().clicks_on("Merge", exact=True).sees("The two records are one now.")
    desk.sees("was merged into this record").photographs(pictures, f"merge-3-one-{width}").finds_no_accessibility_fault()
    desk.goes_to(second)
    desk.clicks_on("Undo", within=desk.page.locator("#merged")).does_not_see("was merged into this record")
    desk.follows("Look for other records").sees("WRENFIELD, Thea").had_no_trouble()
