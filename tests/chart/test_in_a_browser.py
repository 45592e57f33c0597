"""What the chart's own script does to what a person typed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page

import openward.chart
from openward.chart.forms.vitals import VitalsForm
from tests.browser.people import a_browser

pytestmark = pytest.mark.browser
SCRIPT = Path(openward.chart.__file__).parent / "static" / "chart" / "chart.js"


@pytest.fixture
def page() -> Iterator[Page]:
    with a_browser() as browser:
        yield browser.new_page()


def test_a_number_stays_as_it_was_typed_when_its_unit_is_chosen_after_it(page: Page) -> None:
    """20, then kg instead of the lb that stood there, became 9.1 kg: likely enough at four years to be stored unasked, and half the dose of everything."""
    page.set_content(f"<form>{VitalsForm(age=Decimal(4), label_suffix='')}</form>")
    page.add_script_tag(path=str(SCRIPT), type="module")
    page.get_by_label("Weight", exact=True).fill("20")
    page.get_by_label("Unit of Weight").select_option("kg")
    page.get_by_label("Temperature", exact=True).fill("37")
    page.get_by_label("Unit of Temperature").select_option("°C")
    assert (page.get_by_label("Weight", exact=True).input_value(), page.get_by_label("Temperature", exact=True).input_value()) == ("20", "37")
