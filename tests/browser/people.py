"""People in front of browsers. Each has a window of their own; what they do reads like what they say they did."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-gpu", "--no-first-run"]
PATIENCE_MS = 20_000


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Debian's Chromium. Patience is long: the machine of a test run is a busy one."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


# Animations that have an end; a spinner has none.
ALL_AT_REST = "Promise.allSettled(document.getAnimations().filter((a) => a.effect.getComputedTiming().endTime < 5000).map((a) => a.finished))"


@dataclass
class Person:
    """Someone with a window. Clicks are counted, accessibility faults and console errors are collected."""

    url: str
    page: Page
    clicks: int = 0
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))

    def _hear(self, message: ConsoleMessage) -> None:
        # A refused form answers 422, a locked screen 423, and the browser calls that an error; it is how they come back.
        if message.type == "error" and not re.search(
            r"status of (404|409|422|423)|ERR_NETWORK|ERR_INTERNET|Failed to fetch|/live/events|net::ERR", message.text
        ):
            self.troubles.append(f"console: {message.text}")

    def goes_to(self, path: str) -> Person:
        self.page.goto(self.url + path)
        return self

    def clicks_on(self, name: str | re.Pattern[str], role: str = "button", within: Locator | None = None, exact: bool = False) -> Person:
        """Click the first visible thing of this role and name."""
        self.clicks += 1
        (within or self.page).get_by_role(role, name=name, exact=exact).first.click()  # type: ignore[arg-type]
        return self

    def follows(self, name: str | re.Pattern[str], within: Locator | None = None) -> Person:
        return self.clicks_on(name, "link", within)

    def types(self, label: str | re.Pattern[str], text: str) -> Person:
        self.page.get_by_label(label).and_(self.page.locator("input, textarea")).first.fill(text)
        return self

    def sees(self, text: str | re.Pattern[str]) -> Person:
        expect(self.page.get_by_text(text).locator("visible=true").first).to_be_visible()
        return self

    def does_not_see(self, text: str | re.Pattern[str]) -> Person:
        expect(self.page.get_by_text(text).locator("visible=true")).to_have_count(0)
        return self

    @property
    def panel(self) -> Locator:
        return self.page.locator("#panel")

    def finds_no_accessibility_fault(self) -> Person:
        """axe, WCAG 2.2 AA, zero violations; once everything has come to rest, since what slides in covers what is beside it."""
        faults = self._faults()
        if faults:  # a button may just have been let go, a link stand half under the bar of a page that was scrolled: looked at once more
            self.page.evaluate("document.querySelectorAll('html, main').forEach(one => one.scrollTo(0, 0))")
            self.page.wait_for_timeout(1000)
            faults = self._faults()
        assert faults == [], f"{self.page.url}: {faults}"
        return self

    def _faults(self) -> list[str]:
        self.page.evaluate(ALL_AT_REST)
        found = Axe().run(self.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        return [f"{one['id']}: {one['help']} ({one['nodes'][0]['html'][:160]})" for one in found.response["violations"]]

    def had_no_trouble(self) -> Person:
        assert self.troubles == []
        return self

    def photographs(self, folder: Path | None, name: str) -> Person:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(folder / f"{name}.png"), full_page=False)
        return self


def signs_in(browser: Browser, url: str, persona: str, *, width: int = 1440, height: int = 900) -> Person:
    """A new window, signed in by the persona switcher of the demo."""
    page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    person = Person(url, page)
    person.goes_to("/account/sign-in")
    page.locator(f"form[action*='/as/{persona}/'] button").click()
    page.wait_for_url(lambda address: "/account/sign-in" not in address)
    person.clicks = 0
    return person
