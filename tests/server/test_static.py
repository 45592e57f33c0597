"""Static files as browsers get them: under names that carry their digest, kept for ever, compressed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from openward.server import static
from tests.installation import ROOT, Server


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


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make setup` leaves beside the program."""
    folder = tmp_path_factory.mktemp("beside") / "collected"
    subprocess.run([sys.executable, "-m", "openward.server.static", str(folder)], check=True, cwd=ROOT)
    return folder


@pytest.fixture
def compressed(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> list[str]:
    """The commands a start runs in an empty data folder: one, when it compresses."""
    settings.STATIC_ROOT = tmp_path / "static"
    commands: list[str] = []

    def run(command: str, **_: object) -> None:
        commands.append(command)
        settings.STATIC_ROOT.mkdir()

    monkeypatch.setattr(static, "call_command", run)
    return commands


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_a_first_start_takes_what_was_made_beside_the_program(
    kept: Path, compressed: list[str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static, "BESIDE", kept)
    static.collect_static_files()
    assert compressed == []
    assert "staticfiles.json" in names(settings.STATIC_ROOT)
    assert names(settings.STATIC_ROOT) == names(kept)


def test_what_was_made_of_other_files_is_not_taken(kept: Path, compressed: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    static._copy(kept, tmp_path / "older")
    (tmp_path / "older" / static.STAMP).write_text("0" * 64)
    monkeypatch.setattr(static, "BESIDE", tmp_path / "older")
    static.collect_static_files()
    assert compressed == ["collectstatic"]


def test_without_it_a_first_start_compresses_and_the_next_does_not(compressed: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(static, "BESIDE", tmp_path / "none")
    static.collect_static_files()
    static.collect_static_files()
    assert compressed == ["collectstatic"]
