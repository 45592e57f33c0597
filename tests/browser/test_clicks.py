"""Whoever clicks on something gets that, and not what lies over it unseen: on every page of everybody's menu."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.house import House
from tests.browser.people import Person, signs_in

pytestmark = pytest.mark.browser

PERSONAS = ["frontdesk", "nurse", "clinician", "biller", "itagent", "manager", "privacy", "admin", "patient1"]

# A link over several lines is clicked on the first. What a list cuts off is seen by nobody.
COVERED = """() => [...document.querySelectorAll('a[href], button')].flatMap((one) => {
  const box = one.getClientRects()[0];
  if (!box || box.width < 2 || box.height < 2 || getComputedStyle(one).pointerEvents === 'none' || !one.checkVisibility({visibilityProperty: true})) return [];
  const found = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  if (!found || one.contains(found) || found.contains(one)) return [];
  return [`${one.textContent.trim()} (${one.getAttribute('href')}) under ${found.outerHTML.slice(0, 120)}`];
})"""
MENU = "() => [...document.querySelectorAll('nav a[href^=\"/\"]')].map((link) => link.getAttribute('href'))"


def covered(person: Person) -> list[str]:
    found: list[str] = person.page.evaluate(COVERED)
    return found


@pytest.mark.parametrize("persona", PERSONAS)
def test_nothing_lies_over_what_is_clicked(clinic: House, browser: Browser, persona: str) -> None:
    person = signs_in(browser, clinic.url, persona)
    menu: list[str] = person.page.evaluate(MENU)
    assert menu
    assert {path: found for path in dict.fromkeys(["/", *menu]) if (found := covered(person.goes_to(path)))} == {}
