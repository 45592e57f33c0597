"""SMART Fetch, the bulk data client of the people who wrote the guide, against the running server. https://pypi.org/project/smart-fetch/

It runs as a program out of an environment of its own, which `make setup-test` makes: what it brings along is imported by nothing of ours.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.conformance.conftest import Surface
from tests.installation import ROOT

PROGRAM = ROOT / ".venv-clients/bin/smart-fetch"


def fetched(surface: Surface, folder: Path, *options: str) -> dict[str, list[dict[str, Any]]]:
    """Type → resources, after an export by the client to its end."""
    token = folder / "token"
    token.write_text(surface.token)
    command = [str(PROGRAM), "bulk", "--fhir-url", surface.base, "--bearer-token", str(token), "--no-compression", "--no-default-filters", *options]
    done = subprocess.run([*command, str(folder / "out")], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, list[dict[str, Any]]] = {}
    for file in (folder / "out").glob("*.*.ndjson"):
        found.setdefault(file.name.partition(".")[0], []).extend(map(json.loads, file.read_text().splitlines()))
    return found


@pytest.fixture
def family(surface: Surface) -> str:
    """Two patients of this name, with an observation each, and a group of the first."""
    name = f"Bulk{uuid4().hex[:8]}"
    for number in (1, 2):
        surface.json("PUT", f"/Patient/{name}-{number}", {"resourceType": "Patient", "id": f"{name}-{number}", "name": [{"family": name}]})
        observation = {"resourceType": "Observation", "status": "final", "code": {"text": name}, "subject": {"reference": f"Patient/{name}-{number}"}}
        surface.json("PUT", f"/Observation/{name}-{number}", {**observation, "id": f"{name}-{number}"})
    members = [{"entity": {"reference": f"Patient/{name}-1"}}]
    surface.json("PUT", f"/Group/{name}", {"resourceType": "Group", "id": name, "type": "person", "actual": True, "member": members})
    return name


def of(family: str, found: dict[str, list[dict[str, Any]]]) -> dict[str, list[str]]:
    mine = {type: sorted(one["id"] for one in resources if one["id"].startswith(family)) for type, resources in found.items()}
    return {type: ids for type, ids in mine.items() if ids}


def test_takes_out_the_types_it_asks_for(surface: Surface, family: str, tmp_path: Path) -> None:
    both = [f"{family}-1", f"{family}-2"]
    assert of(family, fetched(surface, tmp_path, "--type", "Patient,Observation")) == {"Patient": both, "Observation": both}


def test_takes_out_a_group(surface: Surface, family: str, tmp_path: Path) -> None:
    found = fetched(surface, tmp_path, "--group", family, "--type", "Patient,Observation")
    assert {type: [one["id"] for one in resources] for type, resources in found.items()} == {
        "Patient": [f"{family}-1"],
        "Observation": [f"{family}-1"],
    }


def test_narrows_a_type_by_a_search(surface: Surface, family: str, tmp_path: Path) -> None:
    found = fetched(surface, tmp_path, "--type", "Observation", "--type-filter", f"Observation?patient=Patient/{family}-2")
    assert [one["id"] for one in found["Observation"]] == [f"{family}-2"]
