"""The living page in a real browser: no accessibility fault at any size and in both colours, and everything works by keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="session", autouse=True)
def folder_for_collected_files(django_db_setup: None) -> None:
    """WhiteNoise warns where nothing has been collected; the test server serves the files from their sources."""
    from django.conf import settings

    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, live_server):
    """Opens a page; console errors and exceptions of its scripts fail the test."""
    faults: list[str] = []
    contexts = []

    def open_page(path: str, *, width: int = 1440, dark: bool = False, javascript: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            java_script_enabled=javascript,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" and not re.search(r"422|ERR_FAILED", said.text) else None)
        page.goto(live_server.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def faults_of(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{fault['id']}: {fault['nodes'][0]['html']}" for fault in found]


LOOKS = [("/design", width, dark) for width, dark in ((1440, False), (1440, True), (768, False), (390, False), (390, True), (320, False))]
LOOKS += [(path, width, dark) for path in ("/design/panel", "/design/portal") for width, dark in ((1440, False), (390, True), (320, False))]


@pytest.mark.parametrize(("path", "width", "dark"), LOOKS)
def test_no_accessibility_fault_and_no_sideways_scroll(opened, path, width, dark):
    page = opened(path, width=width, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert faults_of(page) == []


class TestTheSidePanel:
    def test_takes_the_focus_shows_what_is_wrong_and_gives_the_focus_back(self, opened):
        page = opened("/design")
        page.focus("#problems [data-panel-link]")
        page.keyboard.press("Enter")
        page.wait_for_selector("#panel [data-panel]")
        assert page.url.endswith("/design/panel")
        assert page.evaluate("document.activeElement.id") == "panel-title"
        page.fill("#id_systolic", "999")
        page.keyboard.press("Enter")
        page.wait_for_selector("#panel [data-error-summary]:focus")
        assert page.title().startswith("Error: ")
        page.fill("#id_systolic", "120")
        page.fill("#id_diastolic", "80")
        page.keyboard.press("Enter")
        page.wait_for_selector(".toast >> text=Vital signs saved")
        page.wait_for_function("location.pathname === '/design'")
        assert page.evaluate("document.activeElement.matches('#problems [data-panel-link]')")

    def test_keys_are_for_it_and_not_for_what_is_beneath(self, opened):
        page = opened("/design")
        page.keyboard.press("j")
        row = page.evaluate("document.activeElement.textContent")
        page.click("#problems [data-panel-link]")
        page.wait_for_selector("#panel-title:focus")
        page.keyboard.press("j")
        assert page.evaluate("document.activeElement.textContent") != row
        assert page.evaluate("document.activeElement.id") == "panel-title"

    def test_escape_closes_it(self, opened):
        page = opened("/design/panel")
        page.keyboard.press("Escape")
        page.wait_for_function("location.pathname === '/design' && !document.querySelector('[data-panel]')")

    def test_works_without_javascript(self, opened):
        page = opened("/design/panel", javascript=False)
        page.fill("#id_systolic", "1")
        page.click("#panel button.primary")
        assert page.title().startswith("Error: ")
        page.fill("#id_systolic", "120")
        page.fill("#id_diastolic", "80")
        page.click("#panel button.primary")
        assert page.url.endswith("/design")
        assert "Vital signs saved" in page.inner_text("#toasts")


class TestByKeyboard:
    def test_a_combobox_finds_and_takes_a_choice(self, opened):
        page = opened("/design")
        page.focus("#ok_problem-text")
        page.fill("#ok_problem-text", "diab")  # at once: letter by letter, Enter could come before the answer to the last
        page.wait_for_selector("#ok_problem-options [aria-selected=true]")
        page.keyboard.press("Enter")
        assert page.input_value("#ok_problem") == "E11.9"
        page.keyboard.type("x")
        assert page.input_value("#ok_problem") == ""

    def test_single_keys_can_be_turned_off(self, opened):
        page = opened("/design")
        page.keyboard.press("?")
        page.wait_for_selector("#shortcuts[open]")
        page.uncheck("[data-single-keys]")
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        assert page.locator("#shortcuts[open]").count() == 0

    def test_j_and_k_walk_the_rows(self, opened):
        page = opened("/design")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        assert page.evaluate("document.activeElement.textContent") == "Example, Ada"

    def test_a_key_of_a_row_does_nothing_without_the_focus_in_one(self, opened):
        page = opened("/design")
        before = page.url
        page.evaluate(
            """document.querySelector('[data-list-keys] tbody td').insertAdjacentHTML('beforeend', '<a data-shortcut="y" href="#pressed">y</a>')"""
        )
        page.keyboard.press("y")
        assert page.url == before
        page.keyboard.press("j")
        page.keyboard.press("y")
        assert page.url == before + "#pressed"

    def test_what_cannot_be_undone_is_asked_first(self, opened):
        page = opened("/design")
        page.click("text=Void claim")
        page.wait_for_selector("#confirm[open] >> text=Void this claim?")
        page.keyboard.press("Enter")
        assert page.locator("#confirm[open]").count() == 0

    def test_the_focus_is_never_under_the_banner(self, opened):
        page = opened("/design")
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        for _n in range(40):
            page.keyboard.press("Shift+Tab")
            covered = page.evaluate(
                """() => { const a = document.activeElement.getBoundingClientRect(), b = document.querySelector('main > .patient-banner').getBoundingClientRect();
                    return document.activeElement.closest('main .page') !== null && a.height < 500 && a.bottom <= b.bottom; }"""
            )
            assert not covered


class TestDrafts:
    def test_say_saved_then_not_saved_then_saved_again(self, opened):
        page = opened("/design")
        page.fill("#ok_family", "Okafor")
        page.wait_for_selector("[data-autosave-state][data-state=saved]")

    def test_say_when_there_is_no_connection_and_try_again(self, opened, browser):
        page = opened("/design")
        page.route("**/design/draft", lambda route: route.abort())
        page.fill("#ok_family", "Okafor")
        page.wait_for_selector("[data-autosave-state][data-state=offline]")
        page.unroute("**/design/draft")
        page.evaluate("dispatchEvent(new Event('online'))")
        page.wait_for_selector("[data-autosave-state][data-state=saved]")


def test_the_colours_stay_as_chosen(opened):
    page = opened("/design")
    page.click("[data-theme-switch] button")
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_form_on_its_way_cannot_be_sent_twice(opened):
    page = opened("/design/panel")
    sent = []
    page.on("request", lambda request: sent.append(1) if request.method == "POST" else None)
    page.fill("#id_systolic", "120")
    page.fill("#id_diastolic", "80")
    page.evaluate("() => { const b = document.querySelector('#panel button.primary'); b.click(); b.click(); b.click(); }")
    page.wait_for_selector(".toast")
    assert len(sent) == 1
