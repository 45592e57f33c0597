"""What leaves the printer: every sheet says whose it is, and none is empty."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

import openward.web
from openward.fhir.resources import Patient
from openward.web.banner import Banner
from openward.web.components.clinical import patient_banner
from tests.browser.people import a_browser

pytestmark = pytest.mark.browser
SHEETS = [Path(openward.web.__file__).parent / "static" / "web" / f"{name}.css" for name in ("tokens", "base", "components", "clinical", "print")]
ADA = Patient.of({"resourceType": "Patient", "name": [{"family": "Okafor", "given": ["Ada"]}], "birthDate": "1945-07-14"})


@pytest.fixture(scope="module")
def printer() -> Iterator[Page]:
    with a_browser() as browser:
        page = browser.new_page()
        page.emulate_media(media="print")
        yield page


def put(printer: Page, body: str) -> None:
    printer.set_content(f"<!doctype html>{body}")
    for sheet in SHEETS:
        printer.add_style_tag(content=sheet.read_text(encoding="utf-8"))


def pages(printed: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", printed))


def test_the_banner_is_repeated_on_every_sheet(printer: Page) -> None:
    """Only the first of four sheets of a chart said whose it was. Browsers repeat a table's head, if it may not be broken."""
    put(printer, f'<body class="staff"><main class="main">{patient_banner(Banner(ADA))}<div class="page"><p>Long</p></div></main></body>')
    style = "one => { const s = getComputedStyle(one); return [s.display, s.breakInside, getComputedStyle(one.parentElement).display]; }"
    assert printer.locator(".patient-banner").evaluate(style) == ["table-header-group", "avoid", "table"]


def test_what_fits_on_one_sheet_is_one_sheet(printer: Page) -> None:
    """The smallest height of a page on the screen made a second, empty sheet of everything printed."""
    put(printer, '<body class="paper"><main class="sheet"><p class="no-print">Open as PDF</p><h1>Summary of your visit</h1></main></body>')
    assert pages(printer.pdf(format="Letter")) == 1
