"""Whoever clicks on something gets that, and not what lies over it unseen; and what stands on a page stands within it. On every page of everybody's
menu, on a chart, a patient's page and their panels, on a wide screen and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.house import House
from tests.browser.people import ALL_AT_REST, Person, signs_in

pytestmark = pytest.mark.browser

PERSONAS = ["frontdesk", "nurse", "clinician", "biller", "itagent", "manager", "privacy", "admin", "patient1"]
# Tall, so that nothing is below the fold, where nobody can click.
SIZES = [(1440, 3000), (390, 6000)]

# A link over several lines is clicked on the first. What a list cuts off is seen by nobody; what a panel or a dialog covers whole is not meant to be.
COVERED = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary')].flatMap((one) => {
  const box = one.getClientRects()[0];
  if (!box || box.width < 2 || box.height < 2 || getComputedStyle(one).pointerEvents === 'none' || !one.checkVisibility({visibilityProperty: true})) return [];
  const over = document.querySelector('dialog[open]') || document.querySelector('#panel [data-panel]')?.closest('#panel');
  if (over && !over.contains(one)) return [];
  const cut = one.closest('.order-tests, .portal-nav')?.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  if (cut && (y < cut.top || y > cut.bottom)) return [];
  const found = document.elementFromPoint(x, y);
  if (!found || one.contains(found) || found.contains(one) || [...(one.labels || [])].some((label) => label.contains(found))) return [];
  return [`${one.textContent.trim() || one.name} (${one.getAttribute('href')}) under ${found.outerHTML.slice(0, 120)}`];
})"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
MENU = "() => [...document.querySelectorAll('nav a[href^=\"/\"]')].map((link) => link.getAttribute('href'))"
PANELS = "() => [...document.querySelectorAll('main a[hx-target=\"#panel\"]')].map((link) => link.getAttribute('href'))"


def faults(person: Person, paths: list[str]) -> dict[str, list[str]]:
    """By address and width: what is covered, and by how much the page is wider than the screen."""
    found: dict[str, list[str]] = {}
    for path in dict.fromkeys(paths):
        person.goes_to(path)
        for width, height in SIZES:
            person.page.set_viewport_size({"width": width, "height": height})
            person.page.evaluate(ALL_AT_REST)
            wrong: list[str] = person.page.evaluate(COVERED)
            if wide := person.page.evaluate(SIDEWAYS):
                wrong.append(f"{wide} px too wide")
            if wrong:
                found[f"{path} at {width}"] = wrong
    return found


@pytest.mark.parametrize("persona", PERSONAS)
def test_nothing_lies_over_what_is_clicked(clinic: House, browser: Browser, persona: str) -> None:
    person = signs_in(browser, clinic.url, persona)
    menu: list[str] = person.page.evaluate(MENU)
    assert menu
    assert faults(person, ["/", *menu]) == {}


@pytest.mark.parametrize(("persona", "room"), [("clinician", "chart"), ("frontdesk", "patients")])
def test_nothing_lies_over_what_is_clicked_of_one_patient(clinic: House, browser: Browser, persona: str, room: str) -> None:
    person = signs_in(browser, clinic.url, persona)
    page = f"/{room}/{clinic.all('Patient?_count=1')[0]['id']}" + ("/" if room == "chart" else "")
    panels: list[str] = person.goes_to(page).page.evaluate(PANELS)
    assert len(panels) >= 3
    assert faults(person, [page, *one_of_each(panels)]) == {}


def one_of_each(paths: list[str]) -> list[str]:
    """The first of each kind of address: ten allergies have the same panel."""
    kinds = {tuple(part for part in path.split("/") if "-" not in part[8:9]): path for path in reversed(paths)}
    return list(kinds.values())
