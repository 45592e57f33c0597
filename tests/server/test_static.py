"""Static files as browsers get them: under names that carry their digest, kept for ever, compressed."""

from __future__ import annotations

import re

import pytest

from tests.installation import Server


@pytest.fixture(scope="module")
def addresses(served: Server) -> list[str]:
    """What the sign-in page loads."""
    return re.findall(r'(?:href|src)="(/static/[^"]+)"', served.ask("GET", "/account/sign-in").text)


def test_every_file_of_the_page_is_there(served: Server, addresses: list[str]) -> None:
    assert addresses
    assert {address: served.ask("GET", address).status for address in addresses} == dict.fromkeys(addresses, 200)


def test_every_name_carries_its_digest(addresses: list[str]) -> None:
    assert [address for address in addresses if not re.search(r"\.[0-9a-f]{12}\.", address)] == []


def test_a_browser_keeps_them_for_ever(served: Server, addresses: list[str]) -> None:
    assert "immutable" in served.ask("GET", addresses[0]).headers["cache-control"]


def test_text_travels_compressed(served: Server, addresses: list[str]) -> None:
    sheet = next(address for address in addresses if address.endswith(".css"))
    assert served.ask("GET", sheet, headers={"Accept-Encoding": "br, gzip"}).headers["content-encoding"] in ("br", "gzip")


def test_a_name_that_climbs_out_of_the_folder_finds_nothing(served: Server) -> None:
    assert served.ask("GET", "/static/../secret.key").status == 404
    assert served.ask("GET", "/static/%2e%2e/secret.key").status == 404
