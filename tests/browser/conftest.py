"""One demo house for all stories, and a browser for each file of them. `SCREENSHOTS=folder` keeps pictures of the way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.house import House, house
from tests.browser.people import a_browser
from tests.installation import prepared


@pytest.fixture(scope="session")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(prepared(tmp_path_factory.mktemp("house") / "data")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed with its file: its event loop runs in the thread of the tests, where others begin one of their own."""
    with a_browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    folder = os.environ.get("SCREENSHOTS")
    return Path(folder) if folder else None
