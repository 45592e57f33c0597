"""`openward ig`, run as a person runs it beside a server that is up."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from openward.fhir.profiles.merging import with_ids
from tests.fhir.profiles.making import URL, definition, element
from tests.fhir.profiles.test_packages import packed
from tests.installation import Installation, Server

SECONDS = 10


@pytest.fixture
def here(served: Server) -> Installation:
    return served.installation


@pytest.fixture
def package(tmp_path: Path) -> Path:
    named = definition("named", "Patient", element("Patient.name", min=1))
    named["differential"]["element"] = with_ids(named["differential"]["element"])
    path = tmp_path / "guide.tgz"
    path.write_bytes(packed(named))
    return path


def asked(served: Server, path: str, body: dict[str, Any]) -> Any:
    headers = {"Authorization": f"Bearer {served.installation.token('system/*.cruds')}", "Content-Type": "application/fhir+json"}
    return served.ask("POST", f"/fhir{path}", json.dumps(body).encode(), headers)


def test_a_guide_holds_the_running_server_from_its_installation_to_its_removal(served: Server, here: Installation, package: Path) -> None:
    claim = {"resourceType": "Patient", "meta": {"profile": [URL + "named"]}}
    assert asked(served, "/Patient", claim).status == 201
    installed = here.openward("ig", "install", str(package))
    assert (installed.returncode, installed.stdout) == (0, "example.guide#1.0.0: 1 profiles, 0 value sets with their codes, 1 resources stored.\n")
    assert "example.guide#1.0.0" in here.openward("ig", "list").stdout
    assert "Patient.name" in asked(served, "/Patient/$validate", claim).text
    assert within_seconds(lambda: asked(served, "/Patient", claim).status == 422)
    assert here.openward("ig", "remove", "example.guide").stdout == "example.guide#1.0.0 is removed.\n"
    assert within_seconds(lambda: asked(served, "/Patient", claim).status == 201)


def within_seconds(holds: Any) -> bool:
    until = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


def test_what_is_built_in_is_listed(here: Installation) -> None:
    shown = here.openward("ig", "list").stdout
    assert [f"hl7.fhir.us.core#{version}" in shown for version in ("6.1.0", "7.0.0", "8.0.0")] == [True] * 3


@pytest.mark.parametrize("arguments", [("install", "absent.tgz"), ("remove", "absent"), ("install", __file__)])
def test_what_cannot_be_done_is_said_in_a_sentence(here: Installation, arguments: tuple[str, str]) -> None:
    refused = here.openward("ig", *arguments)
    assert refused.returncode == 1
    assert refused.stderr.startswith("openward: ")
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(("name", "value"), [("OPENWARD_VALIDATE_PROFILES", "sometimes"), ("OPENWARD_PROFILES", "Patient")])
def test_a_setting_that_says_nothing_sensible_stops_the_start(here: Installation, name: str, value: str) -> None:
    refused = Installation(here.data, here.database, {**here.settings, name: value}).openward("ig", "list")
    assert refused.returncode != 0
    assert value in refused.stderr
